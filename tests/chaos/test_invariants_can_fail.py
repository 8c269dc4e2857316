"""A check that cannot fail proves nothing: each invariant is broken by hand once, and must say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

PLANTED = {
    "I4": "update router.stock set reserved = reserved + 1 where on_hand > reserved",
    "RT-6": "update router.stock set on_hand = on_hand + 1",
    # these stay broken: each is looked at before the one planted before it
    "I5": "update console.orders set snapshot = jsonb_set(snapshot, '{holds}', '[]') where stage = 'held'",
    "I2": """update console.orders set snapshot = replace(snapshot::text, '"canceled": 0', '"canceled": 1')::jsonb""",
    "I1": "delete from console.excluded_orders",
}
MENDED = {
    "I4": "update router.stock set reserved = reserved - 1 where reserved > 0",
    "RT-6": "update router.stock set on_hand = on_hand - 1",
}


def test_each_invariant_sees_its_own_violation(make_hub: Callable[..., Any], invariants: Callable[[Any], None]) -> None:
    hub = make_hub(orders=40)
    hub.start()
    hub.settle()
    invariants(hub)

    for name, statement in PLANTED.items():
        hub.query(statement)
        with pytest.raises(AssertionError, match=name):
            invariants(hub)
        if name in MENDED:
            hub.query(MENDED[name])
            invariants(hub)
