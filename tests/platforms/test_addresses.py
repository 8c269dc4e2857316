"""SSRF: a configured URL leads to no private address unless a setting allows it, looked at when it is connected to."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from console.alert_ways import ByWebhook
from waybill_common import addresses
from waybill_common.addresses import AddressRefused, Policy, policy_of
from waybill_common.retry import Family
from waybill_common.settings import MissingSettings, ServiceSettings, load_settings
from waybill_contracts.configuration import Channel
from waybill_platforms.errors import PlatformError
from waybill_platforms.http import NoBudget
from waybill_platforms.registry import open_channel

FAR, HERE = "postgresql://w:w@db.example:5432/w", "postgresql://w:w@127.0.0.1:5432/w"
REFUSED = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1",
    "169.254.169.254", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a01:203",
    "2002:7f00:1::", "2002:a9fe:a9fe::1",
]  # fmt: skip


@pytest.fixture
def nowhere_private() -> Iterator[None]:
    """The policy of a service whose database is elsewhere."""
    addresses.decide(policy_of(None, FAR))
    yield
    addresses.decide(Policy(private=True))


@pytest.mark.parametrize("address", REFUSED)
def test_private_addresses_are_refused_in_every_spelling(address: str) -> None:
    with pytest.raises(AddressRefused, match="WAYBILL_PRIVATE_ADDRESSES"):
        policy_of(None, FAR).check(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_public_addresses_are_called(address: str) -> None:
    policy_of("none", HERE).check(address)


@pytest.mark.parametrize(
    ("setting", "database", "address", "allowed"),
    [
        (None, HERE, "127.0.0.1", True),
        (None, "postgresql://w@/w?host=/run/postgresql", "10.0.0.1", True),
        (None, "postgresql://w@%2Frun%2Fpostgresql/w", "10.0.0.1", True),
        (None, "postgresql://w@localhost/w", "192.168.1.1", True),
        (None, HERE, "169.254.169.254", False),
        ("all", FAR, "10.0.0.1", True),
        ("all", FAR, "169.254.169.254", False),
        ("none", HERE, "127.0.0.1", False),
        ("10.1.0.0/16, 192.168.7.5", FAR, "10.1.200.3", True),
        ("10.1.0.0/16, 192.168.7.5", FAR, "192.168.7.5", True),
        ("10.1.0.0/16, 192.168.7.5", FAR, "10.2.0.1", False),
        ("169.254.169.254", FAR, "169.254.169.254", True),
    ],
)
def test_the_setting_says_which_and_without_it_where_the_database_is(
    setting: str | None, database: str, address: str, allowed: bool
) -> None:
    policy = policy_of(setting, database)
    if allowed:
        policy.check(address)
    else:
        with pytest.raises(AddressRefused):
            policy.check(address)


def test_a_wrong_setting_is_named_at_the_start() -> None:
    given = {"WAYBILL_DATABASE_URL": HERE, "WAYBILL_KAFKA": "k:9092", "WAYBILL_SECRET_KEY": "k" * 20}
    with pytest.raises(MissingSettings, match=r"WAYBILL_PRIVATE_ADDRESSES is wrong .*10\.1\.0\.0/16"):
        load_settings(ServiceSettings, {**given, "WAYBILL_PRIVATE_ADDRESSES": "10.1.0.7/16"})


async def ask(url: str) -> PlatformError:
    told = {"id": "c", "platform": "shopify", "url": url, "credentials": {"access_token": "shpat_0123456789"}}
    connection = open_channel(Channel.model_validate(told), told["credentials"], budget=NoBudget())  # type: ignore[arg-type]
    assert connection is not None
    try:
        with pytest.raises(PlatformError) as raised:
            await connection.reader.get_order("gid://shopify/Order/1")
        return raised.value
    finally:
        await connection.aclose()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
async def test_a_channel_that_leads_home_is_refused_before_a_byte_goes(
    nowhere_private: None, serve: Any, host: str
) -> None:
    """By address and by name: what the name stands for is looked at in the moment of connecting."""
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.json_response({})

    port = (await serve(answer)).rpartition(":")[2]

    error = await ask(f"http://{host}:{port}")

    assert calls == []
    assert (error.family, error.cause, error.outcome) == (Family.REFUSED, "configuration", "none"), error.message
    assert "WAYBILL_PRIVATE_ADDRESSES" in error.message


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
async def test_other_spellings_of_a_number_lead_nowhere(nowhere_private: None, serve: Any, host: str) -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.json_response({})

    port = (await serve(answer)).rpartition(":")[2]

    await ask(f"http://{host}:{port}")

    assert calls == []


async def test_a_redirect_is_not_followed(serve: Any) -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    error = await ask(await serve(answer))

    assert "/elsewhere" not in calls
    assert error.cause == "configuration"


async def test_an_alert_webhook_that_leads_home_is_refused(nowhere_private: None, serve: Any) -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.json_response({})

    way = ByWebhook(await serve(answer), None)
    with pytest.raises(httpx.TransportError, match="WAYBILL_PRIVATE_ADDRESSES"):
        await way.tell([])
    await way.aclose()

    assert calls == []
