"""Small helpers for folding a batch: the newest per aggregate, and columns for `unnest`."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def newest(items: Iterable[T], key: Callable[[T], Hashable], sequence: Callable[[T], int]) -> list[T]:
    """One item per key, the one with the highest sequence, in key order (so that rows are locked in one order)."""
    best: dict[Any, T] = {}
    for item in items:
        known = best.get(key(item))
        if known is None or sequence(item) > sequence(known):
            best[key(item)] = item
    return [best[name] for name in sorted(best)]


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into `width` columns, also when there are no rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
