"""When and how a source ships a request: pure, decided by the reference alone, so that a run can be repeated.

About a third of the requests of more than one piece go in two shipments, split through a line's quantity where it can
be; some of more than one product go in two boxes with a number each. Carriers change; some need mapping at the hub.
"""

import zlib
from collections.abc import Sequence
from urllib.parse import quote

from sandbox.sources.model import Part, RequestLine

CARRIERS = {
    "east": ("UPS Ground", "FEDEX_HD", "UPS Ground"),
    "west": ("usps", "Dhl Express Worldwide"),
    "north": ("Royal Mail Tracked 24", "dpd", "NORTHERN VANS"),
}
"""As each source spells them."""
_OTHER = ("UPS Ground", "usps")


def dice(*words: str) -> int:
    """A number that depends on the words alone (unlike `hash`)."""
    return zlib.crc32("/".join(words).encode())


def plan(reference: str, lines: Sequence[RequestLine], now: float, ship_after: float, may_box: bool) -> list[Part]:
    """The shipments to come. `may_box` allows two numbers in one."""
    roll = dice(reference, "ship") % 100
    pieces = [(number, line.quantity - line.canceled) for number, line in enumerate(lines)]
    pieces = [(number, left) for number, left in pieces if left > 0]
    due = now + ship_after * (0.5 + (roll % 10) / 10)
    if not pieces:
        return []
    if roll < 35 and sum(left for _, left in pieces) > 1:
        first, second = _halves(pieces)
        return [Part(due, first), Part(due + ship_after, second)]
    products = {lines[number].sku for number, _ in pieces}
    boxes = 2 if may_box and roll >= 75 and len(products) > 1 else 1
    return [Part(due, pieces, boxes)]


def carrier(source: str, shipment_id: str) -> str:
    choices = CARRIERS.get(source, _OTHER)
    return choices[dice(shipment_id, "carrier") % len(choices)]


def tracking(source: str, shipment_id: str, boxes: int) -> tuple[list[str], str]:
    """(numbers, one URL for all of them)"""
    head = "".join(letter for letter in source.upper() if letter.isalnum())[:2]
    numbers = [f"{head}{dice(shipment_id, str(box)):010d}{dice(shipment_id, 'tail', str(box)) % 1000:03d}"
               for box in range(boxes)]  # fmt: skip
    return numbers, f"https://track.{source}.example/p?lang=en&n={quote(','.join(numbers))}"


def _halves(pieces: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Split in the middle of the first line that has more than one piece, else between lines."""
    for at, (number, left) in enumerate(pieces):
        if left > 1:
            some = left // 2
            return [*pieces[:at], (number, some)], [(number, left - some), *pieces[at + 1 :]]
    return list(pieces[:1]), list(pieces[1:])
