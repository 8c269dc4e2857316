"""`as_of` is honest: it stands still while the read model does, and lists do not skip or repeat while it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from console_samples import IMPORTED, ORDER, made

from console.fresh import Fresh
from waybill_common.db import queries, transaction
from waybill_common.freshness import Freshness, Standing

LISTS = (
    "/orders",
    "/excluded-orders",
    "/frs",
    "/shipments",
    "/records",
    "/alerts",
    "/connections",
    "/failures",
    "/stats",
)


async def test_every_list_says_until_when_it_is_true_and_that_stands_still_with_the_consumer(console: Any) -> None:
    began = datetime.now(UTC)
    await console.eventually("/stats", lambda a: a["as_of"] is not None and _moment(a) > began)
    pool = console.run.runtime.pool
    async with transaction(pool) as conn:
        await conn.execute("lock table order_versions in share mode")  # the projection waits, readers do not
        await console.publish(IMPORTED)
        published = datetime.now(UTC)
        for path in LISTS * 2:
            answer = await console.get(path)
            assert _moment(answer) <= published, path
        assert (await console.get("/orders"))["items"] == []

    answer = await console.eventually("/orders", lambda a: _moment(a) > published)
    assert len(answer["items"]) == 1


def _moment(answer: Any) -> datetime:
    return datetime.fromisoformat(answer["as_of"])


async def test_an_answer_is_as_fresh_as_the_stalest_replica_that_lives(empty_console: Any) -> None:
    pool, q = empty_console.run.runtime.pool, queries("console")
    now = datetime.now(UTC)
    own = Freshness()
    own.note([Standing(("orders.imported", 0), 1, 1, now)])
    await pool.execute("delete from readers")
    lagging = now - timedelta(minutes=3)
    await q.note_read_until(pool, instance="lagging", read_until=lagging)
    await q.note_read_until(pool, instance="dead", read_until=now - timedelta(hours=9))
    await pool.execute("update readers set heard_at = now() - interval '1 minute' where instance = 'dead'")

    assert await Fresh(pool, q, own, "me").as_of() == lagging
    await q.forget_reader(pool, instance="lagging")
    assert await Fresh(pool, q, own, "me").as_of() == now
    assert await Fresh(pool, q, Freshness(), "idle").as_of() == now - timedelta(hours=9)
    await pool.execute("delete from readers")


async def test_pages_neither_skip_nor_repeat_while_orders_come_in(console: Any) -> None:
    def order(number: int, second: int) -> Any:
        fields = {"order_id": f"p-{number:03}", "channel_order_id": f"p{number}", "number": f"#5{number:03}"}
        placed = {**ORDER, **fields, "placed_at": f"2026-11-22T10:00:{second:02}Z"}
        return "order-ingest", made("order.imported", 1, 0, order=placed, via="pull")

    await console.publish(*(order(number, number // 3) for number in range(30)))  # three at each second
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 30)
    seen, cursor, more = [], None, 30
    while True:
        answer = await console.get("/orders", limit=7, **({"cursor": cursor} if cursor else {}))
        seen += [found["order_id"] for found in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
        await console.publish(order(more, 59), order(more + 1, 59))  # newer than all pages that follow
        more += 2
        await console.eventually("/stats", lambda a, total=more: a["orders"]["total"] == total)

    assert seen == [f"p-{number:03}" for number in sorted(range(30), key=lambda n: (n // 3, n), reverse=True)]
