"""How a read behaves while a fault bends it: what it hides, what it shows old, what it shows twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

_Order = TypeVar("_Order")


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

    def remembers(
        self, orders: Iterable[_Order], name: Callable[[_Order], str], cut: Callable[[_Order], _Order]
    ) -> list[_Order]:
        """The orders that a list has under these names, and those whose last line it leaves out as `cut` shows them."""
        return [cut(one) if name(one) in self.trims else one for one in orders if name(one) not in self.forgets]


PLAIN = Sight()
