"""IN-14, outward, at the emulated shops of all four platforms, by their real clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from poller_harness import Stage, channel_of, line_of, order_of, submitted

from sandbox.app import build
from sandbox.world import Wish, World
from shipment_poller.audit_outward import OutwardAudits
from shipment_poller.push_worker import PushWorker
from waybill_common.breaker import Health
from waybill_common.ids import new_id
from waybill_common.logs import make_log
from waybill_contracts.configuration import Channel
from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed
from waybill_platforms.http import NoBudget
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.registry import open_channel

SHOPS = {"shopify": "acme", "bigcommerce": "bramble", "magento": "maison", "woocommerce": "willow"}


@dataclass
class AtShop:
    """The stage, telling one emulated shop."""

    stage: Stage
    world: World
    name: str
    connection: ChannelConnection
    audits: OutwardAudits

    async def ship(self, order_id: str, *, push: bool = True) -> str:
        """A buyer's order of two pieces is shipped; the channel's id of the order."""
        shop = self.world.shops[self.name]
        found = await self.connection.reader.find_by_number(shop.place({"lines": [{"sku": "SKU-101", "quantity": 2}]}))
        assert found is not None
        line = found.lines[0].line_id
        order = order_of(order_id, lines=[line_of(line, 2)], channel_order_id=found.id)
        await self.stage.take(submitted(order))
        self.stage.supplier.ship(f"s-{order_id}", f"E-{order_id}", {line: 2}, [f"1Z{order_id}"])
        await self.stage.look()
        if push:
            await self.stage.settle()
            assert isinstance((await self.stage.told())[-1], ShipmentSynced)
        return found.id

    async def audit(self) -> dict[str, int]:
        queries, pool = self.stage.tools.queries, self.stage.pool
        asked = {"since": None, "until": None, "channel": "shop", "asked_by": "anna"}
        row = await queries.ask_outward(pool, id=new_id(), **asked)
        while await self.audits.turn():
            pass
        done = await queries.outward_audit(pool, audit_id=row["audit_id"])
        assert done["state"] == "done", done["last_error"]
        return {name: int(count) for name, count in done["counts"].items() if count}

    async def standing(self, channel_order_id: str) -> list[Any]:
        state = await self.connection.writer.read(channel_order_id)
        assert state is not None
        return [one for one in state.fulfillments if one.status == "success"]


@pytest.fixture(params=SHOPS)
async def shop(request: Any, stage: Stage, tmp_path: Path) -> AsyncIterator[AtShop]:
    world = World(tmp_path, Wish(orders=5, seed=7, ship_after=3600.0, shops=("all",)))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    name = SHOPS[request.param]
    given = world.shops[name].connection(f"http://127.0.0.1:{runner.addresses[0][1]}")
    couriers = {"map": {"ups": world.shops[name].couriers["ups"]}, "unmapped": "hold"}
    await stage.take(configured := channel_of(2, **given, couriers=couriers))
    connection = open_channel(configured.channel, given["credentials"], budget=NoBudget())
    assert connection is not None

    class Opened:
        def channel(self, channel: Channel, version: int) -> ChannelConnection | None:
            return connection

    stage.push = PushWorker(stage.pool, stage.tools, Opened(), Health(), make_log("test", "ERROR"))
    audits = OutwardAudits(stage.pool, stage.tools, Opened(), Health(), lambda: None)
    yield AtShop(stage, world, name, connection, audits)
    await connection.aclose()
    await runner.cleanup()


async def test_in14_what_was_told_is_shown_and_a_number_changed_at_the_shop_is_said_and_left(shop: AtShop) -> None:
    order_id = await shop.ship("o1")
    assert await shop.audit() == {"orders": 1, "owed": 1, "shown": 1}
    if not shop.connection.features.updates_tracking:
        pytest.skip("declared: nobody can change a number there in place")

    [made] = await shop.standing(order_id)
    await shop.connection.writer.update_tracking(
        made.id, carrier=made.carrier, tracking_numbers=("MERCHANT",), tracking_url="https://t.example/MERCHANT"
    )

    assert await shop.audit() == {"orders": 1, "owed": 1, "drifted": 1}
    await shop.stage.settle()
    [told] = await shop.stage.told()
    assert isinstance(told, ShipmentSyncFailed)
    assert "1Zo1 became MERCHANT" in told.reason.message
    assert [*await shop.stage.alerts()] == ["outward-drift/shop"]
    [left] = await shop.standing(order_id)
    assert left.tracking_numbers == ("MERCHANT",)


async def test_in14_a_fulfillment_deleted_at_the_shop_is_said_and_made_again_when_a_person_asks(shop: AtShop) -> None:
    if not shop.connection.features.cancels_fulfillments:
        pytest.skip("declared: nobody can take a fulfillment away there")
    order_id = await shop.ship("o1")
    [made] = await shop.standing(order_id)
    await shop.connection.writer.cancel(made.id)

    assert await shop.audit() == {"orders": 1, "owed": 1, "drifted": 1}
    await shop.stage.settle()
    assert await shop.standing(order_id) == []
    assert [*await shop.stage.alerts()] == ["outward-drift/shop"]

    await shop.stage.resync(channel="shop")
    await shop.stage.settle()
    [again] = await shop.standing(order_id)
    assert again.tracking_numbers == ("1Zo1",)
    assert await shop.audit() == {"orders": 1, "owed": 1, "shown": 1}
    assert await shop.stage.alerts() == {}


async def test_in14_one_never_pushed_is_pushed_with_an_alert(shop: AtShop) -> None:
    order_id = await shop.ship("o1", push=False)
    await shop.stage.pool.execute("update syncs set due_at = null")
    await shop.stage.pool.execute("delete from push_turns")

    assert await shop.audit() == {"orders": 1, "owed": 1, "healed_missing": 1}
    assert [*await shop.stage.alerts()] == ["outward-healed/shop/o1"]
    await shop.stage.settle()
    assert len(await shop.standing(order_id)) == 1
    assert await shop.audit() == {"orders": 1, "owed": 1, "shown": 1}
    assert await shop.stage.alerts() == {}
