"""A request in the words of `orderCreate`, and an order of ours read back as a request. Pure."""

import re
from collections.abc import Mapping

from waybill_contracts.values import Address
from waybill_platforms.model.requests import SourceRequest, Submitted
from waybill_platforms.shopify import source_wire as wire

LINE_PROPERTY = "_waybill_line"
"""Our line ref, kept on the line; a name that begins with an underscore is not shown to buyers."""
SOURCE_NAME = "waybill"
OPTIONS = {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY", "sendReceipt": False, "sendFulfillmentReceipt": False}
"""Shopify's default, BYPASS, would leave the shelves untouched; receipts would reach the channel's buyer."""
_PROVINCE = re.compile(r"^([A-Z]{2}-)?[A-Z0-9]{1,3}$")


def order_input(request: SourceRequest, variants: Mapping[str, str], currency: str) -> dict[str, object]:
    """OrderCreateOrderInput. `requiresShipping` is written out, because left out it is false: nothing would be shipped.

    Without an e-mail address, so that the shop tells nothing to the channel's buyer.
    """
    order: dict[str, object] = {
        "lineItems": [
            {
                "variantId": variants[line.sku],
                "quantity": line.quantity,
                "requiresShipping": True,
                "properties": [{"name": LINE_PROPERTY, "value": line.line_ref}],
            }
            for line in request.lines
        ],
        "shippingAddress": _address(request.ship_to),
        "financialStatus": "PAID",
        "sourceIdentifier": request.reference,
        "sourceName": SOURCE_NAME,
        "poNumber": request.order_number,
        "tags": [SOURCE_NAME],
        "note": _note(request),
    }
    if request.shipping_method:
        price = {"shopMoney": {"amount": "0.00", "currencyCode": currency}}
        order["shippingLines"] = [{"title": request.shipping_method, "priceSet": price}]
    return order


def _address(address: Address) -> dict[str, str]:
    """Only what is there: an empty text would be refused where a code is wanted."""
    first, _, last = address.name.strip().rpartition(" ")
    fields = {
        "firstName": first,
        "lastName": last,
        "company": address.company,
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        "provinceCode": address.region if _PROVINCE.match(address.region) else "",
        "zip": address.postal_code,
        "countryCode": address.country,
        "phone": address.phone,
    }
    return {name: value for name, value in fields.items() if value}


def _note(request: SourceRequest) -> str:
    region = request.ship_to.region
    beside = f"; region: {region}" if region and not _PROVINCE.match(region) else ""
    return f"Request {request.reference} for order {request.order_number}{beside}"


def submitted(read: wire.Request) -> Submitted:
    """Lines with our refs; pieces that were removed or refunded since will not be shipped."""
    lines = [(_line_ref(line.customAttributes), line) for line in read.lineItems.nodes]
    gone = ((line_ref, line.quantity - line.currentQuantity) for line_ref, line in lines)
    return Submitted(
        platform_id=read.id,
        reference=read.sourceIdentifier or "",
        acknowledged=read.cancelledAt is None,
        lines=tuple((line_ref, (line.sku or "").strip(), line.quantity) for line_ref, line in lines),
        canceled=read.cancelledAt is not None,
        canceled_lines=tuple((line_ref, pieces) for line_ref, pieces in gone if pieces > 0 and line_ref),
    )


def _line_ref(attributes: tuple[wire.Attribute, ...]) -> str:
    return next((one.value or "" for one in attributes if one.key == LINE_PROPERTY), "")


def line_ref(line: wire.ShippedLine) -> str | None:
    return _line_ref(line.lineItem.customAttributes) or None


def search_references(references: list[str]) -> str:
    """Orders of these references; the search may find similar ones as well, so what comes is compared."""
    escaped = (reference.replace("\\", "\\\\").replace("'", "\\'") for reference in references)
    return " OR ".join(f"source_identifier:'{reference}'" for reference in escaped)
