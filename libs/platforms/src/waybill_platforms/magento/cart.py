"""A request as a guest's cart: its items, its addresses, its shipping method. Pure.

A cart keeps no lines of ours: pieces of one SKU become one item, and `line_ref`s are lost. What it keeps is its own
id, which the order that comes of it names (`quote_id`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from waybill_contracts.values import Address
from waybill_platforms.magento.wire import Cart, Region, ShippingMethod
from waybill_platforms.model.requests import SourceRequest

NONE_GIVEN = "-"
"""Magento demands a telephone number, a postcode and both names; where we have none, this stands there."""


def items(request: SourceRequest) -> dict[str, int]:
    """SKU -> pieces, in the order of the request."""
    pieces: dict[str, int] = {}
    for line in request.lines:
        pieces[line.sku] = pieces.get(line.sku, 0) + line.quantity
    return pieces


def item_body(cart_id: str, sku: str, quantity: int) -> dict[str, object]:
    return {"cartItem": {"quote_id": cart_id, "sku": sku, "qty": quantity}}


def differs(cart: Cart, request: SourceRequest) -> str:
    """What is wrong with the cart's content; empty when it holds exactly the request."""
    found: Counter[str] = Counter()
    for item in cart.items or ():
        found[(item.sku or "").lower()] += int(item.qty) if item.qty == int(item.qty) else 0
    wanted = Counter({sku.lower(): quantity for sku, quantity in items(request).items()})
    return "" if found == wanted else f"asked for {dict(wanted)}, the cart holds {dict(found)}"


def handle(masked_id: str, quote_id: int) -> str:
    """The id to place the cart by, and the id to find its order by."""
    return f"{masked_id}|{quote_id}"


def ids(stored: str) -> tuple[str, str]:
    masked_id, _, quote_id = stored.partition("|")
    return masked_id, quote_id


def address_body(address: Address, regions: Iterable[Region], email: str) -> dict[str, object]:
    """Every field of Magento's address; the region with the shop's own id of it, which it demands of some countries."""
    first, _, last = (address.name or address.company).strip().rpartition(" ")
    street = [line for line in (address.line1, address.line2) if line] or [NONE_GIVEN]
    body: dict[str, object] = {
        "firstname": first or last or NONE_GIVEN,
        "lastname": last or NONE_GIVEN,
        "company": address.company,
        "street": street,
        "city": address.city or NONE_GIVEN,
        "postcode": address.postal_code or NONE_GIVEN,
        "country_id": address.country,
        "telephone": address.phone or NONE_GIVEN,
        "email": email,
        "region": address.region,
        "region_code": address.region,
        "region_id": 0,  # none that the shop knows: countries with such a list refuse that, the others do not care
        "same_as_billing": 1,
    }
    known = region(address.region, address.country, regions)
    if known is not None:
        body |= {"region": known.name, "region_code": known.code, "region_id": int(known.id)}
    return body


def region(text: str, country: str, regions: Iterable[Region]) -> Region | None:
    """The shop's region that is meant: by code (`NY`, `US-NY`) or name."""
    wanted = text.strip().lower().removeprefix(f"{country.lower()}-")
    return next((one for one in regions if wanted and wanted in {one.code.lower(), one.name.lower()}), None)


def split_method(name: str) -> tuple[str, str] | None:
    """`carrier/method`, or `carrier_method` where only one reading is possible; None: the shop has to be asked."""
    for separator in ("/", "_"):
        parts = name.split(separator)
        if len(parts) == 2 and all(parts):
            return parts[0], parts[1]
    return None


def chosen(name: str | None, offered: Sequence[ShippingMethod]) -> tuple[str, str] | None:
    """Carrier and method that `name` means among what the shop offers; without a name, the only one there is."""
    open_ones = [one for one in offered if one.available is not False and one.method_code]
    if not name:
        return _pair(open_ones[0]) if len(open_ones) == 1 else None
    wanted = name.strip().lower()
    found = [one for one in open_ones if wanted in _names(one)]
    return _pair(found[0]) if len(found) == 1 else None


def _names(one: ShippingMethod) -> set[str]:
    titles = f"{one.carrier_title} - {one.method_title}"
    names = (f"{one.carrier_code}_{one.method_code}", f"{one.carrier_code}/{one.method_code}", titles, one.method_title)
    return {name.lower() for name in names if name}


def _pair(one: ShippingMethod) -> tuple[str, str]:
    return one.carrier_code, one.method_code or ""


def offered_text(offered: Sequence[ShippingMethod]) -> str:
    """For people: what could have been asked for."""
    return ", ".join(f"{one.carrier_code}/{one.method_code}" for one in offered if one.available is not False) or "none"


def information_body(address: dict[str, object], method: tuple[str, str]) -> dict[str, object]:
    return {
        "addressInformation": {
            "shipping_address": address,
            "billing_address": address,
            "shipping_carrier_code": method[0],
            "shipping_method_code": method[1],
        }
    }


def payment_body(reference: str, payment_method: str, email: str, address: dict[str, object]) -> dict[str, object]:
    """The reference is the purchase order's number: people see it at the order, and it is read back from there."""
    return {
        "email": email,
        "paymentMethod": {"method": payment_method, "po_number": reference},
        "billingAddress": address,
    }
