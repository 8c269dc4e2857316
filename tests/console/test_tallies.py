"""Counts that are kept equal a recount, whatever came in which order, twice, or was forgotten (decision 0036)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from console_samples import DECISION, LIFE, ORDER, made

from console.api.lists import stats_of
from console.consumer import subscription
from console.tallies import Tallies
from waybill_common.db import Pool, open_pool, queries, rows, transaction
from waybill_common.migrations import migrate
from waybill_contracts.envelope import Received, event_id

from .test_rebuild import eventful

Q = queries("console")
RECOUNTS = {
    "stage": "select stage, count(*) from orders group by 1",
    "sync": "select sync, count(*) from orders group by 1",
    "hold": "select hold ->> 'reason', count(distinct order_id) "
    "from orders, jsonb_array_elements(snapshot -> 'holds') hold where stage = 'held' group by 1",
    "unrouted": "select d.reason, count(*) from orders o join decisions d using (order_id) "
    "where o.stage = 'imported' and (not d.routed or d.reason is not null) group by 1",
    "fr": "select state, count(*) from frs group by 1",
    "excluded": "select reason, count(*) from excluded_orders group by 1",
    "cause": "select cause, count(*) from troubles group by 1",
    "retry": "select log_type, count(*) from records where attempt > 1 group by 1",
}


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url, "console", ["console"])
    opened = await open_pool(database_url, "console", size=4, name="tallies")
    yield opened
    opened.terminate()


def received(facts: Sequence[tuple[str, Any]]) -> list[Received]:
    return [Received(event, event_id(source, event), f"waybill/{source}", None) for source, event in facts]


async def taken_in(pool: Pool, facts: Sequence[Received]) -> None:
    async with transaction(pool) as conn:
        await subscription(Q).handle(conn, facts)


async def counted(pool: Pool) -> dict[tuple[str, str], int]:
    kept = {(row["what"], row["key"]): row["n"] async for row in Q.tallied(pool)}
    causes = await rows(Q.failures(pool, per_group=1, limit=100))
    return kept | {("cause", row["cause"]): row["orders"] for row in causes}


async def recounted(pool: Pool) -> dict[tuple[str, str], int]:
    found = {what: await pool.fetch(question) for what, question in RECOUNTS.items()}
    return {(what, row[0]): row[1] for what, recount in found.items() for row in recount}


def troubled(number: int) -> list[tuple[str, Any]]:
    """One that is held for two reasons and then for one, one that no source has, one canceled, one not imported."""
    named = [
        {**ORDER, "order_id": f"t-{number}-{n}", "channel_order_id": f"t{number}-{n}", "number": f"#3{number}{n}"}
        for n in range(4)
    ]
    holds = [{"reason": reason, "fix": "Look."} for reason in ("unmapped_sku", "awaiting_payment")]
    unpaid = {**named[0], "state": "held", "holds": holds}
    mapped = {**named[0], "state": "held", "holds": holds[1:], "sequence": 2}
    decision = {"order_id": named[1]["order_id"], "order_version": 1, "decision": DECISION, "order_sequence": 1}
    left_out = {name: named[3][name] for name in ("store", "channel", "channel_order_id", "number")}
    exchange = {
        "exchange_id": f"x-{number}", "connection": "east", "service": "router", "log_type": "submit_request",
        "attempt": 2, "outcome": "later", "method": "POST", "url": "https://east.example", "duration_ms": 1,
    }  # fmt: skip
    canceled = {**named[2], "state": "canceled", "sequence": 2}
    return [
        ("order-ingest", made("order.imported", 1, 0, order=unpaid, via="pull")),
        ("order-ingest", made("order.held", 2, 1, order=mapped, added=[], removed=holds[:1])),
        ("order-ingest", made("order.imported", 1, 0, order=named[1], via="pull")),
        ("router", made("order.unroutable", 1, 1, **decision, reason=["no_stock", "not_served"][number % 2])),
        ("order-ingest", made("order.imported", 1, 0, order=named[2], via="pull")),
        ("order-ingest", made("order.canceled", 2, 2, order=canceled, reason="by the buyer")),
        ("order-ingest", made("order.excluded", 1, 0, **left_out, reason="unpaid")),
        ("order-ingest", made("order.excluded", 2, 1, **left_out, reason="too_old")),
        *([("order-ingest", made("order.imported", 3, 3, order=named[3], via="pull"))] if number % 2 else []),
        ("router", made("exchange.recorded", 1, 1, **exchange)),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_counts_equal_a_recount_after_each_batch_of_any_story(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    facts = received([*LIFE, *(fact for number in range(3) for fact in [*eventful(number), *troubled(number)])])
    facts += dice.sample(facts, len(facts) // 4)  # some come twice
    dice.shuffle(facts)

    while facts:
        batch, facts = facts[: (size := dice.randint(1, 12))], facts[size:]
        await taken_in(pool, batch)
        if dice.random() < 0.3:
            await Tallies(pool, Q).turn()
        assert await counted(pool) == await recounted(pool)

    await Tallies(pool, Q).turn()
    assert await pool.fetchval("select count(*) from tally_changes") == 0
    assert await counted(pool) == await recounted(pool)
    assert {what for what, _ in await counted(pool)} == set(RECOUNTS)
    await Q.forget_read_model(pool)
    assert await counted(pool) == {}


async def test_what_is_deleted_or_taken_back_counts_no_more(pool: Pool) -> None:
    await taken_in(pool, received([*LIFE, *troubled(0)]))
    async with pool.acquire() as conn:
        undone = conn.transaction()
        await undone.start()
        await subscription(Q).handle(conn, received(troubled(1)))
        await undone.rollback()
    for table in ("orders", "troubles", "records", "excluded_orders", "frs"):
        await pool.execute(f"delete from {table}")

    assert await counted(pool) == {}


async def test_writers_at_the_same_time_do_not_wait_for_each_other(pool: Pool) -> None:
    """Two replicas count the same stage: with a counter row, the second would wait for the first to commit."""
    async with transaction(pool) as first:
        await subscription(Q).handle(first, received(troubled(0)))
        async with transaction(pool) as second:
            await second.execute("set local lock_timeout = '5s'")
            await subscription(Q).handle(second, received(troubled(1)))

    assert await counted(pool) == await recounted(pool)


async def test_times_are_those_of_the_orders_that_were_settled_last(pool: Pool) -> None:
    await taken_in(pool, received(LIFE))
    await pool.execute(
        "insert into orders select (jsonb_populate_record(o, jsonb_build_object('order_id', 'old-' || n, "
        "'settled_at', o.settled_at - interval '1 year', 'imported_at', o.imported_at - interval '3 years'))).* "
        "from orders o, generate_series(1, 20) n"
    )

    newest = await Q.stage_seconds(pool, newest=1)

    assert newest["whole"] == [5.0, 5.0]
    assert (await Q.stage_seconds(pool, newest=100))["whole"][0] > timedelta(days=700).total_seconds()
    assert (await stats_of(pool, Q, None))["orders"]["by_stage"] == {"settled": 21}
