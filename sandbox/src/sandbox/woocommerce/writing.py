"""What a store makes of what it is sent. Nothing that real stores let pass is refused here: an unknown product is an
empty line, 99 of 3 pieces are a fulfillment, the same order twice is two orders."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.woocommerce.errors import Refused, fulfillment, invalid_param
from sandbox.woocommerce.model import Fulfillment, Line, Meta, Order, Product
from sandbox.woocommerce.settings import Settings

NewId = Callable[[], int]
ADDRESS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "phone",
)
AUTOMATIC = "_auto_fulfill_processed"
OWN_KEYS = frozenset({"_order_total", "_customer_user"})
"""Core's own, which are dropped without a word."""


def address(given: Mapping[str, Any], *more: str) -> dict[str, str]:
    return {name: str(given.get(name) or "") for name in (*ADDRESS, *more)}


def put_meta(there: list[Meta], given: Iterable[Mapping[str, Any]], new_id: NewId) -> None:
    """Without an id the first of the key is replaced; two of one key in one call: the last wins; null deletes; numbers
    and booleans come back as texts."""
    for one in given:
        key, value = str(one["key"]), one.get("value")
        if key in OWN_KEYS:
            continue
        known = next((entry for entry in there if entry["key"] == key), None)
        if value is None:
            there[:] = [entry for entry in there if entry["key"] != key]
        elif known is not None:
            known["value"] = _kept(value)
        else:
            there.append({"id": new_id(), "key": key, "value": _kept(value)})


def _kept(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value) if isinstance(value, (int, float)) else value


def new_line(given: Mapping[str, Any], goods: Iterable[Product], new_id: NewId) -> Line:
    """By variation, product or SKU; what is not found is an empty line without a word."""
    wanted = int(given.get("variation_id") or given.get("product_id") or 0)
    sku = given.get("sku")
    found = next((one for one in goods if one.id == wanted or (not wanted and sku and one.sku == sku)), None)
    meta: list[Meta] = []
    put_meta(meta, given.get("meta_data", ()), new_id)
    quantity = int(given.get("quantity", 1))
    if found is None:
        return Line(new_id(), "", 0, quantity, None, "0.00", meta=meta)
    product_id, variation_id = (found.parent_id, found.id) if found.parent_id else (found.id, 0)
    return Line(new_id(), found.name, product_id, quantity, found.sku, found.price, variation_id, meta)


def change(order: Order, given: Mapping[str, Any], goods: Iterable[Product], settings: Settings, new_id: NewId,
           now: int) -> bool:  # fmt: skip
    """A PUT; whether `date_modified` moves by it, which depends on the storage."""
    moves = settings.storage == "hpos"
    for side in ("billing", "shipping"):
        if side in given:
            getattr(order, side).update({name: str(value or "") for name, value in given[side].items()})
    for one in given.get("line_items", ()):
        _line(order, one, goods, new_id)
    if "customer_note" in given and given["customer_note"] != order.customer_note:
        order.customer_note, moves = str(given["customer_note"]), True
    put_meta(order.meta, given.get("meta_data", ()), new_id)
    order.transaction_id = str(given.get("transaction_id", order.transaction_id))
    if "status" in given and given["status"] != order.status:
        set_status(order, str(given["status"]), settings, now)
        moves = True
    return moves


def _line(order: Order, given: Mapping[str, Any], goods: Iterable[Product], new_id: NewId) -> None:
    """Without an id a line is added; a quantity of 0 removes it."""
    if "id" not in given:
        order.lines.append(new_line(given, goods, new_id))
    elif given.get("quantity") == 0:
        order.lines = [line for line in order.lines if line.id != given["id"]]
    else:
        line = order.line(int(given["id"]))
        line.quantity = int(given.get("quantity", line.quantity))


def set_status(order: Order, status: str, settings: Settings, now: int) -> None:
    known = ["auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed",
             "checkout-draft", *settings.statuses, "trash"]  # fmt: skip
    if status not in known:
        raise invalid_param("status", f"status is not one of {', '.join(known[:-2])}, and checkout-draft.")
    order.status = status
    if status == "processing" and order.payment_method != "cod":
        order.paid_at = order.paid_at or now  # the store takes it for paid, whoever set the status
    if status == "completed":
        order.completed_at = now
        order.paid_at = order.paid_at or now


def put_fulfillment(
    made: Fulfillment | None, given: Mapping[str, Any], settings: Settings, new_id: NewId, now: int
) -> Fulfillment:
    """A POST or a PUT. Items are not checked against the order; entries without an id are dropped in 10.5."""
    meta = [one for one in given.get("meta_data") or () if settings.at_least(10, 8) or "id" in one]
    items = next((one.get("value") for one in meta if one.get("key") == "_items"), None)
    if not items:
        raise fulfillment(400, "The fulfillment should contain at least one item.")
    for item in items:
        if not isinstance(item.get("item_id"), int) or not isinstance(item.get("qty"), int):
            raise fulfillment(400, "Invalid item.")
    status = given.get("status")
    if not status:
        raise fulfillment(400, "Invalid fulfillment status.")
    kept = [{"id": new_id(), "key": one["key"], "value": one.get("value")} for one in meta]
    stored = "fulfilled" if status == "fulfilled" else "unfulfilled"  # any other word is stored so, with 201
    if made is None:
        return Fulfillment(new_id(), stored, now, kept)
    made.status, made.meta, made.updated_at = stored, kept, now
    return made


def tell_status(order: Order, new_id: NewId) -> None:
    """`_fulfillment_status` follows the fulfillments; the order's own status does not."""
    left = sum(order.left(line.id) for line in order.lines)
    made = any(order.fulfilled(line.id) for line in order.lines)
    word = "unfulfilled" if not made else "partially_fulfilled" if left else "fulfilled"
    put_meta(order.meta, [{"key": "_fulfillment_status", "value": word}], new_id)


def fulfill_downloads(order: Order, goods: Mapping[int, Product], new_id: NewId, now: int, told: str) -> None:
    """At `processing`, once: what has a file to download is "fulfilled", whether it ships as well or not."""
    if order.status != "processing" or order.value(AUTOMATIC):
        return
    put_meta(order.meta, [{"key": AUTOMATIC, "value": "1"}], new_id)
    lines = [line for line in order.lines if line.product_id in goods and goods[line.product_id].downloadable]
    if lines:
        items = [{"item_id": line.id, "qty": line.quantity} for line in lines]
        meta = [{"id": new_id(), "key": key, "value": value} for key, value in
                (("_items", items), ("_date_fulfilled", told))]  # fmt: skip
        order.fulfillments.append(Fulfillment(new_id(), "fulfilled", now, meta, by_api=False, automatic=True))
        tell_status(order, new_id)


def required(given: Mapping[str, Any], name: str) -> Any:
    if not given.get(name):
        raise Refused(400, "rest_missing_callback_param", f"Missing parameter(s): {name}", params=[name])
    return given[name]
