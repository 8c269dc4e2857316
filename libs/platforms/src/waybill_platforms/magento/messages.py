"""What Magento says when it refuses: its text with the placeholders filled, and our name for what we act upon. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

NO_ROUTE = "no_route"
SAVE_FAILED = "save_failed"
NOT_PERMITTED = "not_permitted"
CLOCK_SKEW = "clock_skew"
SIGNATURE = "signature_refused"
NONCE = "nonce_used"
UNKNOWN_SKU = "unknown_sku"
OUT_OF_STOCK = "out_of_stock"
SHIPPING_METHOD = "shipping_method_refused"
CART_GONE = "cart_gone"

_CODES: tuple[tuple[str, str], ...] = (
    ("request does not match any route", NO_ROUTE),
    ("could not save a shipment, see error log", SAVE_FAILED),
    ("isn't authorized to access", NOT_PERMITTED),
    ("timestamp_refused", CLOCK_SKEW),
    ("timestamp has been refused", CLOCK_SKEW),
    ("nonce is already being used", NONCE),
    ("nonce_used", NONCE),
    ("signature_method_rejected", SIGNATURE),
    ("signature is invalid", SIGNATURE),
    ("signature_invalid", SIGNATURE),
    ("the product that was requested doesn't exist", UNKNOWN_SKU),
    ("product that you are trying to add is not available", OUT_OF_STOCK),
    ("this product is out of stock", OUT_OF_STOCK),
    ("requested qty is not available", OUT_OF_STOCK),
    ("some of the products are out of stock", OUT_OF_STOCK),
    ("not all of your products are available", OUT_OF_STOCK),
    ("carrier with such method not found", SHIPPING_METHOD),
    ("no such entity with cartid", CART_GONE),
)
"""A part of the text (lower case) -> our code. Magento has no codes of its own."""

_PLACEHOLDER = re.compile(r"%([A-Za-z_]\w*|\d+)")


def described(body: bytes) -> tuple[str | None, str]:
    """(our code, the text for people). `trace`, which many installations add, is never told."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[:300].decode("utf-8", "replace")
        return (_code(text), text) if text.startswith("oauth_problem") else (None, "")
    if not isinstance(said, dict):
        return None, ""
    said = said.get("messages", said) if isinstance(said.get("messages"), dict) else said
    texts = [filled(said.get("message"), said.get("parameters"))]
    texts += [filled(e.get("message"), e.get("parameters")) for e in _errors(said)]
    text = " – ".join(dict.fromkeys(text for text in texts if text))
    return _code(text), text


def _errors(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """`errors`, or Magento's older `messages: {error: [...]}`."""
    found = said.get("errors") or said.get("error") or []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def filled(message: object, parameters: object) -> str:
    """`%1` from a list, `%fieldName` from an object; a placeholder without its value stays."""
    if not isinstance(message, str):
        return ""
    values: dict[str, object] = {}
    if isinstance(parameters, list):
        values = {str(place): value for place, value in enumerate(parameters, start=1)}
    elif isinstance(parameters, dict):
        values = {str(name): value for name, value in parameters.items()}
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), message)


def _code(text: str) -> str | None:
    lower = text.lower()
    return next((code for part, code in _CODES if part in lower), None)
