"""Access tokens that end are renewed by the console alone (IN-12), at an emulated shop that gives and ends them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiokafka import AIOKafkaConsumer

from console.renew_tokens import FIRST_WAIT, LONGEST_WAIT, due, wait_after
from sandbox.app import build
from sandbox.world import Wish, World
from waybill_contracts.alerts_raised import ConnectionState, ConnectionStateChanged
from waybill_contracts.envelope import decode

ENTITY = "channel/acme-shop"
APP = {"client_id": "demo-app", "client_secret": "acme-secret"}


@dataclass
class Shop:
    """The emulated shop `acme`, behind its real HTTP."""

    world: World
    url: str

    def set(self, **settings: Any) -> None:
        self.world.shops["acme"].configure(settings)
        self.world.journal.flush()

    @property
    def given(self) -> list[str]:
        """The tokens that it gave for the app's id and secret, oldest first."""
        return list(self.world.shops["acme"].told_settings()["token_ends"])

    async def lets_in(self, token: str) -> bool:
        async with httpx.AsyncClient(headers={"X-Shopify-Access-Token": token}) as http:
            path = "/admin/api/2026-10/graphql.json"
            answer = await http.post(self.url + path, json={"query": "{ shop { name } }"})
        return answer.status_code == 200


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    world = World(tmp_path, Wish(orders=0, seed=7, ship_after=3600.0))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Shop(world, f"http://127.0.0.1:{runner.addresses[0][1]}/shopify/acme")
    await runner.cleanup()


def file_of(document: dict[str, Any], shop: Shop, **credentials: str) -> dict[str, Any]:
    document["stores"][0]["channels"][0] |= {"url": shop.url, "credentials": credentials}
    return document


async def until(so: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := await so()):
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.05)
    return found


async def stored(console: Any) -> Any:
    statement = (
        "select e.*, r.due_at, r.failures, r.last_error from config_entities e join token_renewals r using (entity)"
    )
    return await console.run.runtime.pool.fetchrow(statement + " where entity = $1", ENTITY)


async def renewed(console: Any, times: int = 1) -> Any:
    """The stored connection, once it was renewed so often since it was applied."""

    async def so() -> Any:
        row = await stored(console)
        return row if row and row["credential_version"] > times else None

    return await until(so)


def token_of(console: Any, row: Any) -> str:
    return str(console.run.runtime.vault.open(ENTITY, row["renewed"]["access_token"]))


async def say(console: Any, state: ConnectionState) -> None:
    """As order-ingest tells of the connection."""
    change = ConnectionStateChanged(at=datetime.now(UTC), connection="acme-shop", service="order-ingest", state=state)
    await console.publish(("order-ingest", change))
    await console.eventually("/connections", lambda found: found["items"] and found["items"][0]["state"] == state.value)


