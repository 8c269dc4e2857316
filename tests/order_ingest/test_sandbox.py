"""IN-2, IN-7 to IN-10, IN-13 against the sandbox's Shopify shop: every order ends as the shop's own plan says.

IN-14 against the emulated shops of all four platforms.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiohttp import web

from order_ingest.app import build
from order_ingest.configure import apply_configuration
from order_ingest.connection_state import Notices
from sandbox.app import build as build_sandbox
from sandbox.world import Wish, World
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel
from waybill_contracts.envelope import Received

ORDERS = 120
FAULTS = [
    {"match": "*:orders", "kind": "429", "rate": 0.2, "params": {"retry_after": 0.2}},
    {"match": "*:orders", "kind": "503", "rate": 0.15},
    {"match": "*:orders", "kind": "lost", "rate": 0.1},
    {"match": "*:orders", "kind": "cut", "rate": 0.1},
    {"match": "*:orders", "kind": "throttled", "rate": 0.1},
]


@dataclass
class Shop:
    """The sandbox's shop, and an order-ingest that pulls from it."""

    http: httpx.AsyncClient
    pool: Any
    channel: dict[str, Any]
    health: Any
    service: str
    """Address of the order-ingest, and the token for it."""
    token: str

    async def explain(self, number: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.service, headers=headers, timeout=120) as http:
            answer = await http.get(f"/internal/channels/{self.channel['id']}/explain", params={"number": number})
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def configure(self, *, version: int, token: str | None = None, polled: bool = True) -> None:
        credentials = self.channel["credentials"] if token is None else {"access_token": token}
        event = ChannelConfigured(
            at=datetime.now().astimezone(), sequence=version, store="acme", credential_version=version,
            starts_at=datetime.fromisoformat("2000-01-01T00:00:00+00:00"),
            channel=Channel.model_validate({**self.channel, "poll_every": "1s", "credentials": credentials}),
        )  # fmt: skip
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_configuration(conn, [Received(event, "x", "console", None)], self.health, event.at)
            if not polled:
                await conn.execute("update channels set due_at = null")

    async def expected(self) -> dict[str, str]:
        orders = (await self.http.get(f"/_sandbox/shops/{self.name}/orders")).json()["orders"]
        return {one["name"]: one["expectation"] for one in orders}

    @property
    def name(self) -> str:
        return str(self.channel["id"]).removesuffix("-shop")

    async def found(self) -> dict[str, str]:
        """What became of each order here, in the sandbox's words."""
        rows = await self.pool.fetch("select number, standing, reason, body -> 'holds' as holds from orders")
        words = {"imported": "shipped", "canceled": "canceled"}
        return {
            row["number"]: words.get(row["standing"])
            or (f"held:{row['holds'][0]['reason']}" if row["standing"] == "held" else f"excluded:{row['reason']}")
            for row in rows
        }

    async def until_as_expected(self, seconds: float = 60) -> None:
        for _ in range(int(seconds / 0.1)):
            if await self.found() == await self.expected():
                return
            await asyncio.sleep(0.1)
        assert await self.found() == await self.expected()

    async def until_value(self, query: str, wanted: Any) -> None:
        for _ in range(200):
            if await self.pool.fetchval(query) == wanted:
                return
            await asyncio.sleep(0.1)
        assert await self.pool.fetchval(query) == wanted

    async def act(self, number: str, action: str) -> None:
        path = f"/_sandbox/shops/{self.name}/orders/{number.replace('#', '%23')}/{action}"
        (await self.http.post(path)).raise_for_status()

    async def lines(self, number: str) -> int:
        """How many lines an order has."""
        shown = await self.http.get(f"/_sandbox/shops/{self.name}/orders/{number.replace('#', '%23')}")
        told = shown.json()
        return len(told["lines"] if "lines" in told else [row for row in told["rows"] if row["parent"] is None])

    async def edit(self, number: str, given: dict[str, Any]) -> None:
        path = f"/_sandbox/shops/{self.name}/orders/{number.replace('#', '%23')}"
        (await self.http.patch(path, json=given)).raise_for_status()

    async def one(self, expectation: str) -> str:
        return next(name for name, wanted in (await self.expected()).items() if wanted == expectation)


SHOPS = ("acme", "bramble", "maison", "willow")
"""Of Shopify, BigCommerce, Magento and WooCommerce."""


