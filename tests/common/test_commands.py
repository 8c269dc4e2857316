"""A command is done once, whatever is sent how often, and what it tells names it (DESIGN section 3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from fastapi import Response

from waybill_common import commands, outbox
from waybill_common.commands import TOLD, Command, cause
from waybill_common.db import Connection, Pool, open_pool
from waybill_common.migrations import migrate
from waybill_contracts.envelope import encode
from waybill_contracts.fulfillment_submitted import FrProcessing, FrState

AT = "2026-11-22T10:00:00Z"


@pytest_asyncio.fixture
async def pool(database_url: str) -> Any:
    await migrate(database_url, "owner", [])
    pool = await open_pool(database_url, "owner", size=8, name="commands")
    yield pool
    await pool.close()


def message(sequence: int) -> outbox.Message:
    fact = FrProcessing(
        sequence=sequence, at=AT, fr_id="fr-1", order_id="o-1", source="east", number="E-1",
        state=FrState.PROCESSING, order_version=1, router_sequence=1,
    )  # fmt: skip
    return outbox.Message(*encode(fact, source="owner", caused_by=cause()))


async def tell_one(conn: Connection) -> dict[str, Any]:
    newest = await conn.fetchval("select count(*) from facts")
    await outbox.append(conn, [message(newest + 1)])
    return {"did": newest + 1}


async def told(pool: Pool) -> list[Any]:
    return [row["value"] for row in await pool.fetch("select value from facts order by position")]


async def test_the_same_id_again_is_answered_as_the_first_time_and_does_nothing(pool: Pool) -> None:
    answers = [await Command("c-1").once(pool, tell_one) for _ in range(3)]
    assert answers == [{"did": 1}] * 3
    assert len(await told(pool)) == 1


async def test_an_answer_of_ids_and_moments_is_the_same_again(pool: Pool) -> None:
    async def act(conn: Connection) -> dict[str, Any]:
        row = await conn.fetchrow("select gen_random_uuid() as id, now() as at, 1.50::numeric as amount")
        assert row is not None
        return dict(row)

    first, again = [await Command("c-1").once(pool, act) for _ in range(2)]
    assert first == again
    assert first["amount"] == "1.50"


async def test_the_same_id_at_the_same_moment_is_done_once(pool: Pool) -> None:
    answers = await asyncio.gather(*(Command("c-1").once(pool, tell_one) for _ in range(6)))
    assert answers == [{"did": 1}] * 6
    assert len(await told(pool)) == 1


async def test_what_is_told_names_the_command_and_is_counted_with_what_is_to_come(pool: Pool) -> None:
    response = Response()
    command = Command("c-1/part", response)

    async def act(conn: Connection) -> dict[str, Any]:
        await tell_one(conn)
        command.expects(2)
        return {}

    await command.once(pool, act)
    assert response.headers[TOLD] == "3"
    assert b'"caused_by":"c-1"' in (await told(pool))[0]
    again = Command("c-1/part", Response())
    await again.once(pool, act)
    assert again.told == 3
    assert cause() is None


async def test_what_is_refused_leaves_nothing_and_is_judged_anew(pool: Pool) -> None:
    async def refuse(conn: Connection) -> Any:
        await tell_one(conn)
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        await Command("c-1").once(pool, refuse)
    assert await told(pool) == []
    assert await Command("c-1").once(pool, tell_one) == {"did": 1}


async def test_a_call_without_an_id_is_done_each_time(pool: Pool) -> None:
    for _ in range(2):
        await Command().once(pool, tell_one)
    assert len(await told(pool)) == 2
    assert await pool.fetchval("select count(*) from commands_taken") == 0


async def test_commands_are_forgotten_when_nobody_sends_them_any_more(pool: Pool) -> None:
    await Command("old").once(pool, tell_one)
    await Command("new").once(pool, tell_one)
    await pool.execute("update commands_taken set taken_at = now() - interval '3 days' where command_id = 'old'")
    await commands.prune(pool)
    assert [row[0] for row in await pool.fetch("select command_id from commands_taken")] == ["new"]
