"""What a platform posts to us."""

from dataclasses import dataclass
from typing import Literal

DeliveryKind = Literal["order", "fulfillment", "stock", "ping", "uninstalled", "redaction", "other"]


@dataclass(frozen=True, slots=True)
class PersonToErase:
    """Whom the shop wants erased: by e-mail, and by the orders that it names."""

    email: str
    channel_order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook call whose signature was right."""

    id: str
    """The platform's id of the event, the same for each repetition; deduplicate by it."""
    topic: str
    """The platform's own word."""
    kind: DeliveryKind
    order_id: str | None = None
    """As `OrderReader.get_order` takes it."""
    erase: PersonToErase | None = None
    """Of a redaction that names a customer."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What a platform posts from now on."""

    topics: tuple[str, ...]
    """In the platform's own words."""
    warning: str = ""
    """Why nothing may come all the same, though the platform took the address."""
