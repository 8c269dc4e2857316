"""What a plan is made for, and out of what: the order's demands, the sources with their tariffs, the offers in stock.

Money is whole nano-units of the group's currency (10^-9): prices have at most 6 decimals and grams are divided by 1000
once, so every amount here is exact. Nothing in this package reads, writes, waits or rounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from waybill_contracts.configuration import Source

NANO = 10**9


def nano(amount: Decimal) -> int:
    """The amount in nano-units; exact for up to 9 decimals, else ValueError."""
    scaled = amount.scaleb(9)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{amount} has more than 9 decimals: write prices with at most 6")
    return whole


def amount_text(amount: int) -> str:
    """`str(money(amount))`, for amounts of whole cents without the detour."""
    cents, rest = divmod(amount, 10**7)
    return str(money(amount)) if rest or cents < 0 else f"{cents // 100}.{cents % 100:02}"


def money(amount: int) -> Decimal:
    """Nano-units as an exact decimal without trailing zeros beyond the cent."""
    cents, rest = divmod(amount, 10**7)
    return Decimal(amount).scaleb(-9).normalize() if rest else Decimal(cents).scaleb(-2)


def printed(amount: int) -> str:
    """Nano-units rounded half-even to the cent."""
    return str(Decimal(amount).scaleb(-9).quantize(Decimal("0.01"), ROUND_HALF_EVEN))


@dataclass(frozen=True, slots=True)
class Demand:
    """Units of one SKU of one order line, for one of the order's addresses."""

    line_id: str
    sku: str
    quantity: int
    address: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One order as the planner sees it. `countries[i]` is where address i is."""

    number: str
    countries: tuple[str, ...]
    demands: tuple[Demand, ...]
    order_id: str = ""
    channel: str = ""
    tags: tuple[str, ...] = ()
    value: Decimal | None = None
    shipping_method: str | None = None
    refused: frozenset[tuple[str, str]] = field(default=frozenset())
    """(source, SKU) that the source canceled for this order: not asked again (on_source_cancel: fill)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One SKU at one source. Cost in nano-units; None = not known.

    `available` is what is free beyond the safety stock (below 0: what is lacking of that); None = untracked.
    """

    available: int | None
    unit_cost: int | None
    weight_g: int | None


Stock = Mapping[tuple[str, str], Offer]
"""(source, SKU) -> what is free there now, safety stock already left out."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """Shipping from one source to one country: base a FR, and nano-units a gram."""

    base: int
    per_gram: int


class Site:
    """A source with its prices as integers. Made once a version of the configuration; plans share it."""

    __slots__ = (
        "_countries",
        "_tariffs",
        "any_sku",
        "currency",
        "fee",
        "id",
        "longest_number",
        "named_skus",
        "skus",
        "source",
        "takes_any_method",
        "tracked",
    )

    def __init__(self, source: Source) -> None:
        self.id = source.id
        self.source = source
        self.fee = nano(source.costs.fee)
        self.tracked = source.stock.from_ != "untracked"
        self.skus = None if source.serves.skus == "all" else frozenset(source.serves.skus)
        """What it serves; None = all."""
        self.named_skus = frozenset(source.skus.map) if source.skus.unmapped == "hold" else None
        """What it has a name for; None = the others go under ours."""
        self.any_sku = self.skus is None and self.named_skus is None
        self.currency = source.costs.currency
        pattern = source.fr_number
        plain = not pattern.forbid and pattern.from_ == "order_number"
        self.longest_number = pattern.max_length - len(pattern.prefix) if plain else -1
        """An order number that is not longer fits its pattern as it is."""
        self.takes_any_method = source.shipping_methods.unmapped != "hold"
        self._countries = None if source.serves.countries == "all" else frozenset(source.serves.countries)
        self._tariffs: dict[str, Tariff | None] = {}

    def serves_country(self, country: str) -> bool:
        return self._countries is None or country in self._countries

    def tariff(self, country: str) -> Tariff | None:
        """The first zone that names the country, or `*`; None = not served."""
        if country not in self._tariffs:
            prices = self.source.costs.shipping
            found = next((price for price in prices if country in price.zone or "*" in price.zone), None)
            self._tariffs[country] = None if found is None else Tariff(nano(found.base), nano(found.per_kg) // 1000)
        return self._tariffs[country]
