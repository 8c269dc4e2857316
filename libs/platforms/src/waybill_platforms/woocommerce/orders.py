"""Reads a store's orders: what changed, one, one by number. I/O only; how a list is walked is in `walk`."""

from datetime import datetime
from typing import Any

from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder, OrderPage
from waybill_platforms.woocommerce import mapping, walk, wire
from waybill_platforms.woocommerce.api import WC, Listed
from waybill_platforms.woocommerce.reading import MOST, Reading, parse, unreadable


class WooOrders:
    """The `OrderReader` of one store."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Orders by `date_modified`, whatever their status, trashed ones included."""
        at = walk.Place.read(page, since)
        limit = max(1, min(limit, MOST))
        if at.within is not None:
            return await self._crowd(at, limit)
        listed = await self._list(modified_after=mapping.just_before(at.since), orderby="modified", per_page=limit)
        try:
            taken, place = walk.keep(at, [_second(row) for row in listed.rows], len(listed.rows) == limit)
        except ValueError as error:
            raise listed.answer.wrong_form(f"the list ignores modified_after or its order: {error}") from None
        return await self._page(listed.rows[:taken], place)

    async def _crowd(self, at: walk.Place, limit: int) -> OrderPage:
        bounds = {
            "modified_after": mapping.just_before(at.since),
            "modified_before": mapping.naive_gmt(at.since + walk.SECOND),
        }
        number = at.within or 1
        listed = await self._list(**bounds, orderby="id", per_page=limit, page=number)
        if not at.within and listed.pages > 1:
            number = listed.pages
            listed = await self._list(**bounds, orderby="id", per_page=limit, page=number)
        rows = [row for row in listed.rows if _second(row) == at.since]
        return await self._page(rows, walk.after_crowd(at, number))

    async def _list(self, **params: str | int) -> Listed:
        """Bounds are naive and in UTC, and the flag says so: with a Z the same flag moves them (see README)."""
        log_type, api = "get_orders", self._reading.api
        statuses = await self._reading.statuses(log_type)
        fixed = {"dates_are_gmt": "true", "order": "asc", "status": statuses, "_fields": wire.ORDER_FIELDS}
        try:
            return await api.listed(log_type, f"{WC}/orders", **params, **fixed)
        except PlatformError as error:
            if error.code == "rest_invalid_param":  # a plugin and its status may be gone: ask anew next time
                self._reading.forget_statuses()
            raise

    async def _page(self, rows: Any, place: walk.Place | None) -> OrderPage:
        orders, problems = parse(rows)
        known = await self._reading.known(orders, "get_orders")
        found: list[ChannelOrder] = []
        for one in orders:
            beside = known[one.id]
            try:
                if isinstance(beside, mapping.Known):
                    found.append(mapping.order(one, beside))
                else:
                    problems.append(f"order {one.number or one.id}: {beside}")
            except ValueError as error:
                problems.append(f"order {one.number or one.id}: {error}")
        return OrderPage(tuple(found), place.token() if place else None, tuple(problems))

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        """A draft is no order yet; a trashed one is canceled."""
        read = await self._reading.order(order_id, "get_order")
        return None if read is None or read.status in mapping.NO_ORDER_YET else await self._whole(read)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        """Its number is its id, unless a plugin counts otherwise; then the store's search has to know it."""
        digits = number.strip().lstrip("#")
        found = await self.get_order(digits)
        if found is not None and mapping.same_number(found.number, number):
            return found
        listed = await self._reading.api.listed(
            "get_order", f"{WC}/orders", search=digits, per_page=20, _fields=wire.ORDER_FIELDS
        )
        orders, _ = parse(listed.rows)
        same = next((one for one in orders if mapping.same_number(one.number or str(one.id), number)), None)
        return None if same is None else await self._whole(same)

    async def _whole(self, read: wire.Order) -> ChannelOrder:
        known = await self._reading.known_of(read, "get_order")
        try:
            return mapping.order(read, known)
        except ValueError as error:
            raise unreadable(read, str(error), "get_order") from None


def _second(row: dict[str, Any]) -> datetime:
    """When it was changed; a row without a time stands at the beginning, where no page ends."""
    read = row.get("date_modified_gmt") or row.get("date_created_gmt")
    try:
        return mapping.utc(str(read))
    except ValueError:
        return mapping.BEGINNING
