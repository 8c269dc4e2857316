"""The goods of the demonstration: what the shop calls them, what the merchant does, what each source does; mappings."""

from dataclasses import dataclass

PLAIN = 30
"""Goods that are in stock in plenty, somewhere."""

CHANNEL_METHODS = {"Standard": "ground", "Express (1–2 days)": "express", "Économique ✈ Luftpost": "economy"}
UNMAPPED_METHOD = "Drone to the balcony"
UNMAPPED_SKU = "MYSTERY-BOX"
GIFT_CARD = "GIFTCARD-50"
GIFT_WRAP = "GIFTWRAP"

METHODS_BY_SOURCE = {
    "east": {"ground": "FedEx Ground", "express": "FedEx Overnight", "economy": "FedEx Economy"},
    "west": {"ground": "USPS-GA", "express": "DHL-EXP", "economy": "USPS-GA"},
    "north": {},
    "mill": {"ground": "flatrate/flatrate", "express": "tablerate/bestway", "economy": "freeshipping/freeshipping"},
}
"""Ours -> theirs; what is not here is passed on unchanged."""

COURIERS_BY_SOURCE = {
    "east": {"UPS Ground": "ups", "FEDEX_HD": "fedex"},
    "west": {"Dhl Express Worldwide": "dhl"},
    "north": {"Royal Mail Tracked 24": "royal-mail", "NORTHERN VANS": "northern-vans"},
}
"""Theirs -> ours; what is not here is passed on unchanged."""

CHANNEL_COURIERS = {
    "ups": "UPS",
    "fedex": "FedEx",
    "usps": "USPS",
    "dhl": "DHL Express",
    "royal-mail": "Royal Mail",
    "dpd": "DPD",
    "northern-vans": "Northern Vans & Söhne",
}
"""Ours -> the name that the shop gets; the last one is none that a shop knows."""

_NAMES = (
    "Lamp",
    "Teapot",
    "Kissen „Wolke“",
    "Tablier brodé",
    "Mug 🐙",
    "抹茶碗",
    "Stool",
    "Candle",
    "Scarf",
    "Świecznik",
)


@dataclass(frozen=True, slots=True)
class Good:
    sku: str
    """Ours."""
    channel_sku: str
    title: str
    price: str
    weight_g: int
    unit_cost: str
    scarce: bool = False

    def source_sku(self, source: str) -> str:
        return f"E-{self.sku.removeprefix('SKU-')}" if source == "east" else self.sku


def goods(scarce: int) -> list[Good]:
    """The plain ones, then `scarce` ones of which no source alone has enough for a large order."""
    made = []
    for number in range(PLAIN + scarce):
        is_scarce = number >= PLAIN
        sku = f"SKU-{100 + number}"
        # Every third is called differently by the shop, so that the mapping has something to do.
        channel_sku = f"SHOP-{100 + number}" if number % 3 == 0 else sku
        title = f"{_NAMES[number % len(_NAMES)]} no. {number}" + (" (limited)" if is_scarce else "")
        price, cost = 900 + 37 * number, 300 + 11 * number
        made.append(
            Good(
                sku=sku,
                channel_sku=channel_sku,
                title=title,
                price=f"{price // 100}.{price % 100:02d}",
                weight_g=120 + 85 * (number % 17),
                unit_cost=f"{cost // 100}.{cost % 100:02d}",
                scarce=is_scarce,
            )
        )
    return made