async def published(console: Any, credential_version: int) -> Any:
    """The event by which services hear of the channel's credentials of this version."""
    consumer = AIOKafkaConsumer("config.changed", bootstrap_servers=console.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while True:
                record = await consumer.getone()
                headers = {name: value.decode() for name, value in record.headers}
                received = decode(record.topic, record.key, headers, record.value)
                if record.key == ENTITY.encode() and received.event.credential_version == credential_version:  # type: ignore[union-attr]
                    return received.event  # type: ignore[union-attr]
    finally:
        await consumer.stop()


async def test_an_app_without_a_token_gets_its_first_one_and_services_hear_of_it_sealed(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    await console.put_config(file_of(document, shop, **APP))
    row = await renewed(console)
    event = await published(console, row["credential_version"])

    token = console.run.runtime.vault.open(ENTITY, event.channel.credentials["access_token"])
    assert [token] == shop.given
    assert await shop.lets_in(token)
    assert set(event.channel.credentials) == {"access_token", *APP}
    assert row["due_at"] > datetime.now(UTC) + timedelta(hours=12)
    assert token not in str(await console.get("/config/versions"))


async def test_a_token_is_renewed_before_it_ends(console: Any, document: dict[str, Any], shop: Shop) -> None:
    shop.set(token_lifetime=60)
    await console.put_config(file_of(document, shop, **APP))
    first = await renewed(console)
    assert first["due_at"] < datetime.now(UTC) + timedelta(seconds=60)

    await console.run.runtime.pool.execute("update token_renewals set due_at = now()")  # 45 seconds later
    second = await renewed(console, 2)

    assert [token_of(console, first), token_of(console, second)] == shop.given


async def test_the_same_file_and_the_exported_one_change_nothing_after_a_renewal(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    wanted = file_of(document, shop, access_token="env:ACME_TOKEN", **APP)
    wanted |= {"secrets": {ENTITY: {"access_token": "shpat_demo_acme"}}}
    await console.put_config(wanted)
    await say(console, ConnectionState.UNAUTHORIZED)
    row = await renewed(console)
    await say(console, ConnectionState.OK)

    exported = await console.get("/config")
    for given in (wanted, exported):
        assert (await console.put_config(given)).json()["changes"] == []

    kept = {"access_token": "env:ACME_TOKEN", "client_id": "kept", "client_secret": "kept"}
    assert exported["stores"][0]["channels"][0]["credentials"] == kept
    assert (await stored(console))["renewed"] == row["renewed"]


async def test_a_change_of_something_else_keeps_the_token_and_a_new_secret_lets_it_go(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    wanted = file_of(document, shop, **APP)
    await console.put_config(wanted)
    row = await renewed(console)

    wanted["stores"][0]["channels"][0]["poll_every"] = "90s"
    await console.put_config(wanted)
    assert (await stored(console))["renewed"] == row["renewed"]

    shop.set(client_secret="another")
    wanted["stores"][0]["channels"][0]["credentials"] = APP | {"client_secret": "another"}
    await console.put_config(wanted)
    again = await renewed(console, 3)
    assert await shop.lets_in(token_of(console, again))


async def test_in12_a_connection_that_is_locked_out_gets_a_new_token_once_and_not_again_at_once(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    """A person's own token, of which nobody knows when it ends, is left alone until a service is refused with it."""
    await console.put_config(file_of(document, shop, access_token="shpat_demo_acme", **APP))
    await until(lambda: stored(console))
    assert (await stored(console))["due_at"] is None
    shop.set(tokens=["somebody-elses"])

    await say(console, ConnectionState.UNAUTHORIZED)
    row = await renewed(console)
    assert await shop.lets_in(token_of(console, row))

    await say(console, ConnectionState.UNAUTHORIZED)  # e.g. a scope is missing, which no new token mends
    await asyncio.sleep(3)
    assert len(shop.given) == 1


async def test_a_refusal_is_an_alert_with_the_way_out_and_is_tried_again_later(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    shop.set(client_secret="another")
    await console.put_config(file_of(document, shop, **APP))
    alerts = await console.eventually("/alerts", lambda found: found["items"], seconds=60)
    refused = await stored(console)

    [alert] = alerts["items"]
    assert alert["title"] == f"{ENTITY} gets no new access token"
    assert "apply a configuration with ones that hold" in alert["detail"]
    assert APP["client_secret"] not in str(alerts) + refused["last_error"]
    assert refused["failures"] == 1
    assert refused["due_at"] > datetime.now(UTC)

    shop.set(client_secret=APP["client_secret"])  # the merchant puts it right at the shop
    await console.run.runtime.pool.execute("update token_renewals set due_at = now()")
    assert (await renewed(console))["failures"] == 0
    await console.eventually("/alerts", lambda found: not found["items"], seconds=60)


async def test_each_renewal_is_a_transaction_record_that_holds_no_secret(
    console: Any, document: dict[str, Any], shop: Shop
) -> None:
    shop.set(client_secret="another")
    await console.put_config(file_of(document, shop, **APP))
    await console.eventually("/records", lambda found: found["items"], log_type="renew_token")
    shop.set(client_secret=APP["client_secret"])
    await console.run.runtime.pool.execute("update token_renewals set due_at = now()")
    row = await renewed(console)
    records = await console.eventually("/records", lambda found: len(found["items"]) > 1, log_type="renew_token")

    told = {(one["attempt"], one["outcome"], one["service"], one["connection"]) for one in records["items"]}
    assert told == {(1, "unauthorized", "console", "acme-shop"), (2, "ok", "console", "acme-shop")}
    assert "[redacted]" in next(one["response_body"] for one in records["items"] if one["outcome"] == "ok")
    everything = str(records)
    assert not [one for one in (token_of(console, row), APP["client_secret"]) if one in everything]


async def test_of_two_replicas_one_renews(
    database_url: str, kafka: str, document: dict[str, Any], shop: Shop, running_console: Any
) -> None:
    async with AsyncExitStack() as stack:
        one, _ = [await stack.enter_async_context(running_console(database_url, kafka)) for _ in range(2)]
        await one.put_config(file_of(document, shop, **APP))
        await renewed(one)
        for times in (2, 3, 4):
            await one.run.runtime.pool.execute("update token_renewals set due_at = now()")
            await renewed(one, times)
        await asyncio.sleep(3)  # both have had their turns
        assert len(shop.given) == 4


def test_a_token_is_renewed_when_three_quarters_of_its_life_are_over() -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    assert due(now, now + timedelta(hours=24)) == now + timedelta(hours=18)
    assert due(now, None) is None


def test_waits_double_up_to_an_hour() -> None:
    assert [wait_after(1), wait_after(2), wait_after(50)] == [FIRST_WAIT, 2 * FIRST_WAIT, LONGEST_WAIT]
