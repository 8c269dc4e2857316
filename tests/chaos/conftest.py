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
        hub.answered()
        books = hub.books()
        assert books["ok"], books["problems"]
        assert hub.dead_letters() == 0, "nothing that the services say to each other may be unreadable"
        stats = hub.stats()
        seen = stats["orders"]["total"] + sum(stats["orders"]["excluded"].values())
        assert seen == hub.orders, "I1: every order that the channel served is here once, or excluded with a reason"
        for statement, words in ROWS:
            broken = hub.query(statement)
            assert not broken, f"{words}: {[dict(row) for row in broken[:5]]}"

    return check


ROWS = (
    (
        """
        select s.source, s.sku, s.reserved, coalesce(a.open, 0) as open
        from router.stock s left join (
            select source, sku, sum(open - uncovered) as open from router.allocations where tracked group by 1, 2
        ) a using (source, sku)
        where s.reserved <> coalesce(a.open, 0) or s.reserved < 0 or s.reserved > s.on_hand
        """,
        "I4: 0 <= reserved <= on hand, and reserved = what is open",
    ),
    (
        """
        select s.source, s.sku, s.on_hand, c.level ->> 'on_hand' as counted, a.shipped
        from router.stock s join console.stock_levels c using (source, sku) left join (
            select source, sku, sum(shipped) as shipped from router.allocations where tracked group by 1, 2
        ) a using (source, sku)
        where s.on_hand + coalesce(a.shipped, 0) <> (c.level ->> 'on_hand')::int
        """,
        "RT-6: what was counted is on hand or was shipped, once",
    ),
    (
        """
        with asked as (
            select f.order_id, a.line_id, a.sku, sum(a.asked - a.released) as units
            from router.allocations a join router.frs f using (fr_id) group by 1, 2, 3
        ), wanted as (
            select o.order_id, line ->> 'line_id' as line_id, part ->> 'sku' as sku,
                   sum(((line ->> 'quantity')::int - (line ->> 'canceled')::int) * (part ->> 'quantity')::int) as units
            from console.orders o, jsonb_array_elements(o.snapshot -> 'lines') as line,
                 jsonb_array_elements(line -> 'components') as part
            where o.stage = 'settled' and not (line ->> 'service')::boolean
            group by 1, 2, 3
        )
        select * from wanted w full join asked a using (order_id, line_id, sku)
        where coalesce(w.units, 0) <> coalesce(a.units, 0)
        """,
        "I2: requested = ordered - canceled, line by line, and no FR without its order",
    ),
    (
        "select order_id, stage from console.orders where stage = 'held' and snapshot -> 'holds' = '[]'",
        "I5: nothing waits without a reason",
    ),
    (
        "select source, number, count(*) from fulfillment_push.frs group by 1, 2 having count(*) > 1",
        "I3: one FR under one number",
    ),
)
