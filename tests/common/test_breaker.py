"""When a connection is down, when it is unauthorized, and what brings it back."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from waybill_common.breaker import FAILURES_UNTIL_DOWN, Health, StateChange
from waybill_common.db import Connection, open_session
from waybill_common.migrations import migrate
from waybill_common.retry import Family


@pytest_asyncio.fixture
async def conn(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    await migrate(database_url, "kernel", [])
    session = await open_session(database_url, "kernel", name="test")
    yield session
    await session.close()


async def fail(health: Health, conn: Connection, times: int) -> list[StateChange | None]:
    return [await health.note(conn, "shop", Family.LATER, cause="503") for _ in range(times)]


async def test_five_transient_failures_in_a_row_take_a_connection_down_once(conn: Connection) -> None:
    changes = await fail(Health(), conn, FAILURES_UNTIL_DOWN + 2)
    assert [change and change.state for change in changes] == [None] * 4 + ["down"] + [None] * 2
    change = changes[4]
    assert change is not None
    assert (change.previous, change.cause) == ("ok", "503")


async def test_a_success_between_failures_starts_the_count_again(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 4)
    assert await health.note(conn, "shop", None) is None
    assert await fail(health, conn, 4) == [None] * 4


async def test_a_replicas_success_counts_for_the_others(conn: Connection) -> None:
    ours, other = Health(), Health()
    await fail(ours, conn, 4)
    await other.blocked(conn)
    await other.note(conn, "shop", None)
    assert await fail(ours, conn, 1) == [None]


async def test_a_refusal_shows_that_the_connection_works(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 5)
    change = await health.note(conn, "shop", Family.REFUSED)
    assert change is not None
    assert change.state == "ok"


async def test_an_unreadable_answer_proves_neither(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 5)
    assert await health.note(conn, "shop", Family.UNREADABLE) is None
    assert await health.blocked(conn) == frozenset({"shop"})


async def test_one_success_resumes_a_connection_that_was_down(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 5)
    assert health.is_blocked("shop")
    change = await health.note(conn, "shop", None)
    assert change is not None
    assert (change.previous, change.state) == ("down", "ok")
    assert await health.blocked(conn) == frozenset()
    assert not health.is_blocked("shop")


async def test_probes_of_a_connection_that_stays_down_grow_apart(conn: Connection) -> None:
    health = Health()
    waits = []
    await fail(health, conn, 4)
    for _ in range(9):
        await conn.execute("update connection_health set probing = true")
        await fail(health, conn, 1)
        waits.append(
            round(float(await conn.fetchval("select extract(epoch from probe_at - now()) from connection_health")))
        )
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60, 60]


async def test_wrong_credentials_pause_until_newer_ones_come(conn: Connection) -> None:
    health = Health()
    change = await health.note(conn, "shop", Family.UNAUTHORIZED, credential_version=3, cause="401")
    assert change is not None
    assert (change.state, change.credential_version) == ("unauthorized", 3)
    assert await health.note(conn, "shop", None, credential_version=3) is None
    assert await health.resume(conn, "shop", 3) is None
    assert await health.blocked(conn) == frozenset({"shop"})
    change = await health.resume(conn, "shop", 4)
    assert change is not None
    assert (change.previous, change.state) == ("unauthorized", "ok")
    assert await health.blocked(conn) == frozenset()


async def test_a_late_answer_to_old_credentials_does_not_pause_the_new_ones(conn: Connection) -> None:
    health = Health()
    await health.note(conn, "shop", Family.UNAUTHORIZED, credential_version=3)
    await health.resume(conn, "shop", 4)
    assert await health.note(conn, "shop", Family.UNAUTHORIZED, credential_version=3) is None
    assert await health.blocked(conn) == frozenset()


async def test_calls_under_way_when_it_went_down_do_not_move_the_probe_further_off(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 5)
    first = await conn.fetchval("select probe_at from connection_health")
    await fail(health, conn, 30)
    assert await conn.fetchval("select probe_at from connection_health") == first


async def test_a_new_configuration_does_not_end_an_outage_but_lets_it_be_probed_at_once(conn: Connection) -> None:
    health = Health()
    await fail(health, conn, 5)
    assert await health.resume(conn, "shop", 9) is None
    blocked = await health.blocked(conn)
    assert blocked == frozenset()
    assert blocked.probing == frozenset({"shop"})


async def test_the_ordinary_success_of_a_healthy_connection_costs_no_statement(
    conn: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    health = Health()
    statements: list[object] = []
    conn.add_query_logger(statements.append)
    assert await health.note(conn, "shop", None) is None
    assert statements == []


@pytest.mark.parametrize("family", [Family.LATER, Family.UNAUTHORIZED])
async def test_other_connections_go_on(conn: Connection, family: Family) -> None:
    health = Health()
    for _ in range(6):
        await health.note(conn, "shop", family)
    assert await health.blocked(conn) == frozenset({"shop"})


async def test_new_credentials_whose_transaction_was_rolled_back_resume_when_it_is_tried_again(
    conn: Connection,
) -> None:
    health = Health()
    await health.note(conn, "shop", Family.UNAUTHORIZED, credential_version=1)
    lost = conn.transaction()  # to a deadlock, say
    await lost.start()
    await health.resume(conn, "shop", 2)
    await lost.rollback()
    assert await health.blocked(conn) == frozenset({"shop"})
    change = await health.resume(conn, "shop", 2)
    assert change is not None
    assert change.state == "ok"
