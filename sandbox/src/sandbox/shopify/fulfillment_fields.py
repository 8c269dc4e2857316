"""How the fields of fulfillment orders and fulfillments are read; what is not named here is an attribute."""

from typing import Any
from urllib.parse import quote

from sandbox.shopify.gids import gid
from sandbox.shopify.model import FulfillmentOrder
from sandbox.shopify.order_fields import LINE
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.settings import LOCATIONS
from sandbox.shopify.times import iso
from sandbox.shopify.values import Context, Part, always, connection_of, of

KNOWN_CARRIERS = {
    "UPS": "https://www.ups.com/WebTracking?trackNums={}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "DHL Express": "https://www.dhl.com/track?AWB={}",
    "Royal Mail": "https://www.royalmail.com/track?trackNumber={}",
    "DPD": "https://www.dpd.com/tracking?parcel={}",
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/details/{}",
}


def _tracking(part: Part, arguments: Arguments, context: Context) -> Any:
    made = part.it
    if not made.numbers and not made.company and not made.urls:
        return []
    rows = max(len(made.numbers), 1)
    shown = [_tracking_row(made, row, context) for row in range(rows)]
    return shown[: arguments.get("first") or 250]


def _tracking_row(made: Any, row: int, context: Context) -> dict[str, Any]:
    number = made.numbers[row] if row < len(made.numbers) else None
    url = made.urls[row] if row < len(made.urls) else None
    pattern = KNOWN_CARRIERS.get(made.company or "")
    if url is None and pattern and number:
        url = pattern.format(quote(number))
    elif url and pattern is None and context.shop.settings.rewrites_unknown_carriers:
        url = f"https://{context.shop.name}.example/tools/track?number={quote(number or '')}"
    return {"company": made.company, "number": number, "url": url}


def _supported(part: Part, arguments: Arguments, context: Context) -> Any:
    names = {"OPEN": ["CREATE_FULFILLMENT", "HOLD", "MOVE", "SPLIT"], "IN_PROGRESS": ["CREATE_FULFILLMENT"]}
    names["ON_HOLD"] = ["RELEASE_HOLD"]
    return [{"action": name, "external_url": None} for name in names.get(part.it.status, [])]


def _assigned(part: Part, arguments: Arguments, context: Context) -> Any:
    place = location(part.it.location_id)
    return {"location": place, "name": place["name"], "country_code": "US", "address1": None, "city": None, "zip": None}


def location(number: int) -> dict[str, Any]:
    name = dict(LOCATIONS).get(number, f"Location {number}")
    address = {"address1": "1 Dock Road", "city": "Springfield", "country_code": "US", "zip": "62701"}
    facts = {"id": gid("Location", number), "legacy_resource_id": str(number), "name": name, "address": address}
    return {**facts, "is_active": True, "fulfills_online_orders": True, "ships_inventory": True}


def _holds(part: Part, arguments: Arguments, context: Context) -> Any:
    made: FulfillmentOrder = part.it
    base = {"reason_notes": None, "held_by_requesting_app": False}
    return [
        {**base, "id": gid("FulfillmentHold", made.id * 10 + n), "reason": reason, "display_reason": reason.title()}
        for n, reason in enumerate(made.holds)
    ]


FULFILLMENT_ORDER: dict[str, Resolve] = {
    "id": of(lambda fo: gid("FulfillmentOrder", fo.id)),
    "requestStatus": of(lambda fo: "CLOSED" if fo.status == "CLOSED" else "UNSUBMITTED"),
    "createdAt": of(lambda fo: iso(fo.created_at)),
    "updatedAt": of(lambda fo: iso(fo.updated_at)),
    "fulfillAt": of(lambda fo: iso(fo.created_at)),
    "order": lambda p, a, c: p.order,
    "orderId": lambda p, a, c: gid("Order", p.order.id),
    "orderName": lambda p, a, c: p.order.name,
    "orderProcessedAt": lambda p, a, c: iso(p.order.created_at),
    "assignedLocation": _assigned,
    "destination": lambda p, a, c: p if p.order.shipping_address else None,
    "fulfillmentHolds": _holds,
    "supportedActions": _supported,
    "lineItems": lambda p, a, c: connection_of(p, p.it.lines, a),
    "fulfillments": lambda p, a, c: connection_of(
        p, [m for m in p.order.fulfillments if any(li.fulfillment_order_id == p.it.id for li in m.lines)], a
    ),
}

DESTINATION: dict[str, Resolve] = {
    "id": of(lambda fo: gid("FulfillmentOrderDestination", fo.id)),
    "countryCode": lambda p, a, c: p.order.shipping_address.country_code_v2,
    "province": lambda p, a, c: p.order.shipping_address.province_code,
    "email": lambda p, a, c: p.order.email,
}

FULFILLMENT_ORDER_LINE: dict[str, Resolve] = {
    "id": of(lambda part: gid("FulfillmentOrderLineItem", part.id)),
    "lineItem": lambda p, a, c: Part(p.order, p.order.line(p.it.line_id)),
    "sku": lambda p, a, c: p.order.line(p.it.line_id).sku,
    "productTitle": lambda p, a, c: p.order.line(p.it.line_id).title,
    "variantTitle": always(None),
    "variant": lambda p, a, c: LINE["variant"](Part(p.order, p.order.line(p.it.line_id)), a, c),
    "requiresShipping": lambda p, a, c: p.order.line(p.it.line_id).requires_shipping,
}

FULFILLMENT: dict[str, Resolve] = {
    "id": of(lambda made: gid("Fulfillment", made.id)),
    "legacyResourceId": of(lambda made: str(made.id)),
    "displayStatus": of(lambda made: "CANCELED" if made.status == "CANCELLED" else "FULFILLED"),
    "createdAt": of(lambda made: iso(made.created_at)),
    "updatedAt": of(lambda made: iso(made.updated_at)),
    "deliveredAt": always(None),
    "inTransitAt": always(None),
    "estimatedDeliveryAt": always(None),
    "totalQuantity": of(lambda made: sum(part.quantity for part in made.lines)),
    "requiresShipping": always(True),
    "location": of(lambda made: location(made.location_id)),
    "order": lambda p, a, c: p.order,
    "trackingInfo": _tracking,
    "fulfillmentLineItems": lambda p, a, c: connection_of(p, p.it.lines, a),
    "fulfillmentOrders": lambda p, a, c: connection_of(
        p,
        [fo for fo in p.order.fulfillment_orders if fo.id in {li.fulfillment_order_id for li in p.it.lines}],
        a,
    ),
}

FULFILLMENT_LINE: dict[str, Resolve] = {
    "id": of(lambda part: gid("FulfillmentLineItem", part.id)),
    "lineItem": lambda p, a, c: Part(p.order, p.order.line(p.it.line_id)),
}
