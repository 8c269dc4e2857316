"""SP-14 as a person lives it: a channel is added, and one sentence says what its store lacks, until it has it.

Console and shipment-poller run; the stores are the sandbox's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from console.app import build
from console.cli.program import app as command_line
from console.messages import Notices
from console.settings import ConsoleSettings
from sandbox.app import build as build_sandbox
from sandbox.world import Wish, World
from shipment_poller.app import DEFINITION
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings

from .conftest import ADMIN, ConsoleUnderTest


@dataclass
class Hub:
    console: ConsoleUnderTest
    world: World
    origin: str

    async def waybill(self, *words: str) -> Result:
        url = f"http://127.0.0.1:{self.console.run.port}"
        env = {"WAYBILL_URL": url, "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
        return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)

    async def add(self, shop: str, **settings: Any) -> None:
        """Adds the emulated shop as a channel named like it; the one that was there goes."""
        channel = {"id": shop, "poll_every": "60m", **self.world.shops[shop].connection(self.origin), **settings}
        answer = await self.console.put_config({"stores": [{"id": "acme", "channels": [channel]}]})
        assert answer.status_code == 200, answer.text

    async def lacks(self, shop: str) -> list[str]:
        alerts = (await self.console.get("/alerts"))["items"]
        return [alert["title"] for alert in alerts if alert["title"].startswith(f"channel/{shop}: ")]


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str, tmp_path: Path) -> AsyncIterator[Hub]:
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr("a secret")}
    world = World(tmp_path, Wish(orders=8, seed=7, ship_after=3600.0, shops=("all",)))
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(build_sandbox(world), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        poller = await stack.enter_async_context(running(DEFINITION, ServiceSettings(**common, http_port=0)))
        url = f"http://127.0.0.1:{poller.port}"
        settings = ConsoleSettings(**common, console_port=0, admin_key=SecretStr(ADMIN), shipment_poller_url=url)
        definition = Definition("console", "console", "console", build, 0, Notices())
        console = ConsoleUnderTest(await stack.enter_async_context(running(definition, settings)), kafka)
        stack.push_async_callback(console.http.aclose)
        yield Hub(console, world, f"http://127.0.0.1:{runner.addresses[0][1]}")


async def test_sp_14_a_store_without_a_tracking_plugin_is_said_to_lack_it_when_the_channel_is_added(hub: Hub) -> None:
    store = hub.world.shops["willow"]
    store.configure({"plugin": "", "fulfillments": False})

    await hub.add("willow")
    await hub.console.eventually("/alerts", lambda a: bool(a["items"]))
    said = await hub.waybill("channels", "probe", "willow")

    sentence = "The store has neither a shipment-tracking plugin nor the fulfillments feature"
    [title] = await hub.lacks("willow")
    assert sentence in title
    assert said.exit_code == 0, "it works, and something is lost"
    assert said.output.startswith("willow: usable (11.0.1")
    [line] = [line for line in said.output.splitlines() if line.startswith("warning: ")]
    assert sentence in line
    assert "Install a shipment-tracking plugin" in line, "with what mends it"

    store.configure({"fulfillments": True})  # the merchant does as told, and the channel is looked at again
    await hub.add("willow", poll_every="59m")
    await hub.console.eventually("/alerts", lambda a: not a["items"])
    again = await hub.waybill("channels", "probe", "willow")
    assert "warning" not in again.output


async def test_sp_14_a_store_that_cannot_be_used_ends_the_command_with_1_and_the_fix(hub: Hub) -> None:
    hub.world.shops["willow"].configure({"permalinks": "plain", "version": "10.5.0"})
    await hub.add("willow")
    await hub.console.eventually("/alerts", lambda a: bool(a["items"]))

    said = await hub.waybill("channels", "probe", "willow")

    assert said.exit_code == 1, said.output
    assert said.output.startswith("willow: not usable")
    assert "missing: " in said.output
    assert "Settings > Permalinks" in said.output
    unknown = await hub.waybill("channels", "probe", "nowhere")
    assert unknown.exit_code == 1
    assert "'nowhere' is no configured channel" in unknown.output


async def test_when_each_source_was_asked_is_shown(hub: Hub) -> None:
    source = {"id": "east", "poll_every": "15m", **hub.world.sources["east"].connection(hub.origin)}
    source["costs"] = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]}
    groups = [{"id": "all", "sources": ["east"], "priorities": ["lowest_cost"]}]
    document = {"stores": [], "sources": [source], "routing": {"groups": groups}}
    answer = await hub.console.put_config(document)
    assert answer.status_code == 200, answer.text

    shown = await hub.console.eventually(
        "/schedule", lambda a: [one["source"] for one in a["sources"]] == ["east"] and a["sources"][0]["last_poll_at"]
    )
    listed = await hub.waybill("sources", "list")

    assert shown["sources"][0]["next_poll_at"] is None, "no FR of it is open: there is nothing to ask for"
    assert shown["sources"][0]["last_poll_at"][:19] in listed.output
    assert [text.split()[0] for text in shown["unanswered"]] == ["order-ingest"], "what is not known is said"
