"""What a platform makes of a fulfillment is noticed by reading it back, and said on the order (SP-10, SP-7).

The shops are the sandbox's, over HTTP and by the real clients; the stage's database is real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
import yaml
from poller_harness import AT, Stage, fr_of, line_of, order_of, source_of, submitted

from shipment_poller.push_worker import PushWorker
from waybill_common.breaker import Health
from waybill_common.embedded.processes import free_port
from waybill_common.logs import make_log
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel, Configuration
from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed
from waybill_platforms.connections import Connections, plain
from waybill_platforms.http import NoBudget

from .test_service import process, until


class Shops:
    """A sandbox of two shops, and the stage that tells them."""

    def __init__(self, http: httpx.AsyncClient, config: Configuration, stage: Stage) -> None:
        self.http, self.config, self.stage = http, config, stage
        self.connections = Connections(NoBudget(), plain)
        stage.push = PushWorker(stage.pool, stage.tools, self.connections, Health(), make_log("test", "ERROR"))

    async def ship(self, platform: str, courier: str, url: str | None) -> Any:
        """One order of this platform's shop is shipped with this courier; the last fact about it."""
        channel = next(one for one in self.config.channels if one.platform.value == platform)
        given = channel.model_dump(by_alias=True) | {"couriers": {"map": {"theirs": courier}, "unmapped": "hold"}}
        channel = Channel.model_validate(given)
        await self.stage.take(
            ChannelConfigured(at=AT, sequence=2, store="acme", channel=channel, starts_at=AT),
            source_of(2, couriers={"map": {}, "unmapped": "pass"}),
        )
        order = await self._order(channel)
        fr = fr_of(order, channel=channel.id)
        await self.stage.take(submitted(order, fr))
        lines = {line.line_id: line.quantity for line in fr.lines}
        self.stage.supplier.ship("s1", fr.number, lines, ["1Z1"], carrier="theirs", tracking_url=url)
        await self.stage.look()
        await self.stage.told()
        await self.stage.settle()
        return (await self.stage.told())[-1]

    async def _order(self, channel: Channel) -> Any:
        shop = self.connections.channel(channel, 2)
        assert shop is not None
        name = channel.id.removesuffix("-shop")
        listed = (await self.http.get(f"/_sandbox/shops/{name}/orders", params={"expectation": "shipped"})).json()
        expected = {str(one["name"]).lstrip("#") for one in listed["orders"]}
        page = await shop.reader.list_changed(datetime(2000, 1, 1, tzinfo=UTC))
        seen = next(one for one in page.orders if one.number.lstrip("#") in expected)
        lines = [line_of(line.line_id, line.quantity) for line in seen.lines if line.requires_shipping]
        return order_of("o1", lines, channel=channel.id, channel_order_id=seen.id, number=seen.number)


@pytest_asyncio.fixture
async def shops(stage: Stage, tmp_path: Path) -> AsyncIterator[Shops]:
    port = free_port()
    args = ("sandbox", "--port", str(port), "--data", str(tmp_path), "--orders", "0", "--shops", "all")
    async with process(*args), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:

        async def up() -> bool:
            try:
                return (await http.get("/_sandbox/health")).is_success
            except httpx.TransportError:
                return False

        await until(up)
        config = Configuration.model_validate(yaml.safe_load((await http.get("/_sandbox/config.yaml")).text))
        for channel in config.channels:
            where = f"/_sandbox/shops/{channel.id.removesuffix('-shop')}"
            (await http.post(f"{where}/orders", json={"count": 3, "varied": False})).raise_for_status()
        found = Shops(http, config, stage)
        yield found
        await found.connections.aclose()


async def test_sp_10_a_shop_that_rewrites_the_url_of_an_unknown_carrier_is_noticed_and_said(
    shops: Shops,
) -> None:
    settings = {"rewrites_unknown_carriers": True}
    (await shops.http.patch("/_sandbox/shops/acme", json=settings)).raise_for_status()
    told = await shops.ship("shopify", "Snail Mail", "https://track.example/1Z1")
    assert isinstance(told, ShipmentSynced)
    [note] = told.notes
    assert note.startswith("tracking URL: sent https://track.example/1Z1, the channel shows https://acme.example/")


async def test_op_3_what_was_asked_of_a_shop_is_kept_by_log_type_about_its_order_and_without_secrets(
    shops: Shops,
) -> None:
    await shops.ship("shopify", "UPS", "https://track.example/1Z1")
    told = await shops.stage.column(
        "select convert_from(value, 'UTF8') from facts where topic = 'exchanges.recorded' order by position"
    )
    records = [orjson.loads(text) for text in told]
    [made] = [one for one in records if one["log_type"] == "submit_fulfillment"]
    assert (made["outcome"], made["order_ids"], made["service"]) == ("ok", ["o1"], "shipment-poller")
    assert "fulfillmentCreate" in str(made), "the request that was sent, and the answer to it"
    assert not [text for text in told if "shpat_demo_acme" in text]


async def test_sp_7_a_carrier_that_a_shop_rejects_is_said_with_the_name_that_was_sent(shops: Shops) -> None:
    told = await shops.ship("bigcommerce", "snail-post", None)
    assert isinstance(told, ShipmentSyncFailed)
    assert told.reason.code == "COURIER_REFUSED"
    assert "'snail-post'" in told.reason.message


@pytest.mark.parametrize("keeps", [False, True], ids=["dropped", "kept"])
async def test_sp_10_a_shop_that_drops_the_day_of_shipping_is_noticed_and_said(shops: Shops, keeps: bool) -> None:
    """The tracking plugin of a WooCommerce store, as installed, writes today's day in place of ours."""
    settings = {"fulfillments": False, "plugin": "ast", "keeps_ship_date": keeps}
    (await shops.http.patch("/_sandbox/shops/willow", json=settings)).raise_for_status()
    told = await shops.ship("woocommerce", "Snail Mail", "https://track.example/1Z1")
    assert isinstance(told, ShipmentSynced)
    days = [note for note in told.notes if note.startswith("day of shipping: ")]
    assert days == ([] if keeps else [f"day of shipping: sent 2026-11-22, the channel shows {_today()}"])


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
