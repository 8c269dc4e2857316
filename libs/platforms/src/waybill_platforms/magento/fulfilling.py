"""A shipment as the body of `POST /order/{id}/ship`. Pure.

Promises: exactly the draft's lines and quantities, always written out at the top level: without `items`, with none of
them, or wrapped in `entity`, Magento ships the whole order and says nothing.
"""

from collections import defaultdict

from waybill_platforms.errors import NotFulfillable
from waybill_platforms.magento.mapping import TRACKING
from waybill_platforms.model.catalogue import Carrier
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft

CUSTOM = "custom"
CARRIERS = (
    Carrier("dhl", "DHL", links=True),
    Carrier("fedex", "Federal Express", links=True),
    Carrier("ups", "United Parcel Service", links=True),
    Carrier("usps", "United States Postal Service", links=True),
    Carrier(CUSTOM, "any other name"),
)
"""What every Magento has; the name that is sent becomes the track's title as it is."""
CODES = {
    **{one.code: one.code for one in CARRIERS if one.code != CUSTOM},
    **{one.name.lower(): one.code for one in CARRIERS if one.code != CUSTOM},
}


def calls_for(state: ChannelFulfillments, draft: FulfillmentDraft, source_code: str = "") -> list[CreateCall]:
    """One call: Magento has no locations that a shipment may not cross. Raises NotFulfillable."""
    wanted: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in draft.lines:
        if quantity < 1:
            raise ValueError(f"line {line_id}: quantity {quantity} must be at least 1")
        wanted[line_id] += quantity
    if not wanted:
        raise ValueError("the draft has no line: nothing may be fulfilled without saying what")
    for line_id, quantity in wanted.items():
        remaining = 0 if state.canceled else state.remaining.get(line_id, 0)
        if quantity > remaining:
            why = "order canceled there" if state.canceled else state.blocked.get(line_id, "")
            raise NotFulfillable(line_id, quantity, remaining, why)
    body = ship_body(dict(wanted), draft, source_code)
    lines = tuple(wanted.items())
    return [
        CreateCall(draft.order_id, "", lines, draft.carrier, draft.tracking_numbers, draft.tracking_url, body)
    ]  # fmt: skip


def ship_body(wanted: dict[str, int], draft: FulfillmentDraft, source_code: str) -> dict[str, object]:
    """The link goes into a comment that the buyer sees, and into the mail when there is one."""
    body: dict[str, object] = {
        "items": [{"order_item_id": int(line_id), "qty": quantity} for line_id, quantity in wanted.items()],
        "notify": draft.notify,
        "appendComment": bool(draft.notify and draft.tracking_url),
        "tracks": tracks(draft.carrier, draft.tracking_numbers),
    }
    if draft.tracking_url:
        body["comment"] = {"comment": f"{TRACKING}{draft.tracking_url}", "is_visible_on_front": 1}
    if source_code:
        body["arguments"] = {"extension_attributes": {"source_code": source_code}}
    return body


def tracks(carrier: str, numbers: tuple[str, ...]) -> list[dict[str, str]]:
    """All three fields are required of each."""
    return [{"track_number": one, "title": carrier or CUSTOM, "carrier_code": code(carrier)} for one in numbers]


def code(carrier: str) -> str:
    """A core carrier's code where its code or name is meant; any other name is `custom`."""
    return CODES.get(carrier.strip().lower(), CUSTOM)
