"""Claims on real PostgreSQL: one claimer a row, every connection its share, the database's clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from waybill_common.breaker import FAILURES_UNTIL_DOWN, Health
from waybill_common.db import Pool, open_pool
from waybill_common.leases import Lease, LeasedTable, claim, extend, give_up
from waybill_common.migrations import migrate
from waybill_common.retry import Family

TABLE = LeasedTable("jobs", "id", "connection", where="not t.resting")
HOLD = timedelta(seconds=30)


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url, "kernel", [])
    pool = await open_pool(database_url, "kernel", size=8, name="test")
    await pool.execute(
        """create table jobs (id int primary key, connection text not null, resting bool not null default false,
            due_at timestamptz, lease_token uuid, lease_until timestamptz, attempts int not null default 0);
        create index on jobs (connection, due_at) where due_at is not null"""
    )
    yield pool
    await pool.close()


async def add(pool: Pool, connection: str, ids: range, due: str = "now() - interval '1 minute'") -> None:
    await pool.execute(
        f"insert into jobs (id, connection, due_at) select i, $1, {due} from unnest($2::int[]) i", connection, list(ids)
    )


async def take(pool: Pool, **options: Any) -> list[Lease]:
    async with pool.acquire() as conn:
        return await claim(conn, TABLE, **{"limit": 100, "per_connection": 50, "hold": HOLD, **options})


async def test_every_row_is_claimed_by_one_of_many_claimers(pool: Pool) -> None:
    for number in range(5):
        await add(pool, f"c{number}", range(number * 100, number * 100 + 100))
    seen: list[int] = []

    async def work() -> None:
        empty = 0
        while empty < 5:
            leases = await take(pool, limit=23, per_connection=7)
            seen.extend(lease.id for lease in leases)
            empty = 0 if leases else empty + 1

    await asyncio.gather(*[work() for _ in range(6)])
    assert sorted(seen) == list(range(500))


async def test_a_connection_with_a_mountain_of_rows_leaves_the_others_their_share(pool: Pool) -> None:
    await add(pool, "mountain", range(1000), "now() - interval '1 day'")
    await add(pool, "small", range(1000, 1003))
    await add(pool, "other", range(2000, 2020))
    leases = await take(pool, limit=12, per_connection=50)
    assert Counter(lease.row["connection"] for lease in leases) == {"mountain": 5, "other": 4, "small": 3}


async def test_no_connection_gives_more_than_per_connection(pool: Pool) -> None:
    await add(pool, "a", range(50))
    assert len(await take(pool, per_connection=4)) == 4


async def test_the_longest_due_come_first(pool: Pool) -> None:
    await pool.execute(
        """insert into jobs (id, connection, due_at)
        select i, 'a', now() - make_interval(secs => i) from generate_series(1, 9) i"""
    )
    assert [lease.id for lease in await take(pool, limit=3)] == [9, 8, 7]


async def test_rows_not_due_resting_excluded_or_without_due_time_stay(pool: Pool) -> None:
    await add(pool, "a", range(3), "now() + interval '1 minute'")
    await add(pool, "b", range(10, 13))
    await add(pool, "c", range(20, 23))
    await add(pool, "d", range(30, 33), "null")
    await pool.execute("update jobs set resting = true where connection = 'b'")
    assert await take(pool, exclude_connections={"c"}) == []


async def test_claiming_uses_up_no_attempt_and_gives_the_whole_row(pool: Pool) -> None:
    await add(pool, "a", range(1))
    (lease,) = await take(pool)
    assert lease.attempts == 0
    assert lease.row["connection"] == "a"
    assert lease.row["lease_token"] == lease.token


async def test_a_lease_that_ended_can_be_claimed_again_and_its_old_token_changes_nothing(pool: Pool) -> None:
    await add(pool, "a", range(1))
    (lost,) = await take(pool, hold=timedelta(milliseconds=50))
    assert await take(pool) == []
    await asyncio.sleep(0.1)
    (ours,) = await take(pool)
    status = await pool.execute("update jobs set due_at = null where id = 0 and lease_token = $1", lost.token)
    assert status == "UPDATE 0"
    async with pool.acquire() as conn:
        await give_up(conn, TABLE, [lost], None)
        assert await extend(conn, TABLE, [lost, ours], HOLD) != []
    assert await pool.fetchval("select lease_token from jobs") == ours.token


async def test_a_row_given_up_is_due_again_with_no_attempt_used(pool: Pool) -> None:
    await add(pool, "a", range(2))
    leases = await take(pool)
    async with pool.acquire() as conn:
        await give_up(conn, TABLE, leases[:1], None)
        await give_up(conn, TABLE, leases[1:], timedelta(minutes=1))
    assert [lease.id for lease in await take(pool)] == [leases[0].id]
    assert await pool.fetchval("select sum(attempts) from jobs") == 0


async def test_a_lease_knows_whether_it_outlives_a_call(pool: Pool) -> None:
    await add(pool, "a", range(1))
    (lease,) = await take(pool, hold=timedelta(seconds=10))
    assert lease.outlives(9)
    assert not lease.outlives(10)


async def test_a_lease_is_extended_from_now_on(pool: Pool) -> None:
    await add(pool, "a", range(1))
    (lease,) = await take(pool, hold=timedelta(seconds=1))
    async with pool.acquire() as conn:
        (longer,) = await extend(conn, TABLE, [lease], timedelta(seconds=60))
    assert longer.token == lease.token
    assert longer.outlives(55)


async def test_rows_without_a_connection_are_claimed_in_order_of_time(pool: Pool) -> None:
    await add(pool, "a", range(5))
    async with pool.acquire() as conn:
        leases = await claim(conn, LeasedTable("jobs", "id", None), limit=2, per_connection=9, hold=HOLD)
    assert len(leases) == 2


async def test_of_a_connection_that_is_down_one_row_is_tried_by_one_claimer(pool: Pool) -> None:
    await add(pool, "down", range(20))
    await add(pool, "well", range(100, 105))
    health = Health()
    async with pool.acquire() as conn:
        for _ in range(FAILURES_UNTIL_DOWN):
            await health.note(conn, "down", Family.LATER)
        blocked = await health.blocked(conn)
        assert (set(blocked), blocked.probing) == ({"down"}, frozenset())
        await conn.execute("update connection_health set probe_at = now()")
        blocked = await health.blocked(conn)
    assert (set(blocked), blocked.probing) == (set(), frozenset({"down"}))
    claims = await asyncio.gather(*[take(pool, exclude_connections=blocked) for _ in range(6)])
    got = Counter(lease.row["connection"] for leases in claims for lease in leases)
    assert got == {"down": 1, "well": 5}


async def test_a_probe_that_finds_no_row_is_not_used_up(pool: Pool) -> None:
    health = Health()
    async with pool.acquire() as conn:
        for _ in range(FAILURES_UNTIL_DOWN):
            await health.note(conn, "down", Family.LATER)
        await conn.execute("update connection_health set probe_at = now()")
        blocked = await health.blocked(conn)
        assert await take(pool, exclude_connections=blocked) == []
        assert (await health.blocked(conn)).probing == {"down"}


@pytest.mark.parametrize("name", ["jobs; drop table x", "Jobs", "a b", ""])
def test_a_name_that_is_no_plain_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no plain SQL name"):
        LeasedTable(name, "id", None)


async def test_a_claim_reads_few_rows_however_many_wait(pool: Pool) -> None:
    await pool.execute(
        """insert into jobs (id, connection, due_at)
        select i, 'c' || i % 3, now() + interval '1 day' - make_interval(secs => i % 2 * 200000)
        from generate_series(1, 60000) i;
        analyze jobs"""
    )
    async with asyncio.timeout(0.5):
        leases = await take(pool, limit=30, per_connection=10)
    assert len(leases) == 30
