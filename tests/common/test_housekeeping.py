"""The kernel's own worker: it notices another broker, and sweeps what nobody confirmed."""

from waybill_common import outbox
from waybill_common.db import Pool, transaction
from waybill_common.housekeeping import Housekeeping
from waybill_common.logs import Log
from waybill_common.metrics import Metrics
from waybill_common.settings import ServiceSettings


async def test_another_broker_under_the_same_address_is_noticed_and_told_everything(
    pool: Pool, settings: ServiceSettings, log: Log, metrics: Metrics
) -> None:
    restarts: list[bool] = []
    keeper = Housekeeping(pool, settings, log, metrics)
    keeper.on_new_broker = lambda: restarts.append(True)
    await keeper.turn()
    await pool.execute("insert into broker_identity (cluster_id) values ('the one before')")
    async with transaction(pool) as conn:
        await outbox.append(conn, [outbox.Message("one", "things", "k", {}, b"{}")])
    await pool.execute("delete from outbox")
    keeper._broker, keeper._broker_at = "the one before", 0.0
    await keeper.turn()
    assert restarts == [True]
    assert await pool.fetchval("select count(*) from outbox") == 1


async def test_overdue_receipts_are_swept_and_counted(
    pool: Pool, settings: ServiceSettings, log: Log, metrics: Metrics
) -> None:
    async with transaction(pool) as conn:
        receipt = outbox.Receipt("order-1", 1)
        await outbox.append(conn, [outbox.Message("one", "things", "k", {}, b"{}", receipt)])
    await pool.execute("delete from outbox")
    await pool.execute("update receipts_due set next_at = now()")
    assert await Housekeeping(pool, settings, log, metrics).turn() == 1
    assert metrics.value("waybill_resent_total", topic="things") == 1
    assert metrics.value("waybill_outbox_rows") == 1
    assert metrics.value("waybill_receipts_due") == 1
