"""Reads a store's orders: what changed, one, one by number. I/O only.

Promises: a walk gives each order once, though orders change while it goes on: it follows times and ids, never page
numbers (those shift under it, and a page past the end repeats the last one).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Self

from pydantic import ValidationError

from waybill_platforms.errors import PlatformError, explain
from waybill_platforms.magento import mapping, wire
from waybill_platforms.magento.rest import Rest, missing, read_as
from waybill_platforms.magento.rows import bundles
from waybill_platforms.magento.search import LARGEST_PAGE, Condition, criteria, moment
from waybill_platforms.model.orders import ChannelOrder, OrderPage

_ROW = (
    "item_id,parent_item_id,product_id,product_type,sku,name,qty_ordered,qty_shipped,qty_refunded,qty_canceled,"
    "is_virtual,locked_do_ship,price"
)
_ADDRESS = "firstname,middlename,lastname,company,street,city,region,region_code,postcode,country_id,telephone,email"
FIELDS = (
    "entity_id,increment_id,state,status,created_at,updated_at,order_currency_code,grand_total,total_paid,total_due,"
    "total_refunded,base_total_paid,customer_email,customer_note,is_virtual,ext_order_id,shipping_description,"
    f"payment[method,po_number,amount_authorized],items[{_ROW}],"
    f"extension_attributes[shipping_assignments[shipping[address[{_ADDRESS}],method]]]"
)
KEEP_BUNDLES = 600.0
"""Seconds for which it is believed how a bundle is shipped."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands. With `after`, within one second: the rest of what changed in it, by id."""

    since: datetime
    after: int | None = None
    exclusive: bool = False

    @classmethod
    def read(cls, page: str | None, since: datetime) -> Self:
        if page is None:
            return cls(since)
        at, after, exclusive = page.split("|")
        return cls(datetime.fromisoformat(at), int(after) if after else None, exclusive == "x")

    @property
    def token(self) -> str:
        return f"{self.since.isoformat()}|{'' if self.after is None else self.after}|{'x' if self.exclusive else ''}"

    @property
    def conditions(self) -> list[Condition]:
        if self.after is not None:
            return [("updated_at", "eq", moment(self.since)), ("entity_id", "gt", str(self.after))]
        return [("updated_at", "gt" if self.exclusive else "gteq", moment(self.since))]


class MagentoOrders:
    """The `OrderReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._bundles = Bundles(rest)

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Orders by `updated_at`, whatever their state. Of a full page, what changed in its last second comes next."""
        walk, size = Walk.read(page, since), max(2, min(limit, LARGEST_PAGE))
        sort = (("updated_at", "ASC"), ("entity_id", "ASC"))
        query = criteria(walk.conditions, sort=sort, size=size, fields=f"items[{FIELDS}],total_count")
        answer = await self._rest.get("/orders", "get_orders", query)
        found = read_as(answer, wire.Found)
        raw, problems = _with_time_and_id(list(found.items or ())[:size])
        more = found.total_count > len(raw) + len(problems) > 0
        if more and not raw:
            raise answer.wrong_form(f"no order of a whole page can be read: {'; '.join(problems[:3])}")
        if more and (early := _before_the_last_second(raw)):
            raw, follows = early
        elif more:
            follows = Walk(_moment_of(raw[-1]), int(str(raw[-1]["entity_id"])))
        elif walk.after is not None:  # the second is done; on behind it
            more, follows = True, Walk(walk.since, exclusive=True)
        orders, odd = await self._read(raw)
        return OrderPage(tuple(orders), follows.token if more else None, (*problems, *odd))

    async def _read(self, raw: Iterable[dict[str, object]]) -> tuple[list[ChannelOrder], list[str]]:
        read, problems = [], []
        for one in raw:
            try:
                read.append(wire.Order.model_validate(one))
            except ValidationError as error:
                problems.append(_named(one, error))
        separately = await self._bundles.shipped_separately(row for one in read for row in one.items)
        return [mapping.order(one, separately) for one in read], problems

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        read = await self.read(order_id, "get_order")
        return None if read is None else mapping.order(*read)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        """By `increment_id`; stores may use the same numbers, the newest order is meant then."""
        query = criteria(
            [("increment_id", "eq", number.lstrip("#"))],
            sort=[("entity_id", "DESC")],
            size=2,
            fields=f"items[{FIELDS}],total_count",
        )
        answer = await self._rest.get("/orders", "get_order", query)
        for raw in read_as(answer, wire.Found).items or ():
            read = read_as(answer, wire.Order, raw)
            if read.increment_id == number.lstrip("#"):
                return mapping.order(read, await self._bundles.shipped_separately(read.items))
        return None

    async def read(self, order_id: str, log_type: str) -> tuple[wire.Order, dict[int, bool]] | None:
        """The order and how its bundles are shipped; None when the store does not have it."""
        if not order_id.isdigit():
            return None
        try:
            answer = await self._rest.get(f"/orders/{order_id}", log_type, [("fields", FIELDS)])
        except PlatformError as error:
            if missing(error):
                return None
            raise
        read = read_as(answer, wire.Order)
        return read, await self._bundles.shipped_separately(read.items)


class Bundles:
    """How bundles are shipped: their product says it, an order's row does not."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._known: dict[int, tuple[float, bool]] = {}

    async def shipped_separately(self, rows: Iterable[wire.Row]) -> dict[int, bool]:
        """By product id. One call for all that are not known yet; products that are gone are missing."""
        wanted, fresh = bundles(rows), monotonic() - KEEP_BUNDLES
        unknown = sorted(one for one in wanted if one not in self._known or self._known[one][0] < fresh)
        for start in range(0, len(unknown), LARGEST_PAGE):
            await self._ask(unknown[start : start + LARGEST_PAGE])
        return {one: self._known[one][1] for one in wanted if one in self._known}

    async def _ask(self, product_ids: list[int]) -> None:
        query = criteria(
            [("entity_id", "in", ",".join(map(str, product_ids)))],
            fields="items[id,sku,custom_attributes[attribute_code,value]],total_count",
        )
        answer = await self._rest.get("/products", "get_products", query)
        for raw in read_as(answer, wire.Found).items or ():
            try:
                product = wire.Product.model_validate(raw)
            except ValidationError:  # as one that is gone: a problem of the orders that hold it, and of no other
                continue
            kinds = {one.attribute_code: one.value for one in product.custom_attributes or ()}
            self._known[product.id] = monotonic(), str(kinds.get("shipment_type") or "0") == "1"


def _with_time_and_id(rows: Iterable[dict[str, object]]) -> tuple[list[dict[str, object]], list[str]]:
    """Those that a walk can stand on, and the others, named."""
    kept, problems = [], []
    for row in rows:
        try:
            wire.Changed.model_validate(row)
        except ValidationError as error:
            problems.append(_named(row, error))
        else:
            kept.append(row)
    return kept, problems


def _named(row: dict[str, object], error: ValidationError) -> str:
    return f"order {row.get('increment_id') or row.get('entity_id')}: {explain(error)}"


def _moment_of(raw: dict[str, object]) -> datetime:
    return mapping.moment(str(raw.get("updated_at")))


def _before_the_last_second(raw: list[dict[str, object]]) -> tuple[list[dict[str, object]], Walk] | None:
    """What changed before the page's last second, and a walk that begins with that second; None: it is all of one."""
    last = raw[-1].get("updated_at")
    kept = [one for one in raw if one.get("updated_at") != last]
    return (kept, Walk(_moment_of(raw[-1]))) if kept else None
