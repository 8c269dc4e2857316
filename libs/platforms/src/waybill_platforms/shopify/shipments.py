"""Reads what a shop shipped of our requests. I/O only.

Promises: read live and by id, so nothing that the search index hides is missed; one call asks of 200 requests whether
anything was shipped at all, and only those that shipped are read whole. Cannot promise anything of requests that are
not named: Shopify has no list of changed fulfillments.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError

from waybill_platforms.errors import PlatformError, alone, explain
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage, ShipmentStatus, SourceShipment, SourceShipmentLine
from waybill_platforms.shopify import requesting
from waybill_platforms.shopify import source_documents as documents
from waybill_platforms.shopify import source_wire as wire
from waybill_platforms.shopify.graphql import Graph, read_as

STATUS: dict[str, ShipmentStatus] = {
    "SUCCESS": "shipped",
    "CANCELLED": "canceled",
    "ERROR": "canceled",  # it never left
    "FAILURE": "canceled",
}
MOST_RECORDS = 50
"""Fulfillments of one order beyond the usual few; more than these are said to be unread."""
_Thing = TypeVar("_Thing")


class ShopifyShipments:
    """The `ShipmentReader` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._at_once = documents.SHIPPED

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """All shipments of these requests, whenever they were made; a page is 200 requests."""
        start = int(page or 0)
        chosen = open_requests[start : start + documents.COUNTED]
        ids = [one.platform_id for one in chosen if one.platform_id]
        ids += await self._places([one.reference for one in chosen if not one.platform_id])
        shipped = await self._with_shipments(ids) if ids else []
        shipments: list[SourceShipment] = []
        problems: list[str] = []
        for batch in _batches(shipped, self._at_once):
            for order in await self._orders(batch, problems):
                await self._read(order, shipments, problems)
        more = start + len(chosen) < len(open_requests)
        return ShipmentPage(tuple(shipments), str(start + len(chosen)) if more else None, tuple(problems))

    async def _places(self, references: list[str]) -> list[str]:
        """Ids of requests of which we do not know whether they arrived."""
        found: list[str] = []
        for batch in _batches(references, documents.FOUND):
            variables = {"query": requesting.search_references(batch)}
            data, answer = await self._graph.ask(documents.PLACES, variables, "get_shipments")
            places = read_as(answer, wire.Places, data.get("orders")).nodes
            found += [one.id for one in places if one.sourceIdentifier in batch]
        return found

    async def _with_shipments(self, ids: list[str]) -> list[str]:
        data, answer = await self._graph.ask(documents.COUNTS, {"ids": ids}, "get_shipments")
        nodes = [read_as(answer, wire.Counted, node) for node in data.get("nodes") or () if node]
        return [one.id for one in nodes if one.fulfillmentsCount is None or one.fulfillmentsCount.count]

    async def _orders(
        self, ids: list[str], problems: list[str], records: int = documents.RECORDS
    ) -> list[wire.ShippedOrder]:
        try:
            variables = {"ids": ids, "records": records}
            data, answer = await self._graph.ask(documents.SHIPMENTS, variables, "get_shipments")
        except PlatformError as error:
            if error.code != "MAX_COST_EXCEEDED" or len(ids) == 1:
                raise
            self._at_once = max(len(ids) // 2, 1)  # this shop counts dearer than the rule that we know
            return [
                order
                for batch in _batches(ids, self._at_once)
                for order in await self._orders(batch, problems, records)
            ]
        orders = []
        for node in data.get("nodes") or ():
            try:
                orders += [read_as(answer, wire.ShippedOrder, node)] if node else []
            except PlatformError as error:
                problems.append(f"order {node.get('id') if isinstance(node, dict) else node!r}: {alone(error)}")
        whole = [order for order in orders if len(order.fulfillments) < records or records == MOST_RECORDS]
        for order in orders:
            if len(order.fulfillments) >= records and records < MOST_RECORDS:
                whole += await self._orders([order.id], problems, MOST_RECORDS)
        return whole

    async def _read(self, order: wire.ShippedOrder, shipments: list[SourceShipment], problems: list[str]) -> None:
        if len(order.fulfillments) >= MOST_RECORDS:
            problems.append(f"order {order.id}: more than {MOST_RECORDS} fulfillments; the rest was not read")
        for raw in order.fulfillments:
            try:
                read = wire.Shipment.model_validate(raw)
            except ValidationError as error:
                problems.append(f"fulfillment {raw.get('id')}: {explain(error)}")
                continue
            try:
                shipments.append(shipment(order, await self._whole(read)))
            except PlatformError as error:
                problems.append(f"fulfillment {read.id}: {alone(error)}")

    async def _whole(self, read: wire.Shipment) -> wire.Shipment:
        lines, page = read.fulfillmentLineItems.nodes, read.fulfillmentLineItems.pageInfo
        while page.hasNextPage:
            variables = {"id": read.id, "after": page.endCursor}
            data, answer = await self._graph.ask(documents.SHIPMENT_LINES, variables, "get_shipments")
            more = read_as(answer, wire.ShippedLines, (data.get("fulfillment") or {}).get("fulfillmentLineItems"))
            lines, page = lines + more.nodes, more.pageInfo
        return read.model_copy(update={"fulfillmentLineItems": wire.ShippedLines(pageInfo=page, nodes=lines)})


def shipment(order: wire.ShippedOrder, read: wire.Shipment) -> SourceShipment:
    """A fulfillment in our words. Pieces of one line are summed: it may stand in several fulfillment orders."""
    pieces: dict[str, SourceShipmentLine] = {}
    for line in read.fulfillmentLineItems.nodes:
        before = pieces[line.lineItem.id].quantity if line.lineItem.id in pieces else 0
        quantity = before + (line.quantity or 0)
        pieces[line.lineItem.id] = SourceShipmentLine(requesting.line_ref(line), line.lineItem.sku or "", quantity)
    tracking = read.trackingInfo
    return SourceShipment(
        id=read.id,
        reference=order.sourceIdentifier or "",
        platform_id=order.id,
        status=STATUS.get(read.status, "unknown"),
        lines=tuple(pieces.values()),
        carrier=next((info.company for info in tracking if info.company), ""),
        tracking_numbers=tuple(info.number for info in tracking if info.number),
        tracking_url=next((info.url for info in tracking if info.url), None),
        shipped_at=read.createdAt.astimezone(UTC),
        updated_at=read.updatedAt.astimezone(UTC),
    )


def _batches(things: list[_Thing], size: int) -> Iterator[list[_Thing]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