@pytest.fixture
async def shop(request: Any, database_url: str, kafka: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """Shopify's, unless a test is parametrised with another's name."""
    world = World(tmp_path, Wish(ORDERS, shops=(getattr(request, "param", "acme"),)))
    runner = web.AppRunner(build_sandbox(world), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = ServiceSettings(database_url=database_url, kafka=kafka, secret_key="a-secret", http_port=0)  # type: ignore[arg-type]
    definition = Definition("order-ingest", "order_ingest", "order_ingest", build, 0, Notices())
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with httpx.AsyncClient(base_url=origin) as http, running(definition, settings) as run:
            content = yaml.safe_load((await http.get("/_sandbox/config.yaml")).text)
            own = (f"http://127.0.0.1:{run.port}", run.runtime.settings.service_tokens[0])
            yield Shop(http, run.runtime.pool, content["stores"][0]["channels"][0], run.runtime.health, *own)
    finally:
        await runner.cleanup()


async def test_every_order_of_the_shop_is_imported_held_or_excluded_as_it_should_be(shop: Shop) -> None:
    await shop.configure(version=1)
    await shop.until_as_expected()

    assert len(await shop.found()) == ORDERS
    kinds = {value.split(":")[0] for value in (await shop.found()).values()}
    assert kinds == {"shipped", "held", "excluded"}


async def test_what_people_do_at_the_shop_arrives_in13(shop: Shop) -> None:
    await shop.configure(version=1)
    await shop.until_as_expected()
    await shop.act(await shop.one("held:awaiting_payment"), "pay")
    await shop.act(await shop.one("held:on_hold_at_channel"), "release")
    await shop.act(await shop.one("shipped"), "cancel")
    await shop.act(await shop.one("shipped"), "refund")

    await shop.until_as_expected()


@pytest.mark.parametrize("shop", ["acme", "bramble", "maison"], indirect=True)
async def test_in10_an_order_that_the_shop_suspects_of_fraud_is_held_until_it_is_cleared(shop: Shop) -> None:
    await shop.configure(version=1)
    await shop.until_as_expected()
    number = await shop.one("shipped")
    held = f"select count(*) from orders where number = '{number}' and standing = 'held' and body @> "
    held += """'{"holds": [{"reason": "fraud_risk"}]}'"""
    await shop.act(number, "suspect")
    await shop.until_value(held, 1)

    await shop.act(number, "clear")
    await shop.until_as_expected()


async def test_a_shop_that_misbehaves_loses_and_doubles_no_order(shop: Shop) -> None:
    (await shop.http.post("/_sandbox/faults", json={"faults": FAULTS, "seed": 7})).raise_for_status()
    await shop.configure(version=1)
    for _ in range(300):
        if len(await shop.found()) < ORDERS:
            await asyncio.sleep(0.2)
            # don't wait for the distances of real life
            await shop.pool.execute(
                "update channels set due_at = now() where due_at is not null and lease_token is null"
            )
            await shop.pool.execute("update connection_health set probe_at = now() where state = 'down'")
    await shop.until_as_expected()
    told = (await shop.http.get("/_sandbox/faults")).json()
    assert any(rule["exercised"] for rule in told)
    number = await shop.pool.fetchval("select count(distinct channel_order_id) from orders")
    assert number == await shop.pool.fetchval("select count(*) from orders") == ORDERS


async def test_in12_a_token_that_expired_stops_polling_and_a_new_one_fills_the_gap(shop: Shop) -> None:
    await shop.configure(version=1, token="expired")
    await shop.until_value("select count(*) from connection_health where state = 'unauthorized'", 1)
    asked = await shop.pool.fetchval("select count(*) from facts where topic = 'exchanges.recorded'")
    await asyncio.sleep(2.5)
    assert await shop.pool.fetchval("select count(*) from facts where topic = 'exchanges.recorded'") == asked

    await shop.configure(version=2)
    await shop.until_as_expected()


@pytest.mark.parametrize("shop", SHOPS, indirect=True)
async def test_in15_a_number_that_was_never_imported_is_answered_live_as_it_is_shown_and_without_its_prefix(
    shop: Shop,
) -> None:
    """One order of each end that the shop's plan has, before anything was pulled; then a number that it never gave."""
    await shop.configure(version=1, polled=False)
    one_of_each = {wanted: number for number, wanted in (await shop.expected()).items()}
    for wanted, number in one_of_each.items():
        kind, _, reason = wanted.partition(":")
        for typed in (number, number.removeprefix("#"), f"#{number.removeprefix('#')}"):
            said = await shop.explain(typed)
            assert said["number"] == number
            assert said["answer"] == ("excluded" if kind == "excluded" else "not_yet_due"), said
            assert reason in said["reason"], said
            assert said["fix"]
    never = await shop.explain("#99887766")
    assert (never["answer"], never["order_id"]) == ("never_existed", None)
    assert await shop.pool.fetchval("select count(*) from orders") == 0


@pytest.mark.parametrize("shop", SHOPS, indirect=True)
async def test_in14_the_audit_finds_what_the_shop_forgot_left_out_and_never_announced(shop: Shop) -> None:
    names = list(await shop.expected())
    shipped = [name for name, wanted in (await shop.expected()).items() if wanted == "shipped"]
    plain = [name for name in shipped if await shop.lines(name) > 1]
    forgotten, trimmed, edited = plain[:3], plain[3:5], plain[5]
    rule = {"match": "*:orders", "kind": "forget", "params": {"orders": forgotten, "last_lines_of": trimmed}}
    (await shop.http.post("/_sandbox/faults", json=[rule])).raise_for_status()
    await shop.configure(version=1)
    await shop.until_value("select count(*) from orders", ORDERS - len(forgotten))
    # as if the pulls had gone on for a long time
    await shop.pool.execute("update channels set due_at = null, cursor_at = now() + interval '1 hour'")
    (await shop.http.delete("/_sandbox/faults")).raise_for_status()
    await shop.edit(edited, {"address": {"city": "Elsewhere"}, "announce": False})

    await shop.pool.execute(
        "insert into audits (audit_id, channel, kind, since, until, asked_by) "
        "select gen_random_uuid(), channel_id, 'audit', '2000-01-01', now() + interval '1 hour', 'anna' from channels"
    )
    await shop.until_value("select count(*) from audits where state <> 'done'", 0)

    results = [row["result"] for row in await shop.pool.fetch("select result from audits")]  # the day's own, too
    assert max(result["shown"] for result in results) == len(names)
    assert {result["unexplained"] for result in results} == {0}
    assert sum(result["healed_missing"] for result in results) == 3
    assert sum(result["healed_changed"] for result in results) == 3
    told = "select count(distinct key) from facts where topic = 'alerts.raised' and key like '%audit-healed/%'"
    assert await shop.pool.fetchval(told) == 6, "the next audit clears them, having nothing to heal"
    city = await shop.pool.fetchval("select body -> 'addresses' -> 0 ->> 'city' from orders where number = $1", edited)
    assert city == "Elsewhere"
