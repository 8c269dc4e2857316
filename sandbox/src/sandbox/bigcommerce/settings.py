"""What can be turned at run time by the control API."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """What can be turned at run time by the control API."""

    tokens: list[str] = field(default_factory=list)
    client_secret: str = ""
    missing_scopes: list[str] = field(default_factory=list)
    """Parts of the API that answer 403: orders, products, inventory, information."""
    quota: int = 6_000
    """Calls in a window; a Standard store has 150."""
    window: float = 30.0
    strict_destinations: bool = False
    """Hold webhooks to https and port 443, as the platform does; off, because this machine has neither."""
    status: str = "live"
