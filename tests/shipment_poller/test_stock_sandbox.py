"""What a platform's own figures become, read from the emulated ones (RT-1; docs/decisions/0025)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from poller_harness import Stage, fr_of, line_of, order_of, source_of, submitted

from sandbox.app import build
from sandbox.world import Wish, World
from shipment_poller.poll_stock import StockWorker
from waybill_common.breaker import Health
from waybill_common.logs import make_log
from waybill_contracts.configuration import Source
from waybill_contracts.values import Address
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection
from waybill_platforms.registry import open_source

SHIP_TO = Address(name="Zoë", line1="5 High St", city="Köln", region="NRW", postal_code="50667", country="DE",
                  email="z@x.de", phone="+49221123456")  # fmt: skip
SKU = "SKU-101"


class Free:
    """A budget that permits everything."""

    async def draw(self, *_: Any) -> None: ...
    async def correct(self, *_: Any) -> None: ...
    async def block(self, *_: Any) -> None: ...


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[tuple[World, str]]:
    world = World(tmp_path, Wish(orders=5, seed=7, ship_after=3600.0, shops=("all",)))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield world, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def asked(connection: SourceConnection, method: str) -> None:
    lines = (SourceRequestLine("l1", SKU, 2),)
    request = SourceRequest("E-o1", "#o1", lines, SHIP_TO, method, "USD")
    if connection.placer is None:
        await connection.sink.submit(request)
    else:
        await connection.placer.place(request, await connection.placer.prepare(request))


@pytest.mark.parametrize(
    ("name", "method"), [("depot", "Express"), ("yonder", "FedEx Ground"), ("mill", "flatrate/flatrate")]
)
async def test_rt_1_what_we_asked_for_is_on_the_shelf_until_it_leaves(
    stage: Stage, sandbox: tuple[World, str], name: str, method: str
) -> None:
    """Shopify and WooCommerce take it out of their figures at once, Magento when it ships: the same is told."""
    world, origin = sandbox
    configured = source_of(2, **{**world.sources[name].connection(origin), "id": "east", "stock": {"from": "platform"}})
    await stage.take(configured)
    connection = open_source(configured.source, world.sources[name].connection(origin)["credentials"], budget=Free())
    assert connection is not None

    class Opened:
        def source(self, source: Source, version: int) -> SourceConnection | None:
            return connection

    worker = StockWorker(stage.pool, stage.tools, Opened(), Health(), make_log("shipment-poller", "ERROR"))

    async def read() -> dict[str, int]:
        await stage.pool.execute("update stock_turns set due_at = now()")
        assert await worker.crew.turn() == 1
        await worker.crew.drain()
        return {row["sku"]: row["on_hand"] for row in await stage.pool.fetch("select sku, on_hand from stock_told")}

    before = await read()
    assert len(before) > 10
    assert before[SKU] > 2
    await asked(connection, method)
    order = order_of(lines=[line_of("l1", 2, {SKU: 1})])
    fr = fr_of(order)
    await stage.take(
        submitted(order, fr.model_copy(update={"lines": (fr.lines[0].model_copy(update={"source_sku": SKU}),)}))
    )
    assert await read() == before
    await connection.aclose()
