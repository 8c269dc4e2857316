"""What a platform gives for lasting credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Renewed:
    """New credentials to be sealed and published; the keys are those of the connection's `credentials`."""

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None
