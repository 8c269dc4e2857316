"""What can be turned at run time by the control API."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """What can be turned at run time by the control API."""

    tokens: list[str] = field(default_factory=list)
    bearer: bool = False
    """May the integration's token be used alone? Off since 2.4.4 unless somebody turns it on."""
    denied: list[str] = field(default_factory=list)
    """API resources that the integration does not have."""
    inventory: bool = True
    """Multi-source inventory is installed."""
    sources: list[str] = field(default_factory=lambda: ["default"])
    version: str = "Magento/2.4 (Community)"
