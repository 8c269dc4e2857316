"""`inventory.updated`: stock as sources and upstream systems tell it (RT-1)."""

from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.values import Amount, UtcTime


class StockFact(Event):
    """A fact about one SKU at one source."""

    TOPIC: ClassVar[str] = topics.INVENTORY_UPDATED

    source: str
    sku: str = Field(min_length=1, description="our SKU")

    @property
    def aggregate(self) -> str:
        return f"stock/{self.source}/{self.sku}"

    @property
    def key(self) -> str:
        return f"{self.source}:{self.sku}"


class StockCounted(StockFact):
    """An absolute count. An older one never overwrites a newer; reservations made since are kept."""

    TYPE: ClassVar[str] = "waybill.stock.counted.v1"
    on_hand: int = Field(ge=0, description="units on the shelf, reserved ones included")
    counted_at: UtcTime
    unit_cost: Amount | None = Field(default=None, description="in the source's currency; none leaves it as it was")
    weight_g: int | None = Field(default=None, ge=0, description="grams a unit; none leaves it as it was")


class StockAdjusted(StockFact):
    """A difference, applied once per `adjustment_id`."""

    TYPE: ClassVar[str] = "waybill.stock.adjusted.v1"
    adjustment_id: str = Field(min_length=1)
    delta: int
    reason: str = ""

    @property
    def aggregate(self) -> str:
        return f"adjustment/{self.adjustment_id}"
