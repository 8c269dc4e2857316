"""Reads a store's orders: what changed, one, one by number. I/O only; which page comes next is in `walk`."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from waybill_common.retry import Family
from waybill_platforms.bigcommerce import mapping, wire
from waybill_platforms.bigcommerce.reading import WITH_LINES, completed, whole_order
from waybill_platforms.bigcommerce.rest import MOST, Rest, entries
from waybill_platforms.bigcommerce.walk import Astray, Walk
from waybill_platforms.errors import PlatformError, alone, explain
from waybill_platforms.failures import Failure
from waybill_platforms.model.orders import ChannelOrder, OrderPage

IGNORED = Failure(Family.REFUSED, "configuration", "none", "a page of other orders would end the list too early")


class BigCommerceOrders:
    """The `OrderReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Orders by `date_modified`, whatever their status, but for abandoned payment pages: those are no orders."""
        walk, size = Walk.read(page, since), max(min(limit, MOST), 1)
        answer = await self._rest.get("/v2/orders", "get_orders", {**walk.query(size), **WITH_LINES})
        raw = entries(answer)
        heads, problems = _heads(raw)
        try:
            given, rest_of_walk = walk.next(heads, len(raw) >= size)
        except Astray as error:
            raise answer.failed(IGNORED, str(error)) from None
        orders = []
        for head in given:
            if head.status_id == mapping.INCOMPLETE:
                continue
            try:
                orders.append(await self._order(head))
            except PlatformError as error:
                problems.append(f"order {head.id}: {alone(error)}")
        return OrderPage(tuple(orders), rest_of_walk.token() if rest_of_walk else None, tuple(problems))

    async def _order(self, head: wire.Order) -> ChannelOrder:
        return mapping.order(await completed(self._rest, head, "get_orders"))

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        """A payment page that is open or was left (status Incomplete) is shown too, as what nobody imports: webhooks
        announce it like an order, and whoever asks for its number should hear what it is."""
        whole = await whole_order(self._rest, order_id, "get_order")
        return None if whole is None else mapping.order(whole)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        """BigCommerce's order number is its id."""
        return await self.get_order(number.strip().removeprefix("#"))


def _heads(raw: list[dict[str, Any]]) -> tuple[list[wire.Order], list[str]]:
    heads, problems = [], []
    for entry in raw:
        try:
            heads.append(wire.Order.model_validate(entry))
        except ValidationError as error:
            problems.append(f"order {entry.get('id')}: {explain(error)}")
    return heads, problems
