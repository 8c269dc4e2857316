"""What a query costs, and the leaky bucket it is drawn from.

The platform's true numbers are not public; ours keep what is documented: scalars 0, objects 1, a connection 2 and its
nodes times `first`, mutations 10, nested `first` multiplies, at most 1000 for one query. `WEIGHT` is chosen such that
the platform's documented example (20 fulfillment orders with 100 lines) fits and 50 orders with 50 lines do not.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sandbox.shopify.plan import Arguments, Field, Plan

WEIGHT = 0.4
MAX_COST = 1000
MUTATION = 10


def requested(plan: Plan) -> int:
    own = sum(_cost(item, plan.filled) for item in plan.fields)
    return own + (MUTATION * len(plan.fields) if plan.operation.value == "mutation" else 0)


def _cost(item: Field, filled: Sequence[Arguments]) -> int:
    if not item.children:
        return 0
    arguments = filled[item.slot]
    if "ids" in arguments:
        return len(arguments["ids"]) * (1 + sum(_cost(child, filled) for child in item.children))
    if item.type_name.endswith("Connection"):
        size = _size(arguments)
        nodes = sum(1 + sum(_cost(c, filled) for c in _below(edge)) for edge in item.children if _is_nodes(edge))
        return 2 + math.ceil(size * nodes * WEIGHT)
    one = 1 + sum(_cost(child, filled) for child in item.children)
    return math.ceil(_size(arguments) * one * WEIGHT) if "first" in arguments else one


def _is_nodes(item: Field) -> bool:
    return item.name in {"nodes", "edges"}


def _below(item: Field) -> Sequence[Field]:
    if item.name == "edges":
        return [grandchild for child in item.children if child.name == "node" for grandchild in child.children]
    return item.children


def _size(arguments: Arguments) -> int:
    return int(arguments.get("first") or arguments.get("last") or 1)


@dataclass(slots=True)
class Bucket:
    """Points of one app at one shop: `restore_rate` a second up to `maximum`."""

    maximum: float = 20_000.0
    restore_rate: float = 1_000.0
    now: Callable[[], float] = time.monotonic
    _level: float = field(default=-1.0)
    _at: float = 0.0

    def available(self) -> float:
        moment = self.now()
        if self._level < 0:
            self._level, self._at = self.maximum, moment
        self._level = min(self.maximum, self._level + (moment - self._at) * self.restore_rate)
        self._at = moment
        return self._level

    def draw(self, points: float) -> None:
        self._level = max(0.0, self.available() - points)

    def status(self) -> dict[str, float]:
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.available()),
            "restoreRate": self.restore_rate,
        }
