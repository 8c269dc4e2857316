"""Setting a Shopify connection up: what a probe finds, whose webhooks are believed, how a token is renewed."""

import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError, SignatureRefused
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.recording import recording
from waybill_platforms.shopify import client
from waybill_platforms.shopify.renewal import ShopifyRenewer
from waybill_platforms.shopify.settings import ShopifySettings
from waybill_platforms.shopify.webhooks import KINDS, REQUIRED, ShopifyWebhooks, signature

SECRET, BEFORE = "the-secret-of-now", "the-secret-before"


def settings_of(stage: Any, **changes: Any) -> ShopifySettings:
    given = stage.world.shops["acme"].connection(stage.origin)
    return ShopifySettings.of("acme", given["url"], given["credentials"]).model_copy(update=changes)


@pytest.fixture
async def acme(stage: Any, ledger: Any) -> AsyncIterator[ChannelConnection]:
    connection = client.open_channel("acme-shop", settings_of(stage), ledger)
    yield connection
    await connection.aclose()


async def codes(connection: Any) -> dict[str, str]:
    probe = await connection.prober.probe()
    return {finding.code: finding.severity for finding in probe.findings}


# -- probe


async def test_fulfillment_orders_that_come_back_empty_are_a_missing_scope(stage: Any, acme: Any) -> None:
    """Without the scope nothing is refused: the lists are empty, and nothing would ever be fulfilled."""
    stage.world.shop.configure({"scopes": ["read_orders", "read_all_orders", "read_products", "read_shipping"]})
    found = await codes(acme)
    assert found["scope_read_merchant_managed_fulfillment_orders"] == "missing"
    assert found["scope_write_merchant_managed_fulfillment_orders"] == "missing"
    order = next(order for order in stage.world.shop.judged() if order.kind == "plain")
    state = await acme.writer.read(f"gid://shopify/Order/{order.id}")
    assert dict(state.remaining) == {}


async def test_a_scope_that_only_costs_something_is_a_warning(stage: Any, acme: Any) -> None:
    stage.world.shop.configure({"scopes": ["read_orders", "write_third_party_fulfillment_orders"]})
    assert await codes(acme) == {
        "scope_read_all_orders": "warning",
        "scope_read_products": "warning",
        "scope_read_shipping": "warning",
    }


async def test_protected_customer_data_that_was_not_granted_is_found_out(stage: Any, acme: Any) -> None:
    stage.place(("SKU-100", 1))
    stage.world.shop.configure({"customer_data": False})
    assert (await codes(acme))["protected_customer_data"] == "missing"


async def test_a_connection_without_the_apps_secret_is_told_that_webhooks_cannot_be_checked(
    stage: Any, ledger: Any
) -> None:
    connection = client.open_channel("acme-shop", settings_of(stage, client_secret=None), ledger)
    assert await codes(connection) == {"client_secret": "warning"}
    await connection.aclose()


async def test_a_scope_that_orders_need_is_refused_and_pauses_the_connection(stage: Any, ledger: Any) -> None:
    stage.world.shop.configure({"scopes": ["read_orders"]})
    connection = client.open_source("acme", settings_of(stage), ledger)
    found = await connection.prober.probe()  # type: ignore[union-attr]
    assert {finding.code for finding in found.findings if finding.severity == "missing"} == {
        "scope_write_orders",
        "scope_read_products",
    }
    await connection.aclose()


# -- webhooks


def reader(secret: str | None = SECRET, before: str | None = None) -> ShopifyWebhooks:
    settings = ShopifySettings(
        url="https://acme.example",
        access_token=SecretStr("shpat_1"),
        client_secret=SecretStr(secret) if secret else None,
        previous_client_secret=SecretStr(before) if before else None,
    )
    return ShopifyWebhooks(None, settings)  # type: ignore[arg-type]  # reading needs no shop


def delivery(body: bytes, secret: str = SECRET, topic: str = "orders/updated", **more: str) -> dict[str, str]:
    return {
        "X-Shopify-Hmac-Sha256": signature(secret.encode(), body).decode(),
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "acme.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": "w-1",
        **more,
    }


ORDER = orjson.dumps({"id": 450789469, "name": "#1001", "note": "Grüße 🙏"})


def test_the_signature_is_that_of_the_known_vector() -> None:
    """HMAC-SHA256 over the raw body, base64: computed with OpenSSL."""
    assert signature(b"hush", b'{"id":1}') == b"VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="


