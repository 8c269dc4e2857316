"""What a source has on its shelves."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StockLevel:
    sku: str
    """Theirs."""
    on_hand: int | None
    """Pieces that can be sold; None where the source does not count them."""


@dataclass(frozen=True, slots=True)
class StockPage:
    levels: tuple[StockLevel, ...]
    as_of: datetime
    next: str | None
    problems: tuple[str, ...] = ()
