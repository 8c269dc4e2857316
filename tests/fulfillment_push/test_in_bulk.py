"""Many at once: a handful of statements and few commits however many FRs are under way. (FP-2, G4)"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

MANY = 1200


async def commits(stage: Any) -> int:
    await asyncio.sleep(1.1)  # the server counts in its own rhythm
    await stage.pool.execute("select pg_stat_force_next_flush()")
    found = await stage.pool.fetchval("select xact_commit from pg_stat_database where datname = current_database()")
    return int(found)


async def test_a_backlog_takes_few_commits(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("west"))
    frs = [kit.fr_of(f"f{n:05}", f"o{n:05}", source=("east", "west")[n % 2]) for n in range(MANY)]
    before = await commits(stage)
    for start in range(0, MANY, 200):
        await stage.deliver(*(kit.created(fr) for fr in frs[start : start + 200]))
    for source in stage.sources.values():
        source.delay = 0.002
    async with stage.workers():
        for _ in range(100):
            await asyncio.sleep(0.3)
            if sum(sum(source.made.values()) for source in stage.sources.values()) == MANY:
                break
    spent = await commits(stage) - before
    sent = await stage.pool.fetchval("select count(*) from frs where state = 'ACKNOWLEDGED'")
    assert sent == MANY
    assert all(set(source.made.values()) == {1} for source in stage.sources.values())
    assert spent / MANY < 0.1, f"{spent} commits for {MANY} FRs"


async def test_fp2_a_hundred_thousand_that_wait_for_a_dead_source_cost_the_others_nothing(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("dead"))
    await stage.deliver(kit.created(kit.fr_of("f0", "o0")))
    alone = await cost_of_sending(stage, "f0")
    await stage.pool.execute(
        "update connection_health set state = 'down', failures = 9, probe_at = now() + interval '1 hour' "
        "where connection_id = 'dead'"
    )
    await stage.pool.execute(
        "insert into connection_health (connection_id, state, failures, probe_at) "
        "values ('dead', 'down', 9, now() + interval '1 hour') on conflict (connection_id) do nothing"
    )
    await stage.pool.execute(
        "insert into frs (fr_id, order_id, source, number, state, known, waiting, waiting_since, due_at) "
        "select 'd' || n, 'o' || n, 'dead', 'D' || n, 'PROCESSING', true, 'connection_down', now(), now() "
        "from generate_series(1, 100000) n"
    )
    await stage.pool.execute("analyze frs")
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2", "o2")))
    crowded = await cost_of_sending(stage, "f1")
    assert (await stage.fr("f2"))["state"] == "ACKNOWLEDGED"
    assert stage.sources["dead"].ledger == {}
    assert crowded["statements"] <= alone["statements"] + 2, (alone, crowded)
    assert crowded["blocks"] < 3000, (alone, crowded)  # the dead source's rows alone fill more


async def cost_of_sending(stage: Any, fr_id: str) -> dict[str, int]:
    """What one send run costs the database: statements, and blocks of `frs` and its indexes that were read."""
    statements: list[str] = []
    listeners = [await stage.pool.acquire() for _ in range(6)]
    for conn in listeners:
        conn.add_query_logger(lambda record: statements.append(record.query))
        await stage.pool.release(conn)
    before = await blocks(stage)
    statements.clear()
    await stage.send()
    spent = len(statements)
    assert (await stage.fr(fr_id))["state"] == "ACKNOWLEDGED"
    return {"statements": spent, "blocks": await blocks(stage) - before}


async def blocks(stage: Any) -> int:
    await stage.pool.execute("select pg_stat_force_next_flush()")
    await asyncio.sleep(1.1)
    found = await stage.pool.fetchval(
        "select sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) from pg_statio_user_tables "
        "where relname = 'frs' and schemaname = 'fulfillment_push'"
    )
    return int(found or 0)


async def test_fp2_a_source_that_takes_30_seconds_an_answer_holds_up_nobody(stage: Any, kit: Any) -> None:
    """At most 12 of its calls are side by side, and its share of a claim is bounded; the others go on meanwhile."""
    await stage.configure(kit.source_of("slow"), *(kit.source_of(f"s{n}") for n in range(4)))
    slow = stage.sources["slow"]
    slow.delay, slow.features = 30.0, replace(slow.features, call_timeout=40.0)
    frs = [kit.fr_of(f"slow{n}", f"os{n}", source="slow") for n in range(300)]
    await stage.deliver(*(kit.created(fr) for fr in frs))
    run, answers = stage.worker()
    await run.turn()  # the slow one has its share in hand
    others = [kit.fr_of(f"q{n}", f"oq{n}", source=f"s{n % 4}") for n in range(200)]
    await stage.deliver(*(kit.created(fr) for fr in others))
    started = asyncio.get_running_loop().time()
    while sum(sum(stage.sources[f"s{n}"].made.values()) for n in range(4)) < 200:
        assert asyncio.get_running_loop().time() - started < 20, "they wait for the slow one"
        await run.turn()
        await answers.turn()
        await asyncio.sleep(0.002)
    assert slow.most_side_by_side == 12
    assert slow.made == {}  # it has not answered once meanwhile
    assert await stage.pool.fetchval("select count(*) from frs where source = 'slow' and attempts > 0") <= 2 * 128
    await run.stop(0)
