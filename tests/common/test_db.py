"""Transactions that are rolled back for another's sake are done again; all else is the caller's to see."""

import asyncpg
import pytest

from waybill_common.db import Connection, Pool, in_transaction


@pytest.fixture
async def tried(pool: Pool) -> None:
    await pool.execute("create table tried (n int not null)")


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_what_was_rolled_back_for_another_s_sake_is_done_again(
    pool: Pool, tried: None, error: type[Exception]
) -> None:
    times = []

    async def work(conn: Connection) -> str:
        await conn.execute("insert into tried values ($1)", len(times))
        times.append(1)
        if len(times) < 4:
            raise error("deadlock detected")
        return "done"

    assert await in_transaction(pool, work) == "done"
    assert [row["n"] for row in await pool.fetch("select n from tried")] == [3]


@pytest.mark.parametrize(("error", "tries"), [(asyncpg.DeadlockDetectedError, 5), (asyncpg.UniqueViolationError, 1)])
async def test_what_no_other_try_mends_is_raised_and_leaves_nothing(
    pool: Pool, tried: None, error: type[Exception], tries: int
) -> None:
    times = []

    async def work(conn: Connection) -> None:
        await conn.execute("insert into tried values (0)")
        times.append(1)
        raise error("no")

    with pytest.raises(error):
        await in_transaction(pool, work)
    assert len(times) == tries
    assert await pool.fetchval("select count(*) from tried") == 0
