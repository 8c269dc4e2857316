"""Making, changing and deleting shipments, as V2 checks them.

What is not documented is taken at its worst: only a shipment that changes the order's status moves its `date_modified`,
so a second part shipment does not; deleting one moves neither.
"""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.bigcommerce.model import PARTIALLY_SHIPPED, SHIPPED, Order, Shipment
from sandbox.bigcommerce.told import PROVIDERS
from sandbox.bigcommerce.words import Refused, invalid, missing

SLUGS = frozenset(
    {"dhl", "dhl-germany", "dpd", "dpd-uk", "gls", "ontrac", "postnl", "purolator", "tnt", "yodel", "ups", "usps",
     "fedex", "royal-mail", "canada-post", "australia-post"}
)  # fmt: skip
"""The AfterShip couriers that this store knows."""
TEXTS: Mapping[str, int] = {
    "tracking_number": 50,
    "tracking_link": 500,
    "tracking_carrier": 255,
    "shipping_provider": 255,
    "shipping_method": 255,
    "comments": 65_535,
}
_APP = re.compile(r"^carrier_\d+$")


def create(order: Order, given: Mapping[str, Any], new_id: int, now: int) -> Shipment:
    """The shipment; the order's status follows."""
    for name in ("order_address_id", "items"):
        if not given.get(name):
            raise missing(name)
    address_id = given["order_address_id"]
    if address_id not in {address.id for address in order.addresses}:
        raise invalid("order_address_id", "it is no address of this order")
    made = Shipment(new_id, address_id, now, _items(order, address_id, given["items"]))
    update(made, given)
    order.shipments.append(made)
    status = SHIPPED if not any(order.open(line) for line in order.lines) else PARTIALLY_SHIPPED
    if order.status_id != status:
        order.status_id, order.date_modified = status, now
    return made


def update(made: Shipment, given: Mapping[str, Any]) -> None:
    for name, value in _texts(given).items():
        setattr(made, name, value)


def find(order: Order, shipment_id: int) -> Shipment:
    found = next((made for made in order.standing if made.id == shipment_id), None)
    if found is None:
        raise Refused(404, "The requested resource was not found.")
    return found


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    unknown = set(given) - TEXTS.keys() - {"order_address_id", "items", "merchant_shipping_cost"}
    if unknown:
        raise Refused(400, f"The field '{sorted(unknown)[0]}' is not supported by this resource.")
    found = {}
    for name, longest in TEXTS.items():
        if name not in given:
            continue
        if not isinstance(given[name], str) or len(given[name]) > longest:
            raise invalid(name, f"it must be a text of at most {longest} characters")
        found[name] = given[name]
    provider, carrier = found.get("shipping_provider", ""), found.get("tracking_carrier", "")
    if provider and provider not in PROVIDERS and not _APP.match(provider):
        raise invalid("shipping_provider", f"{provider!r} is no shipping provider")
    if carrier and carrier not in SLUGS:
        raise invalid("tracking_carrier", f"{carrier!r} is no courier")
    return found


def _items(order: Order, address_id: int, given: Any) -> list[tuple[int, int]]:
    if not isinstance(given, list):
        raise invalid("items", "it must be a list")
    lines = {line.id: line for line in order.lines}
    pieces: dict[int, int] = {}
    for item in given:
        line_id, quantity = item.get("order_product_id"), item.get("quantity")
        if not isinstance(quantity, int) or quantity < 1:
            raise invalid("quantity", "it must be a whole number greater than 0")
        line = lines.get(line_id)
        if line is None or not line.ships or line.order_address_id != address_id:
            raise invalid("order_product_id", f"{line_id} is no product that goes to this address")
        pieces[line.id] = pieces.get(line.id, 0) + quantity
        if pieces[line.id] > order.open(line):
            raise invalid("quantity", f"only {order.open(line)} of order product {line_id} can be shipped")
    return list(pieces.items())
