"""A guest's cart, from nothing to an order: each step as Magento checks it. Only the last makes something to ship."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.magento.errors import Refused, no_entity, required
from sandbox.magento.model import Address, Cart, Order, Row

if TYPE_CHECKING:
    from sandbox.magento.shop import MagentoShop

METHODS = {
    ("flatrate", "flatrate"): ("Flat Rate", "Fixed"),
    ("tablerate", "bestway"): ("Best Way", "Table Rate"),
    ("freeshipping", "freeshipping"): ("Free Shipping", "Free"),
}
REGIONS = {
    "US": {"12": ("CA", "California"), "23": ("IL", "Illinois"), "43": ("NY", "New York")},
    "CA": {"76": ("QC", "Quebec")},
}
"""Countries of which Magento demands a region that it knows: id -> (code, name)."""
PAYMENTS = ("checkmo", "purchaseorder")
ADDRESS = ("firstname", "lastname", "street", "city", "country_id", "postcode", "telephone")


def active(shop: "MagentoShop", masked_id: str) -> Cart:
    """A cart that was placed is as good as gone."""
    cart = shop.carts.get(masked_id)
    if cart is None or not cart.is_active:
        raise no_entity("cartId", masked_id)
    return cart


def add(shop: "MagentoShop", masked_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    cart, item = active(shop, masked_id), given.get("cartItem") or {}
    if not item.get("quote_id"):
        raise required("quote_id")
    product = shop.products.get(str(item.get("sku")))
    if product is None:
        raise Refused(404, "The product that was requested doesn't exist. Verify the product and try again.")
    wanted = cart.items.get(product.sku, 0) + int(item.get("qty") or 0)
    if wanted > shop.salable(product):
        raise Refused(400, "The requested qty is not available")
    cart.items[product.sku] = wanted
    shop.keep_cart(cart)
    return {"sku": product.sku, "qty": wanted, "quote_id": str(cart.id), "name": product.name}


def offered(shop: "MagentoShop", masked_id: str) -> list[dict[str, Any]]:
    active(shop, masked_id)
    return [
        {
            "carrier_code": carrier,
            "method_code": method,
            "carrier_title": titles[0],
            "method_title": titles[1],
            "amount": 5,
            "base_amount": 5,
            "available": True,
            "error_message": "",
            "price_excl_tax": 5,
            "price_incl_tax": 5,
        }
        for (carrier, method), titles in METHODS.items()
    ]


def inform(shop: "MagentoShop", masked_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`shipping-information`: address and method."""
    cart, told = active(shop, masked_id), given.get("addressInformation") or {}
    if not cart.items:
        raise Refused(400, "The shipping method can't be set for an empty cart. Add an item to cart and try again.")
    pair = str(told.get("shipping_carrier_code")), str(told.get("shipping_method_code"))
    cart.address = _address(told.get("shipping_address") or {})
    if pair not in METHODS:
        raise Refused(404, "Carrier with such method not found: %1, %2", list(pair))
    cart.method, cart.description = "_".join(pair), " - ".join(METHODS[pair])
    shop.keep_cart(cart)
    return {"payment_methods": [{"code": code, "title": code} for code in PAYMENTS], "totals": {"grand_total": 5}}


def _address(given: Mapping[str, Any]) -> Address:
    missing = [name for name in ADDRESS if not given.get(name)]
    if given.get("country_id") in REGIONS and str(given.get("region_id")) not in REGIONS[given["country_id"]]:
        missing.append("regionId")
    if missing:
        texts = " ".join(f'"{name}" is required. Enter and try again.' for name in missing)
        raise Refused(400, f"Please check the shipping address information. {texts}")
    known = {name: given[name] for name in Address.__slots__ if name in given}
    return Address(**known)


def place(shop: "MagentoShop", masked_id: str, given: Mapping[str, Any]) -> Order:
    """`payment-information`: the only step with an effect. Pieces of a cart become rows; the cart is used up."""
    cart, payment = active(shop, masked_id), given.get("paymentMethod") or {}
    if not given.get("email"):
        raise required("email")
    if not cart.method or cart.address is None:
        raise Refused(400, "The shipping method is missing. Select the shipping method and try again.")
    if payment.get("method") not in PAYMENTS:
        raise Refused(400, "The requested Payment Method is not available.")
    if any(quantity > shop.salable(shop.products[sku]) for sku, quantity in cart.items.items()):
        raise Refused(400, "Some of the products are out of stock.")
    cart.is_active = False
    shop.keep_cart(cart)
    rows = [
        Row(shop.new_id(), sku, shop.products[sku].name, "simple", shop.products[sku].id, n, shop.products[sku].price)
        for sku, n in cart.items.items()
    ]
    now = int(shop.now())
    order = Order(
        entity_id=shop.new_id(),
        increment_id=shop.next_name(),
        created_at=now,
        updated_at=now,
        currency="USD",
        rows=rows,
        grand_total=f"{sum(float(row.price) * row.qty_ordered for row in rows) + 5:.2f}",
        address=cart.address,
        email=given["email"],
        shipping_method=cart.method,
        shipping_description=cart.description,
        payment_method=payment["method"],
        po_number=payment.get("po_number") if payment["method"] == "purchaseorder" else None,
        quote_id=cart.id,
        by_program=True,
    )
    return shop.add(order)
