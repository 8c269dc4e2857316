"""What an order at a store says about its shipments, in our words. Pure.

A fulfillment names its lines. Tracking by a plugin and the status `completed` name the order alone: they make one
shipment of all that no fulfillment has, when the order is completed, and nothing before (which pieces is not said).
"""

from collections.abc import Iterable, Mapping

from waybill_platforms.model.shipments import SourceShipment, SourceShipmentLine
from waybill_platforms.woocommerce import automatic, mapping, records, wire
from waybill_platforms.woocommerce.requesting import line_ref


def whole(read: wire.Order) -> bool:
    """The order as a whole was said to have left, now or once."""
    return mapping.FULFILLMENT.get(read.status) == "fulfilled" or read.date_completed_gmt is not None


def shipments(
    read: wire.Order, made: Iterable[wire.Fulfillment], refunded: Mapping[int, int], links: Mapping[str, str]
) -> list[SourceShipment]:
    """Ours are left out: a fulfillment that we wrote is no word of the store's (IN-7). `links`: the tracking plugin's
    carriers and the templates of their links."""
    offset = mapping.clock_offset(read)
    standing = [one for one in made if automatic.left(read, one, offset)]
    found = [_by_fulfillment(read, one) for one in standing if not one.meta(records.MARK)]
    sent = records.shipped(records.items(one) for one in standing)
    if whole(read) and not records.entries(read):
        rest = _by_order(read, sent, refunded, links)
        found += [rest] if rest else []
    return found


def before_leaving(read: wire.Order, refunds: Iterable[wire.Refund]) -> list[wire.Refund]:
    """Refunds after the order was completed are of goods that came back; they did leave."""
    left = read.date_completed_gmt
    return [one for one in refunds if left is None or one.date_created_gmt is None or one.date_created_gmt <= left]


def _by_fulfillment(read: wire.Order, made: wire.Fulfillment) -> SourceShipment:
    offset = mapping.clock_offset(read)
    record = records.record(read.id, made, offset)
    lines = {str(line.id): line for line in read.line_items}
    unknown = [line_id for line_id, _ in record.lines if line_id not in lines]
    if unknown:
        raise ValueError(f"fulfillment {made.id} names items {unknown} that the order does not have")
    return SourceShipment(
        id=record.id,
        reference=reference(read),
        platform_id=str(read.id),
        status="shipped",
        lines=tuple(_line(lines[line_id], quantity) for line_id, quantity in record.lines if quantity > 0),
        carrier=record.carrier,
        tracking_numbers=record.tracking_numbers,
        tracking_url=next(iter(record.tracking_urls), None),
        shipped_at=record.created_at,
        updated_at=max(records.moment(made.date_updated, offset), record.created_at),
    )


def _by_order(
    read: wire.Order, sent: Mapping[int, int], refunded: Mapping[int, int], links: Mapping[str, str]
) -> SourceShipment | None:
    """What no fulfillment has and nobody refunded before it left."""
    completed = mapping.FULFILLMENT.get(read.status) == "fulfilled"
    known = mapping.Known(refunded, sent)
    rest = [(line, mapping.still_open(line, known)) for line in read.line_items]
    lines = tuple(_line(line, quantity) for line, quantity in rest if quantity)
    if not lines:
        return None
    items = records.tracking_items(read)
    moved = read.date_modified_gmt or mapping.BEGINNING
    return SourceShipment(
        id=f"{read.id}/o",
        reference=reference(read),
        platform_id=str(read.id),
        status="shipped" if completed else "canceled",  # it was completed once, and somebody took that back
        lines=lines,
        carrier=next((one.custom_tracking_provider or one.tracking_provider for one in items), ""),
        tracking_numbers=tuple(dict.fromkeys(one.tracking_number for one in items if one.tracking_number)),
        tracking_url=next(filter(None, (records.link(one, links) for one in items)), None),
        shipped_at=read.date_completed_gmt or moved,
        updated_at=moved,
    )


def _line(line: wire.Line, quantity: int) -> SourceShipmentLine:
    return SourceShipmentLine(line_ref(line) or None, line.sku, quantity)


def reference(read: wire.Order) -> str:
    return mapping.wire_text(read.meta(mapping.REFERENCE)) or ""
