"""The store's quota: so many calls in a window, whoever makes them. It does not drip: it is whole again at its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Quota:
    quota: int
    window: float
    """Seconds."""
    now: Callable[[], float] = time.monotonic
    left: int = -1
    ends: float = 0.0

    def draw(self) -> bool:
        """Takes one call; false when none is left."""
        moment = self.now()
        if self.left < 0 or moment >= self.ends:
            self.left, self.ends = self.quota, moment + self.window
        if not self.left:
            return False
        self.left -= 1
        return True

    def reset_ms(self) -> int:
        return max(int((self.ends - self.now()) * 1000), 1)
