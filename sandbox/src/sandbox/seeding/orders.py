"""Orders for the shop: varied, deterministic, each with what a right run makes of it.

Kinds come by position, not by chance, so that a small shop has one of each; what is in them comes from the dice.
Cannot promise that orders added later find stock: only plain ones are sure to (the west has them in plenty).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.seeding import people
from sandbox.seeding.goods import CHANNEL_METHODS, GIFT_CARD, GIFT_WRAP, UNMAPPED_METHOD, UNMAPPED_SKU, Good
from sandbox.shopify import fulfilling
from sandbox.shopify.fulfilling import Tracking, Wanted
from sandbox.shopify.model import Line, Order
from sandbox.shopify.shop import FIRST_NUMBER, LOCATIONS, Shop

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
    "pending": "held:awaiting_payment",
    "unmapped_sku": "held:unmapped_sku",
    "unmapped_method": "held:unmapped_shipping_method",
    "on_hold": "held:on_hold_at_channel",
    "canceled": "excluded:canceled",
    "fulfilled": "excluded:fulfillment_fulfilled",
    "gift_cards_only": "excluded:fulfillment_not_required",
    "refunded": "excluded:payment_refunded",
}
"""Every other kind is expected to be shipped."""

FINANCIAL = {"pending": "PENDING", "authorized": "AUTHORIZED", "refunded": "REFUNDED"}
SPACING = 7
"""Seconds between two orders' times of creation."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes orders for one shop."""

    shop: Shop
    goods: Sequence[Good]
    seed: int

    def seeded(self, count: int, varied: bool = True) -> Iterator[Order]:
        """`count` new orders after those that are there; each is in the shop when it is given out."""
        start = self.shop.next_number() - FIRST_NUMBER
        first_at = int(self.shop.now()) - SPACING * count
        for offset in range(count):
            number = start + offset
            kind = KINDS.get(number % CYCLE, "plain") if varied else "plain"
            yield self._order(number, kind, first_at + SPACING * offset)

    def _order(self, number: int, kind: str, at: int) -> Order:
        dice = random.Random(f"{self.seed}/{number}")
        titles = list(CHANNEL_METHODS)
        order = Order(
            id=self.shop.new_id(),
            number=FIRST_NUMBER + number,
            name=f"#{FIRST_NUMBER + number}",
            created_at=at,
            updated_at=at,
            display_financial_status=FINANCIAL.get(kind, "PAID"),
            currency_code="USD",
            lines=self._lines(dice, kind, number),
            shipping_address=people.address(dice, number + 1, at_home=kind == "scarce"),
            shipping_title=UNMAPPED_METHOD if kind == "unmapped_method" else titles[dice.randrange(len(titles))],
            shipping_price="4.90",
            email=f"buyer{number}@mail.example",
            note="Bitte klingeln – danke! 🙏" if dice.random() < 0.1 else None,
            tags=["sandbox", kind],
            expectation=EXPECTED.get(kind, "shipped"),
        )
        if kind == "canceled":
            order.cancelled_at, order.cancel_reason = at + 1, "CUSTOMER"
        self.shop.add(order, _spread if kind == "two_locations" else None)
        _after(self.shop, order, kind)
        return order

    def _lines(self, dice: random.Random, kind: str, number: int) -> list[Line]:
        plain = [good for good in self.goods if not good.scarce]
        if kind == "gift_cards_only":
            return [self._service(GIFT_CARD, "Gift card", ships=False)]
        if kind == "scarce":
            return [self._line(self._scarce(number), large_quantity(number)), self._line(dice.choice(plain), 1)]
        least = 2 if kind in {"two_locations", "repeated", "edited"} else 1
        chosen = dice.sample(plain, dice.randint(least, 4))
        lines = [self._line(good, dice.choice((1, 1, 1, 2, 2, 3, 5))) for good in chosen]
        if kind == "repeated":
            lines.append(self._line(chosen[0], 2))
        if kind == "partly_fulfilled":
            lines[0].quantity = lines[0].current_quantity = 3
        if kind == "edited":
            lines[0].quantity = lines[0].current_quantity + 2
            lines[1].current_quantity = 0
        return lines + self._extras(kind)

    def _extras(self, kind: str) -> list[Line]:
        if kind == "unmapped_sku":
            return [self._service(UNMAPPED_SKU, "Mystery box", ships=True)]
        if kind == "wrapped":
            return [self._service(GIFT_WRAP, "Gift wrapping", ships=True)]
        if kind == "gift_card_beside":
            return [self._service(GIFT_CARD, "Gift card", ships=False)]
        return []

    def _scarce(self, number: int) -> Good:
        scarce = [good for good in self.goods if good.scarce]
        return scarce[scarce_turn(number) % len(scarce)]

    def _line(self, good: Good, quantity: int) -> Line:
        return Line(self.shop.new_id(), good.channel_sku, good.title, quantity, quantity, good.price)

    def _service(self, sku: str, title: str, ships: bool) -> Line:
        return Line(self.shop.new_id(), sku, title, 1, 1, "50.00", ships, is_gift_card=sku == GIFT_CARD)


def scarce_turn(number: int) -> int:
    """How many large orders came before this position: each takes the next scarce good."""
    before, within = divmod(number, CYCLE)
    places = sorted(place for place, kind in KINDS.items() if kind == "scarce")
    return before * len(places) + sum(1 for place in places if place < within)


def large_quantity(number: int) -> int:
    return 12 + 2 * (scarce_turn(number) % 4)


def _spread(line: Line) -> int:
    return LOCATIONS[line.id % 2][0]


def _after(shop: Shop, order: Order, kind: str) -> None:
    """What happened at the shop before anybody looked."""
    if kind == "fulfilled":
        _ship(shop, order, lambda left: left)
    elif kind == "partly_fulfilled":
        _ship(shop, order, lambda left: left - 1, lines=1)
    elif kind == "on_hold":
        for part in order.fulfillment_orders:
            part.status, part.holds = "ON_HOLD", ["OTHER"]
        shop.keep(order)


def _ship(shop: Shop, order: Order, share: Callable[[int], int], lines: int | None = None) -> None:
    part = order.fulfillment_orders[0]
    taken = tuple((li.id, share(li.remaining_quantity)) for li in part.lines[:lines])
    tracking = Tracking("UPS", (f"1ZSEED{order.number}",), ())
    made = fulfilling.fulfill(order, [Wanted(part.id, taken)], tracking, shop.new_id, order.created_at + 2)
    made.by_api = False
    shop.keep(order)
