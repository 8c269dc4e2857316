"""The outbox keeps what a transaction said, in order; receipts settle what was due."""

import asyncio

import asyncpg
import pytest

from waybill_common import db, outbox, sweep
from waybill_common.db import Pool, transaction
from waybill_common.outbox import Message, Receipt


def message(number: int, receipt: Receipt | None = None) -> Message:
    return Message(f"id-{number}", "things", f"key-{number}", {"ce_id": f"id-{number}"}, b"{}", receipt)


async def pending(pool: Pool) -> list[str]:
    rows = await pool.fetch("select f.id from outbox join facts f using (position) order by position")
    return [row["id"] for row in rows]


async def test_messages_are_stored_in_their_order_with_the_transaction(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(n) for n in range(300)])
    assert await pending(pool) == [f"id-{n}" for n in range(300)]


async def test_a_transaction_that_fails_says_nothing(pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="changed our mind"):  # noqa: PT012
        async with transaction(pool) as conn:
            await outbox.append(conn, [message(1, Receipt("a", 1))])
            raise RuntimeError("changed our mind")
    assert await pending(pool) == []
    assert await pool.fetchval("select count(*) from receipts_due") == 0


async def test_a_batch_notifies_once(pool: Pool, database_url: str) -> None:
    heard: list[object] = []
    session = await db.open_session(database_url, "kernel_test", name="ear")
    await session.add_listener(outbox.channel_of("kernel_test"), lambda *said: heard.append(said))
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(n) for n in range(10)])
        await outbox.append(conn, [message(n) for n in range(10, 20)])
    await session.execute("select 1")
    await asyncio.sleep(0.05)
    await session.close()
    assert len(heard) == 1


async def test_a_tombstone_keeps_its_null_value(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [Message("gone", "config", "k", {}, None)])
    assert await pool.fetchval("select value from facts") is None


async def test_a_receipt_settles_what_it_confirms_and_nothing_newer(pool: Pool) -> None:
    async with transaction(pool) as conn:
        due = [("a", 1), ("a", 2), ("a", 3), ("b", 1)]
        await outbox.append(conn, [message(n, Receipt(*which)) for n, which in enumerate(due)])
        await outbox.settle(conn, [Receipt("a", 1), Receipt("a", 2), Receipt("unknown", 9)])
    rows = await pool.fetch("select subject, sequence from receipts_due order by 1, 2")
    assert [tuple(row) for row in rows] == [("a", 3), ("b", 1)]


async def test_what_got_no_receipt_is_sent_again_with_the_same_id_and_doubling_waits(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(1, Receipt("a", 1)), message(2)])
    assert await sweep.resend(pool) == {}, "not due yet"
    waits = []
    for _ in range(3):
        await pool.execute("delete from outbox")  # the relay has sent it
        await pool.execute("update receipts_due set next_at = now()")
        assert await sweep.resend(pool) == {"things": 1}
        assert await pending(pool) == ["id-1"]
        waits.append(await pool.fetchval("select extract(epoch from next_at - now()) from receipts_due"))
    assert [round(wait / 30) for wait in waits] == [2, 4, 8]


async def test_what_is_still_pending_is_not_sent_again(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(1, Receipt("a", 1))])
    await pool.execute("update receipts_due set next_at = now()")
    assert await sweep.resend(pool) == {}


async def test_a_pass_of_the_sweep_is_bounded(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(n, Receipt("a", n)) for n in range(30)])
    await pool.execute("delete from outbox")
    await pool.execute("update receipts_due set next_at = now()")
    assert await sweep.resend(pool, 20) == {"things": 20}
    assert await sweep.resend(pool, 20) == {"things": 10}


async def test_a_new_broker_is_told_everything_recent_and_what_is_due(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(n, Receipt("a", n) if n == 0 else None) for n in range(4)])
    await pool.execute("delete from outbox")
    await pool.execute("update facts set created_at = now() - interval '2 days' where id in ('id-0', 'id-1')")
    async with pool.acquire() as conn:
        assert await sweep.note_broker(conn, "one", 24) is None, "the first broker is nobody's successor"
        assert await sweep.note_broker(conn, "one", 24) is None
        assert await sweep.note_broker(conn, "two", 24) == 3
    assert await pending(pool) == ["id-0", "id-2", "id-3"]


async def test_kept_events_can_be_emitted_again_from_a_position(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, [message(n) for n in range(4)])
    await pool.execute("delete from outbox")
    since = await pool.fetchval("select position from facts where id = 'id-2'")
    async with pool.acquire() as conn:
        assert await sweep.reemit(conn, since) == 2
    assert await pending(pool) == ["id-2", "id-3"]


async def test_old_events_are_forgotten_unless_something_needs_them(pool: Pool) -> None:
    from datetime import timedelta

    async with transaction(pool) as conn:
        await outbox.append(conn, [message(1), message(2, Receipt("a", 1)), message(3), message(4)])
    await pool.execute("delete from outbox where position in (select position from facts where id in ('id-1', 'id-2'))")
    await pool.execute("update facts set created_at = now() - interval '40 days' where id <> 'id-4'")
    assert await sweep.prune(pool, timedelta(days=30)) == 1
    assert await pool.fetchval("select count(*) from facts where id = 'id-1'") == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.CannotConnectNowError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.DiskFullError("x"), True),
        (asyncpg.QueryCanceledError("statement timeout"), True),
        (asyncpg.LockNotAvailableError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.TransactionIntegrityConstraintViolationError("x"), False),
        (asyncpg.InterfaceError("the server expects 2 arguments"), False),
        (asyncpg.DataError("invalid input"), False),
        (TypeError("x"), False),
        (ExceptionGroup("both", [TypeError("x"), ConnectionResetError()]), True),
    ],
)
def test_only_what_may_work_later_is_transient(error: Exception, expected: bool) -> None:
    for code, kind in (("40P01", asyncpg.DeadlockDetectedError),):
        assert kind.sqlstate == code
    assert db.transient(error) is expected
