"""RESYNC: how long 10,000 shipments that a person pushes again take until each has its end (SP-12).

Real workers over PostgreSQL; the shop is a stand-in that takes 20 ms an answer and grants all calls, so the figure is
what the product itself needs. One shipment in a hundred is refused again, which must hold no other up.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size
from shipment_poller import facts
from shipment_poller.configuration import Configurations
from shipment_poller.push_worker import PushWorker
from shipment_poller.resync import Resyncs
from shipment_poller.review_orders import Tools
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.clock import SystemClock
from waybill_common.db import Pool, queries
from waybill_common.logs import make_log
from waybill_common.retry import Family
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.features import Features
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.ports import ChannelConnection

_ANSWER_SECONDS = 0.02
_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class _Shop:
    """Orders of one line with one piece; every hundredth is refused."""

    def __init__(self) -> None:
        self.made: dict[str, FulfillmentRecord] = {}

    async def read(self, order_id: str) -> ChannelFulfillments:
        await asyncio.sleep(_ANSWER_SECONDS)
        made = self.made.get(order_id)
        left = {"l1": 0 if made else 1}
        return ChannelFulfillments(order_id, False, "unknown", left, (made,) if made else ())

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        return [
            CreateCall(
                draft.order_id, "main", draft.lines, draft.carrier, draft.tracking_numbers, draft.tracking_url, {}
            )
        ]

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        await asyncio.sleep(_ANSWER_SECONDS)
        if call.order_id.endswith("00"):
            raise PlatformError("no", family=Family.REFUSED, cause="refused", outcome="none", action="create")
        urls = (call.tracking_url,) if call.tracking_url else ()
        record = FulfillmentRecord(
            f"f-{call.order_id}", "success", call.lines, call.carrier, call.tracking_numbers, urls, _AT
        )
        self.made[call.order_id] = record
        return record


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(10_000, 500)
    shop = _Shop()
    with stage.directory() as where, stage.postgres(where) as server:
        pool = await stage.schema(server.url, "shipment_poller", "shipment_poller")
        await _fill(pool, orders)
        push, resyncs = _workers(pool, shop)
        began = time.perf_counter()
        begun = await resyncs.begin("bench", "", ids=None, channel=None, code=None)
        assert begun["shipments"] == orders
        done = None
        while done is None or not done.done:
            worked = await resyncs.turn() + await push.crew.turn()
            if not worked:
                await asyncio.sleep(0.05)
                done = await resyncs.progress(begun["resync_id"])
        took = time.perf_counter() - began
        await push.crew.drain()
        pool.terminate()
    raw = {
        "shipments": orders,
        "synced": done.synced,
        "failed_again": done.failed,
        "shipments_s": round(orders / took, 1),
        "commits_an_order": round((push.announcements.commits + push.outcomes.commits) / orders, 3),
    }
    assert (done.synced, done.failed) == (orders - orders // 100, orders // 100), raw
    return [Result("RESYNC", took, raw)]


def _workers(pool: Pool, shop: Any) -> tuple[PushWorker, Resyncs]:
    named = queries("shipment_poller")
    tools = Tools(named, Configurations(named), SystemClock(), Telemetry("bench"), Alerts(facts.Notices()))
    features = Features(updates_tracking=True, cancels_fulfillments=True, several_numbers=True)

    async def nothing() -> None: ...

    class Channels:
        def channel(self, channel: Channel, version: int) -> ChannelConnection:
            return ChannelConnection(channel.id, shop, shop, features, nothing)

    push = PushWorker(pool, tools, Channels(), Health(), make_log("bench", "ERROR"))
    return push, Resyncs(pool, tools, lambda: None)


async def _fill(pool: Pool, orders: int) -> None:
    """So many orders of one shipment each, which its channel refused."""
    channel = Channel.model_validate({"id": "shop", "platform": "shopify", "url": "https://shop.example"})
    configured = ChannelConfigured(at=_AT, sequence=1, store="acme", channel=channel, starts_at=_AT)
    await pool.execute(
        "insert into config_entities (entity, version, body) values ('channel/shop', 1, $1)",
        configured.model_dump(mode="json", by_alias=True) | {"channel": _mapped(channel)},
    )
    said = {
        "id": "s", "status": "shipped", "carrier": "ups", "tracking_numbers": ["1Z"],
        "shipped_at": "2026-11-22T09:00:00Z", "updated_at": "2026-11-22T09:00:00Z",
    }  # fmt: skip
    wanted = {
        "lines": {"l1": 1}, "carrier": "ups", "numbers": ["1Z"], "url": None, "shipped_on": "2026-11-22",
        "by_number": True, "courier_known": True,
    }  # fmt: skip
    await pool.execute(
        "insert into orders (order_id, sequence, channel, channel_order_id, body, fulfillment, sync) "
        "select 'o' || n, 1, 'shop', 'c-' || n, '{}', 'shipped', 'failed' from generate_series(1, $1) n",
        orders,
    )
    await pool.execute(
        "insert into shipments (shipment_id, order_id, fr_id, source, source_shipment_id, said, state, lines, carrier, "
        "courier_known, sequence) select 's' || n, 'o' || n, 'f' || n, 'east', 's' || n, $2, 'recorded', $3, 'ups', "
        "true, 2 from generate_series(1, $1) n",
        orders,
        said,
        [{"line_id": "l1", "sku": "SKU-1", "quantity": 1}],
    )
    await pool.execute(
        "insert into syncs (shipment_id, order_id, channel, wanted, state, reason) "
        "select 's' || n, 'o' || n, 'shop', $2, 'failed', $3 from generate_series(1, $1) n",
        orders,
        wanted,
        {"code": "refused", "message": "no", "action": "resync"},
    )
    await pool.execute("analyze")


def _mapped(channel: Channel) -> dict[str, Any]:
    return channel.model_dump(mode="json", by_alias=True) | {"couriers": {"map": {"ups": "UPS"}, "unmapped": "hold"}}
