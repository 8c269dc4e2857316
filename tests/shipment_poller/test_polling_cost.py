"""What polling costs: calls by pure schedule, statements by their plans (SP-1; 100,000 open FRs over 50 sources)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from poller_harness import Stage

from shipment_poller import schedule
from waybill_platforms.http_source.client import RATE

QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("unshipped", "poll_every", "lists", "at_once", "calls"),
    [
        (0, QUARTER, True, 1, 0),
        (1, QUARTER, True, 1, 96),
        (2_000, QUARTER, True, 1, 96),
        (2_000, timedelta(hours=1), True, 1, 24),
        (2_000, QUARTER, False, 100, 1_920),
        (2_001, QUARTER, False, 100, 2_016),
        (2_000, QUARTER, False, 1, 192_000),
    ],
)
def test_sp_1_calls_a_day_by_the_schedule(
    unshipped: int, poll_every: timedelta, lists: bool, at_once: int, calls: int
) -> None:
    assert schedule.calls_a_day(unshipped, poll_every, lists_changes=lists, asked_at_once=at_once) == calls


def test_sp_1_100_000_open_frs_over_50_sources_fit_into_every_sources_budget() -> None:
    """Half of the rate is the poller's; even sources that are asked for each FR by name use a thousandth of it."""
    ours = RATE.per_second * 0.5 * 86_400
    each = 100_000 // 50
    listing = schedule.calls_a_day(each, QUARTER, lists_changes=True, asked_at_once=1)
    naming = schedule.calls_a_day(each, QUARTER, lists_changes=False, asked_at_once=100)
    assert listing / each < 0.05  # calls an open FR a day
    assert naming / each < 1
    assert naming < ours / 1000


async def test_sp_1_no_statement_of_a_turn_reads_the_whole_table(stage: Stage) -> None:
    await stage.pool.execute(
        "insert into watches (fr_id, order_id, source, number, platform_id, state, outcome, push_sequence, shipped_at) "
        "select 'f' || n, 'o' || n, 'source-' || n % 50, 'E-' || n, 'p' || n, 'PROCESSED', 'known', 2, "
        "case when n % 5 = 0 then now() - n * interval '1 minute' end from generate_series(1, 30000) n"
    )
    await stage.pool.execute(
        "insert into source_turns (source, due_at) select 'source-' || n, now() from generate_series(0, 49) n"
    )
    await stage.pool.execute("analyze watches")
    q, day, hour = stage.tools.queries, timedelta(days=1), timedelta(hours=1)
    statements = [
        (q.watching.sql, ["source-7"]),
        (q.open_requests.sql, ["source-7", 30 * day, day, hour / 2, 7 * day, 3 * hour, 12 * hour, 50]),
        (q.late_turns.sql, [30 * day]),
        (q.watches_by_reference.sql, ["source-7", ["E-7", "E-57"], ["p107"]]),
        (q.early_for_frs.sql, [["f7"]]),
    ]
    async with stage.pool.acquire() as conn:
        for sql, given in statements:
            plan = "\n".join(row[0] for row in await conn.fetch(f"explain {sql}", *given))
            assert "Seq Scan on watches" not in plan, plan
