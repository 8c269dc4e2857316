"""How a shipment is spread over the order's open fulfillment orders. Pure.

Promises: exactly the draft's lines and quantities, always written out (a fulfillment order without lines would be
fulfilled whole); one call for each location, because Shopify takes no more; as few locations as a greedy choice finds.
"""

from collections import defaultdict
from collections.abc import Iterable

from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, OpenPart

MOST_LINES = 250
"""Entries of one array in Shopify's input."""


def calls_for(state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
    """Raises NotFulfillable when the channel has fewer open pieces than were shipped, or the order is canceled."""
    wanted = _wanted(draft)
    for line_id, quantity in wanted.items():
        remaining = 0 if state.canceled else state.remaining.get(line_id, 0)
        if quantity > remaining:
            why = "order canceled there" if state.canceled else state.blocked.get(line_id, "")
            raise NotFulfillable(line_id, quantity, remaining, why)
    calls: list[CreateCall] = []
    for group in _groups_by_use(state.parts, wanted):
        taken = _take([part for part in state.parts if part.group == group], wanted)
        calls += [_call(draft, group, taken[i : i + MOST_LINES]) for i in range(0, len(taken), MOST_LINES)]
    return calls


def _wanted(draft: FulfillmentDraft) -> dict[str, int]:
    wanted: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in draft.lines:
        if quantity < 1:
            raise ValueError(f"line {line_id}: quantity {quantity} must be at least 1")
        wanted[line_id] += quantity
    if not wanted:
        raise ValueError("the draft has no line: nothing may be fulfilled without saying what")
    return dict(wanted)


def _groups_by_use(parts: Iterable[OpenPart], wanted: dict[str, int]) -> list[str]:
    """Locations, those first that can give the most of what is wanted; then by name, so that a retry chooses alike."""
    offers: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part in parts:
        offers[part.group][part.line_id] += part.remaining
    use = {group: sum(min(lines.get(k, 0), n) for k, n in wanted.items()) for group, lines in offers.items()}
    return sorted(use, key=lambda group: (-use[group], group))


def _take(parts: list[OpenPart], wanted: dict[str, int]) -> list[tuple[OpenPart, int]]:
    """Takes what this location has, and lowers `wanted` by it."""
    taken = []
    for part in parts:
        quantity = min(part.remaining, wanted.get(part.line_id, 0))
        if quantity:
            wanted[part.line_id] -= quantity
            taken.append((part, quantity))
    return taken


def _call(draft: FulfillmentDraft, group: str, taken: list[tuple[OpenPart, int]]) -> CreateCall:
    lines: defaultdict[str, int] = defaultdict(int)
    parcels: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for part, quantity in taken:
        lines[part.line_id] += quantity
        parcels[part.parcel].append({"id": part.id, "quantity": quantity})
    body: dict[str, object] = {
        "notifyCustomer": draft.notify,
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": parcel, "fulfillmentOrderLineItems": items} for parcel, items in parcels.items()
        ],
    }
    tracking = tracking_input(draft.carrier, draft.tracking_numbers, draft.tracking_url)
    if tracking:
        body["trackingInfo"] = tracking
    return CreateCall(
        draft.order_id, group, tuple(lines.items()), draft.carrier, draft.tracking_numbers, draft.tracking_url, body
    )


def tracking_input(carrier: str, numbers: tuple[str, ...], url: str | None) -> dict[str, object]:
    """FulfillmentTrackingInfo as Shopify takes it: links match numbers by position, so each number gets the link.

    Without our link Shopify makes its own for the carriers that it knows by exact name.
    """
    tracking: dict[str, object] = {}
    if carrier:
        tracking["company"] = carrier
    if numbers:
        tracking["numbers"] = list(numbers)
    if url:
        tracking["urls"] = [url] * max(len(numbers), 1)
    return tracking
