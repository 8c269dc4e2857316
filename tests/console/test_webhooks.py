"""IN-3 as a person lives it: a command makes a shop post its orders here and ends it again, and a source its shipments.

Console, order-ingest, shipment-poller and the shops run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from console.app import build
from console.cli.program import app as command_line
from console.messages import Notices
from console.settings import ConsoleSettings
from order_ingest.app import build as build_ingest
from order_ingest.connection_state import Notices as IngestNotices
from sandbox.app import build as build_sandbox
from sandbox.world import Wish, World
from shipment_poller.app import build as build_poller
from shipment_poller.facts import Notices as PollerNotices
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings

from .conftest import ADMIN, ConsoleUnderTest

SHOPS = {"shopify": "acme", "bigcommerce": "bramble", "woocommerce": "willow", "magento": "maison"}
POSTING = ("shopify", "bigcommerce", "woocommerce")
SOURCES = {"shopify": "depot", "bigcommerce": "bay", "woocommerce": "yonder", "magento": "mill", "http": "east"}
NAMES = ("client_id", "consumer_key")
"""Credentials that only say who calls; they prove nothing."""
FORGED = {
    "x-wc-webhook-signature": "Zm9yZ2Vk",
    "x-wc-webhook-topic": "order.created",
    "x-shopify-hmac-sha256": "Zm9yZ2Vk",
    "x-shopify-topic": "orders/create",
    "x-shopify-shop-domain": "acme",
    "x-shopify-api-version": "2026-01",
    "x-shopify-webhook-id": "1",
    "x-waybill-secret": "forged",
    "authorization": "Bearer forged",
}
ADDRESSES: dict[str, Callable[[Any], list[str]]] = {
    "shopify": lambda shop: [one["uri"] for one in shop.settings.subscriptions],
    "bigcommerce": lambda shop: [hook.destination for hook in shop.hooks.values()],
    "woocommerce": lambda shop: [hook.delivery_url for hook in shop.hooks.values()],
}
"""Where the emulated shop would post, once for each of its topics."""


@dataclass
class Hub:
    """Shops, order-ingest and console; the channels are pulled once, and then by the hour."""

    console: ConsoleUnderTest
    ingest: Any
    poller: Any
    world: World
    secrets: set[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.console.run.port}"

    async def waybill(self, *words: str) -> Result:
        env = {"WAYBILL_URL": self.url, "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
        return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)

    async def records(self, connection: str, log_type: str) -> list[Any]:
        found = await self.console.eventually(
            "/records", lambda a: bool(a["items"]), connection=connection, log_type=log_type, limit=100
        )
        return list(found["items"])

    async def until(self, query: str, wanted: Any, *given: Any, at: Any = None) -> None:
        """`at`: the service whose database it is; order-ingest, if none is named."""
        deadline = time.monotonic() + 90
        while await (at or self.ingest).runtime.pool.fetchval(query, *given) != wanted:
            assert time.monotonic() < deadline, f"it did not become {wanted!r}: {query}"
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str, tmp_path: Path) -> AsyncIterator[Hub]:
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr("a secret")}
    world = World(tmp_path, Wish(orders=8, seed=7, ship_after=3600.0, shops=("all",)))
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(build_sandbox(world), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        world.shops["willow"].configure({"delivery_delay": 0.05})
        definition = Definition("order-ingest", "order_ingest", "order_ingest", build_ingest, 0, IngestNotices())
        ingest = await stack.enter_async_context(running(definition, ServiceSettings(**common, http_port=0)))
        definition = Definition(
            "shipment-poller", "shipment_poller", "shipment_poller", build_poller, 0, PollerNotices()
        )
        poller = await stack.enter_async_context(running(definition, ServiceSettings(**common, http_port=0)))
        settings = ConsoleSettings(
            **common, console_port=0, admin_key=SecretStr(ADMIN), order_ingest_url=f"http://127.0.0.1:{ingest.port}",
            shipment_poller_url=f"http://127.0.0.1:{poller.port}",
        )  # fmt: skip
        run = await stack.enter_async_context(
            running(Definition("console", "console", "console", build, 0, Notices()), settings)
        )
        console = ConsoleUnderTest(run, kafka)
        stack.push_async_callback(console.http.aclose)
        channels = [
            {"id": name, "poll_every": "60m", **world.shops[name].connection(origin)} for name in SHOPS.values()
        ]
        costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}
        sources = [
            {"id": name, "poll_every": "60m", "costs": costs, **world.sources[name].connection(origin)}
            for name in SOURCES.values()
        ]
        sources.append({"id": "garage", "platform": "manual", "costs": costs})
        secrets = {value for one in channels for key, value in one["credentials"].items() if key not in NAMES}
        made = Hub(console, ingest, poller, world, secrets)
        answer = await console.put_config(
            {
                "stores": [{"id": "acme", "channels": channels}],
                "sources": sources,
                "routing": {"groups": [{"id": "default", "sources": ["depot"]}]},
            }
        )
        assert answer.status_code == 200, answer.text
        await made.until("select count(*) from channels where last_success_at is not null", len(SHOPS))
        await made.until("select count(*) from config_entities where entity like 'source/%'", len(sources), at=poller)
        yield made


@pytest.mark.parametrize("platform", POSTING)
async def test_in3_a_registered_shop_posts_its_orders_and_they_are_imported_without_a_pull(
    hub: Hub, platform: str
) -> None:
    name = SHOPS[platform]
    shop = hub.world.shops[name]
    before = await hub.waybill("channels", "webhooks", name, "--json")
    assert json.loads(before.stdout)["state"] == "off"

    first = await hub.waybill("channels", "webhooks", name, "--url", hub.url)
    again = await hub.waybill("channels", "webhooks", name, "--url", f"{hub.url}/", "--json")

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    assert "The platform posts these changes" in first.output
    told = json.loads(again.stdout)
    assert (told["state"], told["address"]) == ("on", f"{hub.url}/hooks/{name}")
    assert ADDRESSES[platform](shop) == [told["address"]] * len(told["topics"]), "registered twice, it posts once"

    number = shop.place({"lines": [{"sku": "SKU-100", "quantity": 2}]})
    hub.world.journal.flush()
    await hub.until("select via from orders where channel = $1 and number = $2", "webhook", name, number)


@pytest.mark.parametrize("platform", POSTING)
async def test_in3_what_was_registered_is_taken_off_again_and_another_address_takes_its_place(
    hub: Hub, platform: str
) -> None:
    name = SHOPS[platform]
    shop = hub.world.shops[name]
    await hub.waybill("channels", "webhooks", name, "--url", hub.url)
    await hub.waybill("channels", "webhooks", name, "--url", f"{hub.url}/other")
    assert set(ADDRESSES[platform](shop)) == {f"{hub.url}/other/hooks/{name}"}, "the former one is left"

    ended = await hub.waybill("channels", "webhooks", name, "--remove")

    assert ended.exit_code == 0, ended.output
    assert "posts nothing to us" in ended.output
    assert ADDRESSES[platform](shop) == []
    again = await hub.waybill("channels", "webhooks", name, "--remove")
    assert again.exit_code == 1
    assert "name the address" in again.output
    named = await hub.waybill("channels", "webhooks", name, "--remove", "--url", hub.url, "--json")
    assert json.loads(named.stdout)["state"] == "off"


async def test_in3_what_a_shop_does_not_take_off_is_tried_until_it_does(hub: Hub) -> None:
    await hub.waybill("channels", "webhooks", "acme", "--url", hub.url)
    hub.world.faults.script([{"kind": "503", "match": "acme:*", "count": 1, "params": {"retry_after": 0.1}}])

    ended = await hub.waybill("channels", "webhooks", "acme", "--remove")
    assert (ended.exit_code, "tried again by itself" in ended.output) in {(0, False), (1, True)}
    await hub.until("select count(*) from webhooks", 0)
    await hub.until("select count(*) from open_alerts where key = 'webhooks/acme'", 0)
    assert ADDRESSES["shopify"](hub.world.shops["acme"]) == []


@pytest.mark.parametrize("platform", POSTING)
async def test_in3_a_registered_source_posts_what_it_does_and_is_asked_at_once(hub: Hub, platform: str) -> None:
    """Its turn would else come within the hour."""
    name = SOURCES[platform]
    shop = hub.world.sources[name].shop  # type: ignore[attr-defined]  # those that are shops have one

    told = await hub.waybill("sources", "webhooks", name, "--url", hub.url)

    assert told.exit_code == 0, told.output
    assert set(ADDRESSES[platform](shop)) == {f"{hub.url}/hooks/{name}"}
    await hub.until("select due_at is null from source_turns where source = $1", True, name, at=hub.poller)
    before = await hub.poller.runtime.pool.fetchval("select turned_at from source_turns where source = $1", name)
    shop.place({"lines": [{"sku": "SKU-100", "quantity": 1}]})
    hub.world.journal.flush()
    turned = "select turned_at is distinct from $2 from source_turns where source = $1"
    await hub.until(turned, True, name, before, at=hub.poller)
    ended = await hub.waybill("sources", "webhooks", name, "--remove")
    assert (ended.exit_code, ADDRESSES[platform](shop)) == (0, [])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("mill", "posts nothing: what it ships is asked for"),
        ("east", "/hooks/east of this console, and the source's hook_secret"),
        ("garage", "manual source"),
        ("nowhere", "no configured source"),
    ],
)
async def test_in3_a_source_that_nobody_can_make_post_is_told_so_with_what_works(
    hub: Hub, source: str, told: str
) -> None:
    refused = await hub.waybill("sources", "webhooks", source, "--url", hub.url)

    assert refused.exit_code == 1
    assert told in " ".join(refused.output.split())


async def test_in3_a_wrong_signature_is_refused_and_recorded_and_no_record_holds_a_secret(hub: Hub) -> None:
    seen: list[Any] = []
    for name in (SHOPS[platform] for platform in POSTING):
        await hub.waybill("channels", "webhooks", name, "--url", hub.url)
        posts = [await hub.console.http.post(f"/hooks/{name}", json={"id": 1}, headers=FORGED) for _ in range(3)]

        assert [post.status_code for post in posts] == [401] * 3
        refused = await hub.records(name, "webhook")
        [record] = refused  # one for the three: who posts at will must not fill the records
        assert (record["outcome"], record["status"], record["url"]) == ("refused", 401, f"/hooks/{name}")
        assert record["error"] == posts[0].json()["detail"]
        sent = record["request_headers"]
        assert sent["authorization"] == sent["x-waybill-secret"] == "[redacted]"
        registered = await hub.records(name, "register_webhooks")
        assert {one["outcome"] for one in registered} == {"ok"}
        seen += [refused, registered]
    assert not [secret for secret in hub.secrets if secret in json.dumps(seen)]


async def test_in3_a_platform_that_posts_nothing_is_told_so_with_what_covers_it(hub: Hub) -> None:
    refused = await hub.waybill("channels", "webhooks", SHOPS["magento"], "--url", hub.url)

    assert refused.exit_code == 1
    assert "platform magento posts nothing" in refused.output
    assert "come with its pull, every 3600 s" in refused.output
    mistyped = await hub.waybill("channels", "webhooks", SHOPS["shopify"], "--url", "hub.example")
    assert "write https://hub.example" in mistyped.output
    unknown = await hub.waybill("channels", "webhooks", "nowhere", "--url", hub.url)
    assert "'nowhere' is not configured" in unknown.output


async def test_in3_what_a_shop_refuses_is_shown_with_its_word_and_tried_again(hub: Hub) -> None:
    hub.world.faults.script([{"kind": "unauthorized", "match": "acme:*", "count": 99}])

    refused = await hub.waybill("channels", "webhooks", "acme", "--url", hub.url)

    assert refused.exit_code == 1
    assert "tried again by itself" in refused.output
    hub.world.faults.clear()
    alert = "select count(*) from open_alerts where key = 'webhooks/acme'"
    await hub.until(alert, 1)
    await hub.ingest.runtime.pool.execute("update webhooks set due_at = now()")
    await hub.until("select checked_at is not null and last_error is null from webhooks", True)
    await hub.until(alert, 0)


async def test_in2_when_each_channel_was_pulled_and_will_be_again_is_shown(hub: Hub) -> None:
    shown = await hub.console.eventually(
        "/schedule", lambda a: bool(a["channels"]) and all(one["last_pull_at"] for one in a["channels"])
    )
    listed = await hub.waybill("channels", "list")

    assert {one["channel"] for one in shown["channels"]} == set(SHOPS.values())
    for turn in shown["channels"]:
        assert turn["last_success_at"] < turn["next_pull_at"]
        assert turn["last_error"] is None
        assert turn["last_counts"]
        assert turn["next_pull_at"][:19] in listed.output
    assert shown["unanswered"] == []
