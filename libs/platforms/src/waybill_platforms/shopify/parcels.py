"""Reads an order's fulfillment orders and fulfillments live, all pages of both."""

from dataclasses import dataclass

from waybill_platforms.shopify import documents, wire
from waybill_platforms.shopify.graphql import Graph, read_as


@dataclass(frozen=True, slots=True)
class Parcels:
    """What Shopify wants to leave, and the first of what has left."""

    head: wire.Shipping
    parcels: tuple[wire.Parcel, ...]


async def read_parcels(graph: Graph, order_id: str, log_type: str) -> Parcels | None:
    """None when the shop does not have the order."""
    parcels: list[wire.Parcel] = []
    head: wire.Shipping | None = None
    after: str | None = None
    while True:
        variables = {"id": order_id, "after": after, "records": documents.RECORDS if head is None else 1}
        data, answer = await graph.ask(documents.FULFILLMENTS, variables, log_type)
        if data.get("order") is None:
            return None
        read = read_as(answer, wire.Shipping, data["order"])
        head = head or read
        parcels += [await _whole_parcel(graph, parcel, log_type) for parcel in read.fulfillmentOrders.nodes]
        after = read.fulfillmentOrders.pageInfo.endCursor
        if not read.fulfillmentOrders.pageInfo.hasNextPage:
            return Parcels(head, tuple(parcels))


async def _whole_parcel(graph: Graph, parcel: wire.Parcel, log_type: str) -> wire.Parcel:
    lines, page = parcel.lineItems.nodes, parcel.lineItems.pageInfo
    while page.hasNextPage:
        variables = {"id": parcel.id, "after": page.endCursor}
        data, answer = await graph.ask(documents.PARCEL_LINES_MORE, variables, log_type)
        more = read_as(answer, wire.ParcelLines, (data.get("fulfillmentOrder") or {}).get("lineItems"))
        lines, page = lines + more.nodes, more.pageInfo
    return parcel.model_copy(update={"lineItems": wire.ParcelLines(pageInfo=page, nodes=lines)})


async def read_records(graph: Graph, head: wire.Shipping, log_type: str) -> list[wire.Record]:
    """All fulfillments. They are a plain list without pages: when it is full, all ids are asked, then the rest."""
    records = list(head.fulfillments)
    if len(records) >= documents.RECORDS:
        data, answer = await graph.ask(documents.RECORD_IDS, {"id": head.id}, log_type)
        known = {record.id for record in records}
        listed = read_as(answer, wire.RecordIds, data.get("order")).fulfillments
        missing = [one.id for one in listed if one.id not in known]
        for i in range(0, len(missing), documents.RECORDS_BY_ID):
            ids = {"ids": missing[i : i + documents.RECORDS_BY_ID]}
            data, answer = await graph.ask(documents.RECORDS_MORE, ids, log_type)
            records += [read_as(answer, wire.Record, node) for node in data.get("nodes") or () if node]
    return [await _whole_record(graph, record, log_type) for record in records]


async def _whole_record(graph: Graph, record: wire.Record, log_type: str) -> wire.Record:
    if not truncated(record):
        return record
    lines: tuple[wire.RecordLine, ...] = ()
    after: str | None = None
    while True:
        data, answer = await graph.ask(documents.RECORD_WHOLE, {"id": record.id, "after": after}, log_type)
        read = read_as(answer, wire.Record, data.get("fulfillment"))
        page = read.fulfillmentLineItems.pageInfo
        lines, after = lines + read.fulfillmentLineItems.nodes, page.endCursor
        if not page.hasNextPage:
            return read.model_copy(update={"fulfillmentLineItems": wire.RecordLines(pageInfo=page, nodes=lines)})


def truncated(record: wire.Record) -> bool:
    """Its lines or numbers may go on beyond what was asked for."""
    return record.fulfillmentLineItems.pageInfo.hasNextPage or len(record.trackingInfo) >= documents.TRACKING
