"""How a shipment of ours becomes shipments of BigCommerce. Pure.

Promises: exactly the draft's lines and quantities, always written out; one call for each address, because a shipment
of BigCommerce has one.
"""

from collections import defaultdict

from waybill_platforms.bigcommerce import carriers, comments
from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft

LONGEST_NUMBER = 50
LONGEST_LINK = 500


def calls_for(state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
    """Raises NotFulfillable when the store has fewer open pieces than were shipped, or the order is canceled."""
    wanted = _wanted(draft)
    for line_id, quantity in wanted.items():
        remaining = 0 if state.canceled else state.remaining.get(line_id, 0)
        if quantity > remaining:
            why = "order canceled there" if state.canceled else state.blocked.get(line_id, "")
            raise NotFulfillable(line_id, quantity, remaining, why)
    by_address: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for part in state.parts:
        if part.line_id in wanted:
            by_address[part.group].append((part.line_id, wanted[part.line_id]))
    return [_call(draft, address, tuple(lines)) for address, lines in sorted(by_address.items())]


def _wanted(draft: FulfillmentDraft) -> dict[str, int]:
    wanted: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in draft.lines:
        if quantity < 1:
            raise ValueError(f"line {line_id}: quantity {quantity} must be at least 1")
        wanted[line_id] += quantity
    if not wanted:
        raise ValueError("the draft has no line: nothing may be fulfilled without saying what")
    return dict(wanted)


def _call(draft: FulfillmentDraft, address: str, lines: tuple[tuple[str, int], ...]) -> CreateCall:
    body: dict[str, object] = {
        "order_address_id": int(address),
        **tracking_fields(draft.carrier, draft.tracking_numbers, draft.tracking_url, draft.service),
        "items": [{"order_product_id": int(line_id), "quantity": quantity} for line_id, quantity in lines],
    }
    return CreateCall(draft.order_id, address, lines, draft.carrier, draft.tracking_numbers, draft.tracking_url, body)


def tracking_fields(carrier: str, numbers: tuple[str, ...], url: str | None, service: str = "") -> dict[str, object]:
    """All that says how a parcel travels, each field written, so that an update leaves nothing old behind."""
    return {
        "tracking_number": numbers[0] if numbers else "",
        "tracking_link": url or "",
        "comments": comments.with_further_numbers(numbers),
        **carriers.fields(carrier, service),
    }


def too_long(numbers: tuple[str, ...], url: str | None) -> str | None:
    """What BigCommerce would cut or refuse, in a sentence; None when everything fits."""
    for number in numbers[:1]:
        if len(number) > LONGEST_NUMBER:
            return f"tracking number {number!r} has {len(number)} characters, BigCommerce takes {LONGEST_NUMBER}"
    if url and len(url) > LONGEST_LINK:
        return f"the tracking URL has {len(url)} characters, BigCommerce takes {LONGEST_LINK}"
    return None
