"""What can be turned at run time by the control API."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """What can be turned at run time by the control API. All difficulties are off by default."""

    tokens: list[str] = field(default_factory=list)
    ship_after: float = 2.0
    acknowledges: bool = True
    """False leaves a request `received` until it ships."""
    ships: bool = True
    refuse_rate: float = 0.0
    """Share of new requests answered 422 (out_of_stock)."""
    partial_rate: float = 0.0
    """Share of requests of which only a part is accepted."""
    cancel_rate: float = 0.0
    """Share of requests that the source cancels instead of shipping them."""
    cancel_answer: str = "auto"
    """auto (accepted while nothing shipped), refused, or pending."""
