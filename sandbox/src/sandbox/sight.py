"""How a read behaves while a fault bends it: what it hides, what it shows old, what it shows twice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """Plain sight sees everything as it is now."""

    hides_newer_than: float = 0.0
    """Seconds: lists and searches do not show what was created or changed more recently."""
    stale: bool = False
    """Reads of one thing show it as it was before its last change."""
    twice: bool = False
    """Lists show each entry two times."""
    forgets: frozenset[str] = frozenset()
    """Names of orders that lists leave out, as if they had never been."""
    trims: frozenset[str] = frozenset()
    """Names of orders that lists show without their last line."""


PLAIN = Sight()
