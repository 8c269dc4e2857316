"""The invariants that must hold after any run, with or without faults; and what the fault scripts look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# The foundation's own bound: 5% of the calls answered 429, 5% with 503, 2% lose their answer after the work was done,
# some effects land only after the client gave up.
FAULTS = [
    {"match": "*", "kind": "429", "rate": 0.05, "params": {"retry_after": 1}},
    {"match": "*", "kind": "503", "rate": 0.05},
    {"match": "*", "kind": "lost", "rate": 0.02},
    {"match": "*", "kind": "late", "rate": 0.01, "params": {"seconds": 3}},
]


@pytest.fixture
def faults() -> list[dict[str, Any]]:
    return [dict(fault) for fault in FAULTS]


@pytest.fixture
def invariants() -> Callable[[Any], None]:
    """Asserts what must be true of a hub that has settled."""

    def check(hub: Any) -> None:
        hub.quiet()
        books = hub.books()
        assert books["ok"], books["problems"]
        assert hub.dead_letters() == 0, "nothing that the services say to each other may be unreadable"
        stats = hub.stats()
        seen = stats["orders"]["total"] + sum(stats["orders"]["excluded"].values())
        assert seen == hub.orders, "I1: every order that the channel served is here once, or excluded with a reason"
        for statement, words in STOCK:
            broken = hub.query(statement)
            assert not broken, f"{words}: {[dict(row) for row in broken[:5]]}"

    return check


STOCK = (
    (
        "select * from router.stock where reserved < 0 or reserved > on_hand",
        "I4: 0 <= reserved <= on hand",
    ),
)