def test_after_a_rotation_both_secrets_are_believed() -> None:
    hooks = reader(SECRET, BEFORE)
    for secret in (SECRET, BEFORE):
        assert hooks.read(delivery(ORDER, secret), ORDER).order_id == "gid://shopify/Order/450789469"
    with pytest.raises(SignatureRefused):
        reader(SECRET).read(delivery(ORDER, BEFORE), ORDER)


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_header_that_is_missing_is_named(missing: str) -> None:
    headers = {name: value for name, value in delivery(ORDER).items() if name.lower() != missing}
    with pytest.raises(SignatureRefused, match=missing):
        reader().read(headers, ORDER)


def test_a_body_read_and_written_again_is_another_body() -> None:
    with pytest.raises(SignatureRefused):
        reader().read(delivery(ORDER), orjson.dumps(orjson.loads(ORDER), option=orjson.OPT_INDENT_2))


def test_without_the_secret_nothing_is_believed_and_the_refusal_holds_no_secret() -> None:
    with pytest.raises(SignatureRefused, match="client_secret is missing"):
        reader(None).read(delivery(ORDER), ORDER)
    with pytest.raises(SignatureRefused) as refused:
        reader().read(delivery(ORDER, "wrong"), ORDER)
    assert SECRET not in str(refused.value)


def test_a_repetition_has_the_same_id_and_another_topic_of_the_event_has_not() -> None:
    hooks = reader()
    first = hooks.read(delivery(ORDER, **{"X-Shopify-Event-Id": "e-1"}), ORDER)
    again = hooks.read(delivery(ORDER, **{"X-Shopify-Event-Id": "e-1", "X-Shopify-Webhook-Id": "w-2"}), ORDER)
    other = hooks.read(delivery(ORDER, topic="orders/paid", **{"X-Shopify-Event-Id": "e-1"}), ORDER)
    assert first.id == again.id != other.id
    assert hooks.read(delivery(ORDER), ORDER).id == "w-1"


def test_a_fulfillment_names_its_order() -> None:
    body = orjson.dumps({"id": 7, "order_id": 1001})
    told = reader().read(delivery(body, topic="fulfillments/update"), body)
    assert (told.kind, told.order_id) == ("fulfillment", "gid://shopify/Order/1001")


@pytest.mark.parametrize("topic", [*KINDS, "products/update"])
def test_each_topic_has_its_kind(topic: str) -> None:
    body = b'{"id": 1}'
    assert reader().read(delivery(body, topic=topic), body).kind == KINDS.get(topic, "other")


def test_what_is_signed_and_no_object_is_refused() -> None:
    for body in (b"[]", b"not json"):
        with pytest.raises(SignatureRefused):
            reader().read(delivery(body), body)


# -- renewal


async def test_a_renewed_token_works_and_the_one_before_still_does(stage: Any, ledger: Any) -> None:
    renewer = ShopifyRenewer("acme", settings_of(stage), ledger)
    renewed = await renewer.renew()
    await renewer.aclose()
    assert renewed.expires_at is not None
    for token in (renewed.credentials["access_token"], "shpat_demo_acme"):
        connection = client.open_channel("acme", settings_of(stage, access_token=SecretStr(token)), ledger)
        assert (await connection.prober.probe()).version == "2026-10"  # type: ignore[union-attr]
        await connection.aclose()


async def test_a_new_token_and_the_secret_stand_in_no_record(stage: Any, ledger: Any) -> None:
    renewer = ShopifyRenewer("acme", settings_of(stage), ledger)
    with recording() as exchanges:
        renewed = await renewer.renew()
    await renewer.aclose()
    told = exchanges[0].event("console").model_dump_json()
    assert renewed.credentials["access_token"] not in told
    assert "acme-secret" not in told
    assert renewed.credentials["access_token"] not in repr(renewed)
    assert re.search(r"expires_in", told)


async def test_a_wrong_secret_is_told_as_expired_credentials(stage: Any, ledger: Any) -> None:
    renewer = ShopifyRenewer("acme", settings_of(stage, client_secret=SecretStr("not-the-secret")), ledger)
    with pytest.raises(PlatformError) as raised:
        await renewer.renew()
    await renewer.aclose()
    assert raised.value.family is Family.UNAUTHORIZED
