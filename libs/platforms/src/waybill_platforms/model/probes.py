"""What a connection turned out to be when it was looked at."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["missing", "warning", "info"]
"""`missing`: it cannot work so; `warning`: it works, and something is lost; `info`: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a probe found, as a sentence for people, and what mends it."""

    code: str
    severity: Severity
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection turned out to be."""

    version: str
    """Of the platform or its API, as it names it; empty where it does not say."""
    timezone: str = ""
    """IANA name or offset of the shop's clock; empty where it does not say."""
    currency: str = ""
    scopes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        return all(finding.severity != "missing" for finding in self.findings)
