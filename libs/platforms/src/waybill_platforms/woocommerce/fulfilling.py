"""What one shipment is in calls, in each of the three ways in which a store can be told. Pure.

Promises: exactly the draft's lines and quantities, checked by us: the store accepts 99 of 3, and another order's items.
`OpenPart.group` is the way, `OpenPart.parcel` says whether the line ships at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, OpenPart
from waybill_platforms.woocommerce import mapping, records, wire

Way = Literal["fulfillments", "tracking", "note"]
SHIPS, VIRTUAL = "ships", "virtual"


def open_parts(read: wire.Order, known: mapping.Known, way: Way) -> tuple[OpenPart, ...]:
    """Pieces that may be told now; none of an order that is on hold or gone."""
    if read.status in mapping.GONE or mapping.FULFILLMENT.get(read.status) == "on_hold":
        return ()
    return tuple(
        OpenPart(way, VIRTUAL if line.sku in known.virtual else SHIPS, str(line.id), str(line.id), left)
        for line in read.line_items
        if (left := mapping.still_open(line, known))
    )


def wanted(draft: FulfillmentDraft) -> dict[str, int]:
    pieces: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in draft.lines:
        if quantity < 1:
            raise ValueError(f"line {line_id}: quantity {quantity} must be at least 1")
        pieces[line_id] += quantity
    if not pieces:
        raise ValueError("the draft has no line: nothing may be fulfilled without saying what")
    return dict(pieces)


def calls_for(state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
    """One call. Raises NotFulfillable when fewer pieces are open than were shipped, or the order is canceled."""
    pieces = wanted(draft)
    refuse_more_than_open(state, pieces)
    way = next(part.group for part in state.parts)
    call = CreateCall(
        draft.order_id, way, tuple(pieces.items()), draft.carrier, draft.tracking_numbers, draft.tracking_url, {}
    )
    body = {
        "notify": draft.notify,
        "completes": _completes(state, pieces),
        "shipped_on": day(draft.shipped_at),
        "fulfillment": fulfillment_body(call),
    }
    return [CreateCall(call.order_id, way, call.lines, call.carrier, call.tracking_numbers, call.tracking_url, body)]


def refuse_more_than_open(state: ChannelFulfillments, pieces: Mapping[str, int]) -> None:
    for line_id, quantity in pieces.items():
        remaining = 0 if state.canceled else state.remaining.get(line_id, 0)
        if quantity > remaining:
            why = "order canceled there" if state.canceled else state.blocked.get(line_id, "")
            raise NotFulfillable(line_id, quantity, remaining, why)


def _completes(state: ChannelFulfillments, pieces: Mapping[str, int]) -> bool:
    """Nothing that ships is left after these pieces."""
    return all(part.remaining <= pieces.get(part.line_id, 0) for part in state.parts if part.parcel == SHIPS)


def fulfillment_body(call: CreateCall) -> dict[str, Any]:
    """The body of `POST /orders/{id}/fulfillments`.

    `"id": 0` in each entry, because 10.5 drops those without it; the carrier under both keys, because the code reads
    one and the documentation names the other; numbers as numbers, because a text is an invalid item.
    """
    meta: dict[str, Any] = {"_items": [{"item_id": int(line), "qty": quantity} for line, quantity in call.lines]}
    meta |= tracking_meta(call.carrier, call.tracking_numbers, call.tracking_url)
    meta[records.MARK] = records.mark(call.order_id, call.lines, call.tracking_numbers)
    return {"status": "fulfilled", "meta_data": as_meta(meta)}


def tracking_meta(carrier: str, numbers: tuple[str, ...], url: str | None) -> dict[str, Any]:
    found = {"_tracking_number": records.SEVERAL.join(numbers), "_shipment_provider": carrier}
    found |= {"_shipping_provider": carrier, "_tracking_url": url or ""}
    return {key: value for key, value in found.items() if value}


def corrected_body(
    read: wire.Fulfillment, order_id: str, carrier: str, numbers: tuple[str, ...], url: str | None
) -> dict[str, Any]:
    """The body of a PUT, which replaces all meta: what is there is sent again, above all `_items`."""
    lines = records.items(read)
    replaced = {"_tracking_number", "_shipment_provider", "_shipping_provider", "_tracking_url", records.MARK}
    meta = {one.key: one.value for one in read.meta_data if one.key not in replaced}
    meta |= tracking_meta(carrier, numbers, url)
    meta[records.MARK] = records.mark(order_id, lines, numbers)
    return {"status": "fulfilled", "meta_data": as_meta(meta)}


def as_meta(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"id": 0, "key": key, "value": value} for key, value in meta.items()]


def order_body(entries: Iterable[records.Entry], status: str | None) -> dict[str, Any]:
    """The body of the PUT that records shipments and, with the last one, sets the status: both or neither."""
    body: dict[str, Any] = {
        "meta_data": [{"key": records.SHIPMENTS, "value": [entry.told() for entry in entries]}],
    }
    return body if status is None else {"status": status, **body}


def free_key(mark: str, entries: Iterable[records.Entry]) -> str:
    """The mark; with a number behind it where the same shipment was told and withdrawn before."""
    used = sum(1 for entry in entries if entry.key.partition(".")[0] == mark)
    return f"{mark}.{used + 1}" if used else mark


def note_text(call: CreateCall, read: wire.Order) -> str:
    """What a person, or the buyer, reads where the store has no place for tracking. The reference finds it again."""
    names = {str(line.id): line.name or line.sku for line in read.line_items}
    goods = ", ".join(f"{quantity} x {names.get(line, line)}" for line, quantity in call.lines)
    by = f" by {call.carrier}" if call.carrier else ""
    numbers = f", tracking {', '.join(call.tracking_numbers)}" if call.tracking_numbers else ""
    link = f" ({call.tracking_url})" if call.tracking_url else ""
    return f"Shipped{by}{numbers}{link}: {goods}. {note_reference(call)}"


def note_reference(call: CreateCall) -> str:
    return f"Ref. {records.mark(call.order_id, call.lines, call.tracking_numbers)}"


def tracking_body(call: CreateCall, number: str, known: Iterable[str]) -> dict[str, Any]:
    """One row of the tracking plugin. A carrier that it does not know would be stored as none, so it goes as a custom
    one with our link; `status_shipped: 0` leaves the order's status to us. The day is a wish: AST takes it only where
    its date format is set, else it writes today's."""
    body: dict[str, Any] = {"tracking_number": number, "status_shipped": 0}
    if call.body.get("shipped_on"):
        body["date_shipped"] = call.body["shipped_on"]
    provider = next((name for name in known if records.slug(name) == records.slug(call.carrier)), None)
    if provider is not None:
        return {"tracking_provider": provider, **body}
    link = {"custom_tracking_link": call.tracking_url} if call.tracking_url else {}
    return {"custom_tracking_provider": call.carrier, **link, **body}


def day(moment: datetime | None) -> str:
    """`2026-11-22`, in UTC, as the plugins' documentation spells it; empty for none."""
    return moment.astimezone(UTC).date().isoformat() if moment is not None else ""
