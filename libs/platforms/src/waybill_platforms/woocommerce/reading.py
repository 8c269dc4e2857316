"""What is read of orders, in as few calls as the store allows: refunds of a whole page at once, fulfillments only of
orders that say they have some, which goods are virtual once for all. I/O only."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError, alone, explain
from waybill_platforms.woocommerce import automatic, mapping, records, wire
from waybill_platforms.woocommerce.api import WC, Api, missing, no_route, objects, read_as
from waybill_platforms.woocommerce.products import Goods

MOST = 100
"""Of one page and one `include`, everywhere in this API."""
CORE_STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash")
STATUSES_FOR = 600.0
"""Seconds until a store is asked again for its statuses: plugins add some."""


class Reading:
    """What one store's orders are read by; all its ports share one."""

    def __init__(self, api: Api, goods: Goods) -> None:
        self.api = api
        self._goods = goods
        self._all_refunds = True
        self._statuses = ""
        self._statuses_at = 0.0
        self._filters: frozenset[str] = frozenset()
        self._takes: frozenset[str] = frozenset()

    async def order(self, order_id: str, log_type: str) -> wire.Order | None:
        """The order now, a trashed one too; None when the store does not have it."""
        if not order_id.isdigit():
            return None
        try:
            return await self.api.one(wire.Order, log_type, f"{WC}/orders/{order_id}", _fields=wire.ORDER_FIELDS)
        except PlatformError as error:
            if missing(error):
                return None
            raise

    async def statuses(self, log_type: str) -> str:
        """All that the store has, trash included and drafts not, as `status` wants them.

        The default, `any`, holds every shopper who opened the checkout and no trashed order. One word that a store
        does not know fails the whole request, and plugins add words: so it is asked.
        """
        if not self._statuses or time.monotonic() - self._statuses_at > STATUSES_FOR:
            self._statuses = ",".join(await self._ask_statuses(log_type))
            self._statuses_at = time.monotonic()
        return self._statuses

    async def keeps(self, name: str, log_type: str) -> bool:
        """Whether an order takes this field and the list filters by it. A version that does not know one of the two
        ignores it: then it writes its own word, and all orders come."""
        await self.statuses(log_type)
        return name in self._filters & self._takes

    def forget_statuses(self) -> None:
        self._statuses = ""

    async def _ask_statuses(self, log_type: str) -> Sequence[str]:
        try:
            answer = await self.api.send(log_type, "OPTIONS", f"{WC}/orders")
        except PlatformError as error:
            if error.status in {403, 404, 405, 501}:  # a host that lets no OPTIONS through
                return CORE_STATUSES
            raise
        body = answer.json()
        if not isinstance(body, dict):
            raise answer.wrong_form(f"OPTIONS tells a {type(body).__name__}, not an object")
        args = _args(body, "GET")
        self._filters = frozenset(args)
        self._takes = frozenset(_args(body, "POST"))
        found = _enum(args)
        chosen = [word for word in found if word != "any" and word not in mapping.NO_ORDER_YET]
        return chosen or CORE_STATUSES

    async def known(self, orders: Sequence[wire.Order], log_type: str) -> dict[int, mapping.Known | str]:
        """What is to be known beside each order; a text instead where it cannot be read."""
        at_once = await self._refunds_at_once([one for one in orders if one.refunds], log_type)
        virtual = await self._goods.virtual([line.sku for one in orders for line in one.line_items], log_type)
        found: dict[int, mapping.Known | str] = {}
        for one in orders:
            try:
                refunded = mapping.refunded(one, await self.refunds_of(one, log_type, at_once.get(one.id, ())))
                found[one.id] = mapping.Known(refunded, await self._shipped(one, virtual, log_type), virtual)
            except ValueError as error:
                found[one.id] = str(error)
            except PlatformError as error:
                found[one.id] = alone(error)
        return found

    async def known_of(
        self, read: wire.Order, log_type: str, made: Iterable[wire.Fulfillment] | None = None
    ) -> mapping.Known:
        """Of one order, with its fulfillments where they have been read; PlatformError (unreadable) else."""
        refunds = await self.refunds_of(read, log_type)
        virtual = await self._goods.virtual([line.sku for line in read.line_items], log_type)
        try:
            refunded = mapping.refunded(read, refunds)
            if made is None:
                return mapping.Known(refunded, await self._shipped(read, virtual, log_type), virtual)
        except ValueError as error:
            raise unreadable(read, str(error), log_type) from None
        return mapping.Known(refunded, live(read, made, virtual), virtual)

    async def refunds_of(
        self, read: wire.Order, log_type: str, known: Sequence[wire.Refund] = ()
    ) -> Sequence[wire.Refund]:
        """All refunds of one order with their lines; no call where it has none, or all of them are `known`."""
        if {refund.id for refund in read.refunds} <= {refund.id for refund in known}:
            return known
        answer = await self.api.get(log_type, f"{WC}/orders/{read.id}/refunds", per_page=MOST)
        return [read_as(answer, wire.Refund, row) for row in objects(answer)]

    async def _refunds_at_once(self, orders: Sequence[wire.Order], log_type: str) -> dict[int, list[wire.Refund]]:
        """`GET /refunds`, since 9.0; before, and for what it leaves out or tells oddly, each order is asked."""
        found: dict[int, list[wire.Refund]] = {}
        if len(orders) < 2 or not self._all_refunds:
            return found
        ids = [refund.id for one in orders for refund in one.refunds]
        for place in range(0, len(ids), MOST):
            include = ",".join(map(str, ids[place : place + MOST]))
            try:
                rows = objects(await self.api.get(log_type, f"{WC}/refunds", include=include, per_page=MOST))
            except PlatformError as error:
                if no_route(error):
                    self._all_refunds = False
                elif error.family is not Family.UNREADABLE:
                    raise
                return found
            for row in rows:
                with suppress(ValidationError):
                    refund = wire.Refund.model_validate(row)
                    found.setdefault(refund.parent_id, []).append(refund)
        return found

    async def _shipped(self, read: wire.Order, virtual: Collection[str], log_type: str) -> dict[int, int] | None:
        told = read.meta(mapping.FULFILLMENT_STATUS)
        # "fulfilled" may be the store's own word, of goods that lie on the shelf: see automatic
        by_store = told == "fulfilled" and read.status != "completed" and read.meta(automatic.PROCESSED)
        if told == "partially_fulfilled" or by_store:
            made = await self.fulfillments(read.id, log_type)
            if made is not None:
                return live(read, made, virtual)
        if told == "fulfilled":
            return {line.id: line.quantity for line in read.line_items}
        return records.shipped_by_entries(read) if records.entries(read) else None

    async def fulfillments(self, order_id: int, log_type: str) -> tuple[wire.Fulfillment, ...] | None:
        """WooCommerce's own fulfillments; None where the feature is off (or the version has none)."""
        try:
            answer = await self.api.get(log_type, f"{WC}/orders/{order_id}/fulfillments")
        except PlatformError as error:
            if no_route(error):
                return None
            raise
        body = answer.json()
        rows = body.get("fulfillments", body) if isinstance(body, dict) else body
        if not isinstance(rows, list):
            raise answer.wrong_form("expected a list of fulfillments")
        return tuple(read_as(answer, wire.Fulfillment, row) for row in rows)


