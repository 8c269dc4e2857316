"""`POST /v2/orders` and `PUT /v2/orders/{id}`. There is no idempotency key: the same call twice makes two orders."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.bigcommerce.model import STATUSES, Address, Line, Order, Product
from sandbox.bigcommerce.words import Refused, invalid, missing

READ_ONLY = frozenset({"id", "external_id", "payment_status", "date_modified", "status", "items_total"})
WRITABLE = frozenset({"status_id", "staff_notes", "customer_message", "external_order_id", "external_source"})
CREATABLE = WRITABLE | {
    "billing_address", "shipping_addresses", "products", "customer_id", "default_currency_code", "payment_method",
}  # fmt: skip
PENDING = 1


def create(
    given: Mapping[str, Any], number: int, products: Mapping[int, Product], new_id: Callable[[], int], now: int
) -> Order:
    _check(given, CREATABLE)
    if not given.get("products"):
        raise missing("products")
    billing = given.get("billing_address")
    if not isinstance(billing, dict):
        raise missing("billing_address")
    if len(billing.get("zip") or "") < 2:
        raise missing("billing_address.zip")
    addresses = [_address(one, new_id()) for one in given.get("shipping_addresses") or [billing]]
    order = Order(
        id=number,
        date_created=now,
        date_modified=now,
        status_id=_status(given.get("status_id", PENDING)),
        payment_status="",
        lines=[_line(one, products, addresses[0].id, new_id()) for one in given["products"]],
        addresses=addresses,
        email=billing.get("email", ""),
        payment_method=given.get("payment_method", "Manual"),
        order_source="external",
    )
    _write(order, given)
    return order


def update(order: Order, given: Mapping[str, Any], now: int) -> None:
    """Products and addresses are not changed through this emulator."""
    _check(given, WRITABLE)
    if "status_id" in given:
        order.status_id = _status(given["status_id"])
    _write(order, given)
    order.date_modified = now


def _check(given: Any, known: frozenset[str]) -> None:
    if not isinstance(given, dict):
        raise Refused(400, "The request body is not valid JSON, or no object.")
    for name in given:
        if name in READ_ONLY:
            raise invalid(name, "it is read-only")
        if name not in known:
            raise Refused(400, f"The field '{name}' is not supported by this resource.")


def _write(order: Order, given: Mapping[str, Any]) -> None:
    for name in ("staff_notes", "customer_message", "external_order_id", "external_source"):
        if name in given:
            setattr(order, name, given[name])


def _status(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < len(STATUSES):
        raise invalid("status_id", f"{value!r} is no status")
    return value


def _address(given: Mapping[str, Any], new_id: int) -> Address:
    known = {name: str(given[name]) for name in Address.__dataclass_fields__ if name != "id" and given.get(name)}
    if not known.get("country_iso2") and not given.get("country"):
        raise missing("country_iso2")
    return Address(new_id, **known)


def _line(given: Mapping[str, Any], products: Mapping[int, Product], address_id: int, new_id: int) -> Line:
    quantity = given.get("quantity")
    if not isinstance(quantity, int) or quantity < 1:
        raise invalid("products.quantity", "it must be a whole number greater than 0")
    if "product_id" not in given:
        for name in ("name", "price_inc_tax", "price_ex_tax"):
            if name not in given:
                raise missing(f"products.{name}")
        return Line(new_id, address_id, given.get("sku", ""), given["name"], quantity, str(given["price_inc_tax"]))
    product = products.get(given["product_id"])
    if product is None:
        raise invalid("products.product_id", f"there is no product {given['product_id']}")
    if given.get("variant_id", product.variant_id) != product.variant_id:
        raise invalid("products.variant_id", f"it is no variant of product {product.id}")
    return Line(
        new_id, address_id, product.sku, product.name, quantity, product.price,
        product_id=product.id, variant_id=product.variant_id,
    )  # fmt: skip
