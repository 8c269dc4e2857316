"""Reads what a store shipped of our requests. I/O only.

There is no list over all orders, and a second part shipment may not move an order's `date_modified` (it is documented
nowhere). So every open request is looked at: whole ranges of order ids with one call, and then the shipments of those
orders of which something has left. A deleted shipment is nowhere to be seen; `whole` says whose shipments are complete.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from waybill_platforms.bigcommerce import carriers, comments, requesting, wire
from waybill_platforms.bigcommerce.reading import WITH_LINES, completed, shipments
from waybill_platforms.bigcommerce.requests import find_order
from waybill_platforms.bigcommerce.rest import MOST, Rest, entries
from waybill_platforms.bigcommerce.whole import Whole
from waybill_platforms.errors import PlatformError, alone, explain
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage, SourceShipment, SourceShipmentLine

AT_ONCE = 100
"""Requests of a page: few enough that what was read is stored before much time has gone by."""


class BigCommerceShipments:
    """The `ShipmentReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """All shipments of these requests; `since` does not narrow them."""
        asked = sorted(open_requests, key=_place)
        start = int(page or 0)
        taken = asked[start : start + AT_ONCE]
        found, problems = await self._orders(taken)
        made: list[SourceShipment] = []
        complete: list[str] = []
        for order in found:
            try:
                made += await self._of(order)
                complete.append(order.head.external_order_id)
            except PlatformError as error:
                problems.append(f"order {order.head.id}: {alone(error)}")
        more = str(start + AT_ONCE) if start + AT_ONCE < len(asked) else None
        return ShipmentPage(tuple(made), more, tuple(problems), tuple(complete))

    async def _orders(self, requests: Sequence[OpenRequest]) -> tuple[list[Whole], list[str]]:
        found: list[Whole] = []
        problems: list[str] = []
        by_id = {int(one.platform_id): one for one in requests if one.platform_id and one.platform_id.isdigit()}
        for first, last in ranges(sorted(by_id)):
            params: dict[str, str | int] = {
                "min_id": first,
                "max_id": last,
                "limit": MOST,
                "sort": "id:asc",
                **WITH_LINES,
            }
            answer = await self._rest.get("/v2/orders", "get_shipments", params)
            for entry in entries(answer):
                try:
                    head = wire.Order.model_validate(entry)
                except ValidationError as error:
                    problems.append(f"order {entry.get('id')}: {explain(error)}")
                    continue
                if head.id in by_id and head.external_order_id == by_id[head.id].reference:
                    try:
                        found.append(await completed(self._rest, head, "get_shipments"))
                    except PlatformError as error:
                        problems.append(f"order {head.id}: {alone(error)}")
        for one in requests:
            if not one.platform_id:
                try:
                    whole = await find_order(self._rest, one.reference, "get_shipments")
                except PlatformError as error:
                    problems.append(f"request {one.reference}: {alone(error)}")
                else:
                    found += [whole] if whole is not None else []
        return found, problems

    async def _of(self, whole: Whole) -> list[SourceShipment]:
        if not whole.head.items_shipped and not any(line.quantity_shipped for line in whole.lines):
            return []
        made = await shipments(self._rest, str(whole.head.id), "get_shipments")
        return [shipment(whole, one) for one in made]


def _place(request: OpenRequest) -> tuple[int, str]:
    """By order id, so that those of one page are near each other."""
    platform_id = request.platform_id or ""
    return int(platform_id) if platform_id.isdigit() else 0, request.reference


def ranges(ids: Sequence[int]) -> list[tuple[int, int]]:
    """As few ranges of ids, each of one page at most, as cover all of these (ascending). Pure."""
    found: list[tuple[int, int]] = []
    for one in ids:
        if found and one - found[-1][0] < MOST:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return found


def shipment(whole: Whole, read: wire.Shipment) -> SourceShipment:
    """In our words, with the references that the request gave to its lines. Pure."""
    wanted = requesting.refs(requesting.asked(whole.head.staff_notes) or (), whole.lines)
    skus = {line.id: line.sku for line in whole.lines}
    lines = tuple(
        SourceShipmentLine(
            wanted[item.order_product_id].line_ref if item.order_product_id in wanted else None,
            wanted[item.order_product_id].sku
            if item.order_product_id in wanted
            else skus.get(item.order_product_id, ""),
            item.quantity,
        )
        for item in read.items
    )
    numbers = (read.tracking_number,) if read.tracking_number else ()
    return SourceShipment(
        id=f"{whole.head.id}/{read.id}",
        reference=whole.head.external_order_id,
        platform_id=str(whole.head.id),
        status="shipped",
        lines=lines,
        carrier=carriers.name_of(read),
        tracking_numbers=tuple(dict.fromkeys(numbers + comments.further_numbers(read.comments))),
        tracking_url=read.tracking_link or read.generated_tracking_link or None,
        shipped_at=read.date_created,
        updated_at=read.date_created,
    )
