"""The problem that the search solves, as whole numbers."""

from dataclasses import dataclass
from functools import cached_property

QUANTUM_BITS = 24
QUANTUM = 1 << QUANTUM_BITS
"""All amounts are multiples of it: what rounding down loses along the way stays below one."""


@dataclass
class Instance:
    """One problem. `extra` is added when more than `free` requests are open (single_fr: preferred).

    `placed`: single units (request, item) that every plan must hold; `demand` and `cap` leave them out already.
    """

    fixed: list[int]
    demand: list[int]
    penalty: list[int]
    unit: list[list[int]]
    cap: list[list[int]]
    limit: int
    free: int = 1
    extra: int = 0
    placed: tuple[tuple[int, int], ...] = ()

    @cached_property
    def orders(self) -> list[list[tuple[int, int]]]:
        """For each item (price of a unit, request) of who can ship it, the cheapest first."""
        return [
            sorted([(prices[j], i) for i, prices in enumerate(self.unit) if self.cap[i][j]])
            for j in range(len(self.demand))
        ]
