"""Orders for the shops: varied, deterministic, each with what a right run makes of it; in no platform's words.

Kinds come by position, not by chance, so that a small shop has one of each; what is in them comes from the dice.
Cannot promise that orders added later find stock: only plain ones are sure to (the west has them in plenty).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.seeding import people
from sandbox.seeding.drafts import Draft, DraftLine
from sandbox.seeding.goods import CHANNEL_METHODS, GIFT_CARD, GIFT_WRAP, UNMAPPED_METHOD, UNMAPPED_SKU, Good

CYCLE = 40
KINDS = {
    3: "pending",
    5: "scarce",
    7: "authorized",
    8: "repeated",
    11: "unmapped_sku",
    13: "two_locations",
    14: "edited",
    15: "scarce",
    16: "wrapped",
    17: "unmapped_method",
    18: "repeated",
    19: "canceled",
    23: "fulfilled",
    25: "scarce",
    27: "partly_fulfilled",
    28: "gift_card_beside",
    29: "gift_cards_only",
    31: "on_hold",
    33: "refunded",
    35: "scarce",
    38: "repeated",
}
"""Position in a cycle of 40 -> kind; the others are plain."""

EXPECTED = {
    "plain": "shipped",
    "scarce": "shipped",
    "repeated": "shipped",
    "wrapped": "shipped",
    "pending": "held:awaiting_payment",
    "authorized": "shipped",
    "unmapped_sku": "held:unmapped_sku",
    "unmapped_method": "held:unmapped_shipping_method",
    "on_hold": "held:on_hold_at_channel",
    "two_locations": "shipped",
    "edited": "shipped",
    "partly_fulfilled": "shipped",
    "gift_card_beside": "shipped",
    "canceled": "excluded:canceled",
    "fulfilled": "excluded:fulfillment_fulfilled",
    "gift_cards_only": "excluded:fulfillment_not_required",
    "refunded": "excluded:payment_refunded",
}
"""Every kind and what is expected of it, where the platform has such orders; a shop's `kinds` is a part of this, with
the platform's own reasons where they differ."""

PAYMENT = {"pending": "pending", "authorized": "authorized", "refunded": "refunded"}
SPACING = 7
"""Seconds between two orders' times of creation."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Imagines the orders of one shop. `kinds` are those that its platform has, with their expectations."""

    shop: str
    kinds: Mapping[str, str]
    goods: Sequence[Good]
    seed: int
    scarce_from: int = 0
    """Large orders that other shops have before: each takes the next scarce good."""
    houses_from: int = 0
    """House numbers below were given to other shops' buyers, so that no two orders look alike."""

    def seeded(self, start: int, count: int, now: float, varied: bool = True) -> Iterator[Draft]:
        """`count` orders for the positions from `start` on, the last of them placed just before `now`."""
        first_at = int(now) - SPACING * count
        for offset in range(count):
            number = start + offset
            kind = KINDS.get(number % CYCLE, "plain") if varied else "plain"
            yield self._draft(number, kind if kind in self.kinds else "plain", first_at + SPACING * offset)

    def _draft(self, number: int, kind: str, at: int) -> Draft:
        dice = random.Random(f"{self.seed}/{self.shop}/{number}")
        titles = list(CHANNEL_METHODS)
        return Draft(
            position=number,
            kind=kind,
            at=at,
            lines=tuple(self._lines(dice, kind, number)),
            buyer=people.address(dice, self.houses_from + number + 1, at_home=kind == "scarce"),
            shipping_method=UNMAPPED_METHOD if kind == "unmapped_method" else titles[dice.randrange(len(titles))],
            shipping_price="4.90",
            currency="USD",
            payment=PAYMENT.get(kind, "paid"),
            email=f"buyer{number}@{self.shop}.example",
            note="Bitte klingeln – danke! 🙏" if dice.random() < 0.1 else None,
            expectation=self.kinds[kind],
        )

    def _lines(self, dice: random.Random, kind: str, number: int) -> list[DraftLine]:
        plain = [good for good in self.goods if not good.scarce]
        if kind == "gift_cards_only":
            return [_service(GIFT_CARD, "Gift card", ships=False)]
        if kind == "scarce":
            return [_line(self._scarce(number), large_quantity(number)), _line(dice.choice(plain), 1)]
        least = 2 if kind in {"two_locations", "repeated", "edited"} else 1
        chosen = dice.sample(plain, dice.randint(least, 4))
        lines = [_line(good, dice.choice((1, 1, 1, 2, 2, 3, 5))) for good in chosen]
        if kind == "repeated":
            lines.append(_line(chosen[0], 2))
        if kind == "partly_fulfilled":
            lines[0] = replace(lines[0], quantity=3, current=3)
        if kind == "edited":
            lines[0] = replace(lines[0], quantity=lines[0].current + 2)
            lines[1] = replace(lines[1], current=0)
        return lines + _extras(kind)

    def _scarce(self, number: int) -> Good:
        scarce = [good for good in self.goods if good.scarce]
        return scarce[(self.scarce_from + scarce_turn(number)) % len(scarce)]


def _extras(kind: str) -> list[DraftLine]:
    if kind == "unmapped_sku":
        return [_service(UNMAPPED_SKU, "Mystery box", ships=True)]
    if kind == "wrapped":
        return [_service(GIFT_WRAP, "Gift wrapping", ships=True)]
    if kind == "gift_card_beside":
        return [_service(GIFT_CARD, "Gift card", ships=False)]
    return []


def _line(good: Good, quantity: int) -> DraftLine:
    return DraftLine(good.channel_sku, good.title, quantity, quantity, good.price)


def _service(sku: str, title: str, ships: bool) -> DraftLine:
    return DraftLine(sku, title, 1, 1, "50.00", ships, gift_card=sku == GIFT_CARD)


def scarce_turn(number: int) -> int:
    """How many large orders came before this position: each takes the next scarce good."""
    before, within = divmod(number, CYCLE)
    places = sorted(place for place, kind in KINDS.items() if kind == "scarce")
    return before * len(places) + sum(1 for place in places if place < within)


def large_quantity(number: int) -> int:
    return 12 + 2 * (scarce_turn(number) % 4)
