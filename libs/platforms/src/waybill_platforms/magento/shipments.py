"""What a store shipped of the orders that we placed. I/O and mapping.

The list is shop-wide, but it is asked for our orders by their ids: the store's own orders are none of our business, and
a tracking number that was added later does not move the shipment's time, so open ones have to be read again anyway.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from waybill_platforms.errors import explain
from waybill_platforms.magento import mapping, wire
from waybill_platforms.magento.rest import Rest, read_as
from waybill_platforms.magento.search import criteria, more_pages
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage, SourceShipment, SourceShipmentLine

TOGETHER = 100
"""Orders asked for in one call; the address stays short enough for any server."""
PAGE = 300


class MagentoShipments:
    """The `ShipmentReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """All shipments of `open_requests`, whatever `since` is."""
        references = {one.platform_id: one.reference for one in open_requests if one.platform_id}
        ids = sorted(references, key=int)
        block, number = map(int, page.split("|")) if page else (0, 1)
        wanted = ids[block * TOGETHER : (block + 1) * TOGETHER]
        if not wanted:
            return ShipmentPage((), None)
        query = criteria([("order_id", "in", ",".join(wanted))], sort=[("entity_id", "ASC")], size=PAGE, page=number)
        answer = await self._rest.get("/shipments", "get_shipments", query)
        found = read_as(answer, wire.Found)
        shipments, problems = [], []
        for raw in found.items or ():
            try:
                shipments.append(shipment(wire.Shipment.model_validate(raw), references))
            except ValidationError as error:
                problems.append(f"shipment {raw.get('increment_id') or raw.get('entity_id')}: {explain(error)}")
        follows = None
        if more_pages(number, PAGE, found.total_count, len(found.items or ())):
            follows = f"{block}|{number + 1}"
        elif (block + 1) * TOGETHER < len(ids):
            follows = f"{block + 1}|1"
        return ShipmentPage(tuple(shipments), follows, tuple(problems))


def shipment(read: wire.Shipment, references: dict[str, str]) -> SourceShipment:
    """Its time is that of the last change of it, of its tracks or of its comments. It can never be canceled."""
    order_id = str(read.order_id)
    tracks, comments = read.tracks or (), read.comments or ()
    times = [read.updated_at, *(t.updated_at or t.created_at for t in tracks), *(c.created_at for c in comments)]
    links = mapping.links(read)
    return SourceShipment(
        id=str(read.entity_id),
        reference=references.get(order_id, ""),
        platform_id=order_id,
        status="shipped",
        lines=tuple(SourceShipmentLine(None, row.sku or "", int(row.qty)) for row in read.items if row.qty > 0),
        carrier=mapping.carrier(read),
        tracking_numbers=mapping.numbers(read),
        tracking_url=links[0] if links else None,
        shipped_at=mapping.moment(read.created_at),
        updated_at=max(mapping.moment(text) for text in (read.created_at, *times) if text),
    )
