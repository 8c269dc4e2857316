"""What can be turned at an emulated shop, at run time, by the control API."""

from dataclasses import dataclass, field
from typing import Any

LOCATIONS = ((101, "Main warehouse"), (102, "Back room"))
SCOPES = (
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_products",
    "read_inventory",
    "read_shipping",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_locations",
)


@dataclass(slots=True)
class Settings:
    """What can be turned at run time by the control API."""

    tokens: list[str] = field(default_factory=list)
    token_lifetime: int = 86_399
    """Seconds for which a token is good that is given from now on."""
    token_ends: dict[str, float] = field(default_factory=dict)
    """When tokens that were given end, by the world's clock; the others do not."""
    index_lag: float = 0.0
    """Seconds until a list or search shows a change."""
    rewrites_unknown_carriers: bool = False
    """Replace the tracking URL of a carrier that the shop does not know."""
    maximum: float = 20_000.0
    restore_rate: float = 1_000.0
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    """What the app was granted."""
    customer_data: bool = True
    """Whether the app may read protected customer data; else names, addresses and e-mails are null."""
    client_secret: str = ""
    """Signs webhooks and is exchanged for tokens."""
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    """Webhooks; made by `webhookSubscriptionCreate`."""
    webhooks: str = "once"
    """`once`, `twice` or `lost`: what becomes of deliveries."""
    cancels_later: bool = False
    """`orderCancel` only begins a job, which nothing ends."""
