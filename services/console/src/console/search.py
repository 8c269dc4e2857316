"""What an order can be found by, in one box: numbers, SKUs, customers, FR and tracking numbers (OP-1). Pure.

A term is matched by its beginning. Case, accents' spelling (NFKC) and a leading # do not count. Words that once led to
an order stay, a tracking number that was corrected too: people search for what is printed on the parcel.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from waybill_contracts.personal import ERASED

Row = Mapping[str, Any]
LONGEST = 100
"""Characters of a term that are kept; a longer text is found by its first ones."""
SHORTEST = 2
"""Characters that a search needs: fewer would match nearly everything."""
_MOST_LINES = 200
_SPACE = re.compile(r"\s+")


def folded(text: str) -> str:
    """A text as terms are stored and asked for."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub(" ", plain.replace("\x00", "")).strip().removeprefix("#")[:LONGEST]


def beyond(prefix: str) -> str:
    """The first text that sorts behind all that begin with `prefix` (by code points)."""
    return prefix + "\U0010ffff"


def terms_of(order: Row, requests: Iterable[Row], shipments: Iterable[Row]) -> dict[str, str]:
    """Term -> kind. `order` is a snapshot of our copy; requests have number, shipments tracking_numbers."""
    found: dict[str, str] = {}
    for kind, text in _texts(order, requests, shipments):
        term = folded(text)
        if term and text != ERASED:
            found.setdefault(term, kind)
    return found


def digest(terms: Mapping[str, str]) -> int:
    """The same for the same terms, in whatever order they came."""
    return zlib.crc32("\n".join(sorted(terms)).encode())


def _texts(order: Row, requests: Iterable[Row], shipments: Iterable[Row]) -> Iterator[tuple[str, str]]:
    yield "number", order["number"]
    yield "number", order["channel_order_id"]
    yield "number", order["channel_order_id"].rpartition("/")[2]
    yield from (("fr", request["number"]) for request in requests)
    for shipment in shipments:
        yield from (("tracking", number) for number in shipment["tracking_numbers"] or ())
    yield from _customers(order)
    yield from _skus(order["lines"][:_MOST_LINES])


def _customers(order: Row) -> Iterator[tuple[str, str]]:
    yield "customer", order.get("email") or ""
    for address in order.get("addresses", ()):
        for name in ("name", "company", "email"):
            text = address.get(name) or ""
            yield "customer", text
            yield from (("customer", word) for word in text.split() if len(word) >= SHORTEST)


def _skus(lines: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield "sku", line["channel_sku"]
        yield from (("sku", component["sku"]) for component in line.get("components") or ())