def live(read: wire.Order, made: Iterable[wire.Fulfillment], virtual: Collection[str] = ()) -> dict[int, int]:
    """Pieces by line in the fulfillments that stand and say that something left."""
    offset = mapping.clock_offset(read)
    return records.shipped(automatic.left(read, one, offset, virtual) for one in made)


def unreadable(read: wire.Order, what: str, log_type: str) -> PlatformError:
    return PlatformError(
        f"order {read.number}: {what}", family=Family.UNREADABLE, cause="unreadable", outcome="none", action=log_type
    )


def parse(rows: Iterable[dict[str, object]]) -> tuple[list[wire.Order], list[str]]:
    """Each order on its own: what cannot be read is named, its neighbours go on. Drafts are none."""
    orders, problems = [], []
    for row in rows:
        try:
            one = wire.Order.model_validate(row)
        except ValidationError as error:
            problems.append(f"order {row.get('number') or row.get('id')}: {explain(error)}")
        else:
            if one.status not in mapping.NO_ORDER_YET:
                orders.append(one)
    return orders, problems


def _args(body: Mapping[str, Any], method: str) -> Mapping[str, Any]:
    """The parameters of this method on `/orders`, as OPTIONS tells them."""
    endpoints = body.get("endpoints")
    for endpoint in endpoints if isinstance(endpoints, list) else ():
        if isinstance(endpoint, dict) and method in (endpoint.get("methods") or ()):
            args = endpoint.get("args")
            return args if isinstance(args, dict) else {}
    return {}


def _enum(args: Mapping[str, Any]) -> list[str]:
    """The words that `status` takes."""
    try:
        return [str(word) for word in args["status"]["items"]["enum"]]
    except (KeyError, TypeError):
        return []
