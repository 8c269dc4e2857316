"""Many at once: a handful of statements and few commits however many FRs are under way. (FP-2, G4)"""

from __future__ import annotations

import asyncio
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


async def test_many_that_wait_for_a_dead_source_cost_the_others_nothing(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("dead"))
    await stage.pool.execute(
        "update connection_health set state = 'down', failures = 9, probe_at = now() + interval '1 hour' "
        "where connection_id = 'dead'"
    )
    await stage.pool.execute(
        "insert into frs (fr_id, order_id, source, number, state, known, waiting, waiting_since, due_at) "
        "select 'd' || n, 'o' || n, 'dead', 'D' || n, 'PROCESSING', true, 'connection_down', now(), now() "
        "from generate_series(1, 20000) n"
    )
    await stage.pool.execute("analyze frs")
    await stage.deliver(kit.created())
    loop = asyncio.get_running_loop()
    started = loop.time()
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
    assert loop.time() - started < 0.5
