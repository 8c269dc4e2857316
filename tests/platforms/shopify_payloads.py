"""Payloads of Shopify's real shape, written by hand: an order, fulfillment orders, fulfillments, answers."""

from typing import Any

THROTTLE = {"maximumAvailable": 2000.0, "currentlyAvailable": 1900, "restoreRate": 100.0}
COST = {"requestedQueryCost": 100, "actualQueryCost": 30, "throttleStatus": THROTTLE}


def answer(data: Any = None, **more: Any) -> dict[str, Any]:
    return {"data": data, "extensions": {"cost": COST}, **more}


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount}}


def line(number: int = 9, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "sku": "LAMP-1",
        "title": "Lamp",
        "quantity": 3,
        "currentQuantity": 3,
        "unfulfilledQuantity": 3,
        "requiresShipping": True,
        "originalUnitPriceSet": money("19.90"),
        **changes,
    }


def connection(*nodes: Any, cursor: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}, "nodes": list(nodes)}


def order(number: int = 1001, lines: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "updatedAt": "2026-11-22T09:30:00Z",
        "processedAt": "2026-11-22T09:00:00Z",
        "cancelledAt": None,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "currencyCode": "EUR",
        "currentTotalPriceSet": money("59.70"),
        "email": "zoe@example.com",
        "phone": None,
        "note": "bitte klingeln",
        "tags": ["b2b"],
        "sourceIdentifier": None,
        "risk": {"recommendation": "ACCEPT"},
        "shippingAddress": {
            "name": "Zoë Müller",
            "company": None,
            "address1": "Hauptstraße 5",
            "address2": None,
            "city": "Köln",
            "province": "Nordrhein-Westfalen",
            "provinceCode": None,
            "countryCodeV2": "DE",
            "zip": "50667",
            "phone": "+49 221 5550100",
        },
        "shippingLine": {"title": "Standard", "code": "std"},
        "lineItems": lines or connection(line()),
        **changes,
    }


def parcel(number: int, *lines: tuple[int, int], status: str = "OPEN", location: int = 1, **changes: Any) -> Any:
    """A fulfillment order with (line number, remaining quantity)."""
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": status,
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}, {"action": "HOLD"}],
        "assignedLocation": {"name": "East", "location": {"id": f"gid://shopify/Location/{location}"}},
        "lineItems": connection(
            *(
                {
                    "id": f"gid://shopify/FulfillmentOrderLineItem/{number}{line_number}",
                    "remainingQuantity": remaining,
                    "lineItem": {"id": f"gid://shopify/LineItem/{line_number}"},
                }
                for line_number, remaining in lines
            )
        ),
        **changes,
    }


def record(number: int, *lines: tuple[int, int], status: str = "SUCCESS", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "status": status,
        "createdAt": "2026-11-22T10:00:00Z",
        "trackingInfo": [{"company": "UPS", "number": f"1Z{number}", "url": f"https://ups.example/1Z{number}"}],
        "fulfillmentLineItems": connection(
            *({"quantity": quantity, "lineItem": {"id": f"gid://shopify/LineItem/{n}"}} for n, quantity in lines)
        ),
        **changes,
    }


def shipping(parcels: Any, records: Any = (), **changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Order/1001",
        "cancelledAt": None,
        "displayFulfillmentStatus": "UNFULFILLED",
        "fulfillmentOrders": parcels if isinstance(parcels, dict) else connection(*parcels),
        "fulfillments": list(records),
        **changes,
    }
