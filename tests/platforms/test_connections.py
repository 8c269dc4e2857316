"""One open connection per configured entity and version; replaced ones close after their calls have ended."""

import asyncio
from dataclasses import fields
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from waybill_common.vault import Vault, VaultRefused
from waybill_contracts.configuration import Channel, Platform, Source
from waybill_platforms.connections import Connections, plain
from waybill_platforms.errors import UnsupportedPlatform
from waybill_platforms.model.features import Features
from waybill_platforms.registry import CHANNELS, channel_refusal

COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]}


def channel(platform: str = "shopify", **changes: Any) -> Channel:
    given = {"id": "acme", "platform": platform, "url": "https://acme.example", "credentials": {"access_token": "t"}}
    return Channel.model_validate({**given, **changes})


def source(platform: str = "http", **changes: Any) -> Source:
    given = {"id": "east", "platform": platform, "url": "https://east.example", "credentials": {"token": "t"}}
    return Source.model_validate({**given, "costs": COSTS, **changes})


async def test_the_same_version_has_the_same_client(ledger: Any) -> None:
    connections = Connections(ledger, plain)
    assert connections.channel(channel(), 1) is connections.channel(channel(), 1)
    assert connections.source(source(), 1) is not connections.source(source(), 2)
    await connections.aclose()


async def test_secrets_are_opened_for_their_own_entity_only(ledger: Any) -> None:
    vault = Vault("a long random text")
    connections = Connections(ledger, vault.open)
    right = source(credentials={"token": vault.seal("source/east", "t")})
    assert connections.source(right, 1) is not None
    with pytest.raises(VaultRefused):
        connections.source(source(credentials={"token": vault.seal("source/west", "t")}), 2)
    await connections.aclose()


async def test_a_replaced_client_lets_its_call_end(serve: Any, ledger: Any) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        arrived.set()
        await release.wait()
        return web.json_response({"shipments": [], "next": None})

    url = await serve(slow)
    connections = Connections(ledger, plain)
    old = connections.source(source(url=url), 1)
    assert old is not None
    call = asyncio.create_task(old.shipments.list_shipments(None))
    await arrived.wait()
    connections.source(source(url=url), 2)
    await asyncio.sleep(0.05)
    release.set()
    assert (await call).shipments == ()
    await connections.aclose()


@pytest.mark.parametrize("platform", ["events"])
async def test_a_channel_without_a_connection_has_none(ledger: Any, platform: str) -> None:
    assert Connections(ledger, plain).channel(channel(platform), 1) is None
    assert Connections(ledger, plain).source(source("manual"), 1) is None


async def test_a_platform_without_the_role_is_named(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CHANNELS, Platform.MAGENTO)
    with pytest.raises(UnsupportedPlatform, match=r"magento is no channel yet; use .*shopify"):
        Connections(ledger, plain).channel(channel("magento"), 1)


@pytest.mark.parametrize(("credentials", "named"), [({}, "access_token"), ({"access_token": ""}, "access_token")])
async def test_a_missing_credential_is_named(ledger: Any, credentials: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Connections(ledger, plain).channel(channel(credentials=credentials), 1)
    assert named in str(channel_refusal(channel(), credentials))
    assert channel_refusal(channel(), {"access_token": "t"}) is None


async def test_a_supplier_that_asks_for_no_token_is_sent_none(serve: Any, ledger: Any) -> None:
    seen: list[str | None] = []

    async def open_to_all(request: web.Request) -> web.Response:
        seen.append(request.headers.get("authorization"))
        return web.json_response({"shipments": [], "next": None})

    connections = Connections(ledger, plain)
    supplier = connections.source(source(url=await serve(open_to_all), credentials={}), 1)
    assert supplier is not None
    await supplier.shipments.list_shipments(None)
    assert seen == [None]
    await connections.aclose()


def test_an_address_is_needed() -> None:
    with pytest.raises(ValidationError, match="url"):
        channel(url=None)


@pytest.mark.parametrize("name", ["acknowledges", "cancels", "reports_shipments", "dedupes_by_reference"])
async def test_the_configuration_narrows_what_a_source_can_do(ledger: Any, name: str) -> None:
    connections = Connections(ledger, plain)
    whole = connections.source(source(capabilities={name: True}), 1)
    narrow = connections.source(source(capabilities={name: False}), 2)
    assert whole is not None
    assert narrow is not None
    assert (getattr(whole.features, name), getattr(narrow.features, name)) == (True, False)
    differing = {
        one.name for one in fields(Features) if getattr(whole.features, one.name) != getattr(narrow.features, one.name)
    }
    assert differing == {name}
    await connections.aclose()
