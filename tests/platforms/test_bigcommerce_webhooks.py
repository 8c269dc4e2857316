"""What BigCommerce posts is believed only with a right signature or our own secret, over the raw bytes."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from waybill_platforms.bigcommerce.rest import Rest
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.bigcommerce.webhooks import SCOPES, BigCommerceWebhooks
from waybill_platforms.errors import PlatformError, SignatureRefused
from waybill_platforms.http import NoBudget

NOW = 1_800_000_000
CLIENT, OWN = "client-secret-of-the-account", "our-own-long-secret"


def reader(
    client: str | None = CLIENT, own: str | None = OWN, url: str = "https://store.example"
) -> BigCommerceWebhooks:
    settings = BigCommerceSettings(
        url=url,
        access_token=SecretStr("token-of-the-account"),
        client_secret=SecretStr(client) if client else None,
        webhook_secret=SecretStr(own) if own else None,
    )
    return BigCommerceWebhooks(Rest("acme-bc", settings, NoBudget()), settings, lambda: NOW)


def signed(body: bytes, secret: str = CLIENT, at: int = NOW, name: str = "msg_1") -> dict[str, str]:
    mac = hmac.new(secret.encode(), f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Webhook-Id": name,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": f"v1,{base64.b64encode(mac).decode()}",
        "X-Waybill-Secret": OWN,
    }


@pytest.fixture
def payloads(load: Callable[[str], Any]) -> Any:
    return load("bigcommerce_payloads")


@pytest.fixture
def body(payloads: Any) -> bytes:
    return orjson.dumps(payloads.callback())


def test_a_signed_delivery_says_which_order_to_read(body: bytes) -> None:
    found = reader().read(signed(body), body)
    assert (found.id, found.topic, found.kind, found.order_id) == ("msg_1", "store/order/updated", "order", "129")


@pytest.mark.parametrize(
    ("scope", "data", "kind", "order_id"),
    [
        ("store/order/created", {"type": "order", "id": 7}, "order", "7"),
        ("store/shipment/deleted", {"type": "shipment", "id": 31, "orderId": 129}, "fulfillment", "129"),
        ("store/sku/inventory/updated", {"type": "sku", "id": 5}, "stock", None),
        ("store/app/uninstalled", {}, "uninstalled", None),
        ("store/order/message/created", {"type": "order", "id": 129}, "other", None),
        ("store/cart/created", {"type": "cart", "id": "uuid"}, "other", None),
    ],
)
def test_each_scope_is_about_something(payloads: Any, scope: str, data: Any, kind: str, order_id: str | None) -> None:
    body = orjson.dumps({**payloads.callback(), "scope": scope, "data": data})
    found = reader().read(signed(body), body)
    assert (found.kind, found.order_id) == (kind, order_id)


def test_one_of_several_signatures_is_enough_after_a_secret_changed(body: bytes) -> None:
    headers = signed(body)
    headers["Webhook-Signature"] = f"v1,{base64.b64encode(b'old').decode()} {headers['Webhook-Signature']} v1a,xyz"
    assert reader().read(headers, body).kind == "order"


REFUSED: list[tuple[str, dict[str, str | None]]] = [
    ("does not fit", {"Webhook-Signature": f"v1,{base64.b64encode(b'x' * 32).decode()}"}),
    ("does not fit", {"Webhook-Signature": "v1,*not base64*"}),
    ("does not fit", {"Webhook-Id": "msg_2"}),
    ("differs from our clock", {"Webhook-Timestamp": str(NOW - 301)}),
    ("differs from our clock", {"Webhook-Timestamp": str(NOW + 301)}),
    ("missing", {"Webhook-Timestamp": "yesterday"}),
    ("X-Waybill-Secret", {"X-Waybill-Secret": "another"}),
    ("X-Waybill-Secret", {"X-Waybill-Secret": None}),
]


@pytest.mark.parametrize(("why", "changes"), REFUSED)
def test_what_is_not_proven_is_refused(body: bytes, why: str, changes: dict[str, str | None]) -> None:
    headers = {name: value for name, value in {**signed(body), **changes}.items() if value is not None}
    with pytest.raises(SignatureRefused, match=why) as raised:
        reader().read(headers, body)
    assert CLIENT not in str(raised.value)
    assert OWN not in str(raised.value)


def test_hooks_older_than_signatures_are_known_by_our_own_header_alone(body: bytes) -> None:
    assert reader().read({"x-waybill-secret": OWN}, body).id == "dd70c0976e06b67aaf671e73f49dcb79230ebf9d"
    with pytest.raises(SignatureRefused):
        reader(own=None).read({"x-waybill-secret": OWN}, body)
    with pytest.raises(SignatureRefused):
        reader(client=None, own=None).read(signed(body), body)


def test_a_changed_byte_is_refused_also_where_json_means_the_same(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        reader(own=None).read(signed(body), body + b" ")


def test_a_signed_body_of_another_form_is_refused() -> None:
    for body in (b"[]", b"hello", b"{}"):
        with pytest.raises(SignatureRefused, match="callback"):
            reader().read(signed(body), body)


@given(
    st.binary(max_size=60), st.dictionaries(st.sampled_from(["webhook-id", "webhook-signature"]), st.text(max_size=9))
)
def test_nothing_unsigned_passes_and_nothing_breaks(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        reader().read(headers, body)


# -- registering


async def test_hooks_are_registered_once_and_switched_on_again(payloads: Any, serve: Any) -> None:
    here = "https://hub.example/hooks/acme-bc"
    on = {"id": 1, "scope": SCOPES[0], "destination": here, "is_active": True, "headers": {"x-waybill-secret": OWN}}
    off = {"id": 2, "scope": SCOPES[1], "destination": here, "is_active": False, "headers": {"X-Waybill-Secret": OWN}}
    other = {"id": 3, "scope": SCOPES[2], "destination": "https://other.example/", "is_active": True, "headers": None}
    written: list[tuple[str, str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(payloads.page(on, off, other))
        given = await request.json()
        written.append((request.method, request.path, given["scope"]))
        assert given["headers"] == {"X-Waybill-Secret": OWN}
        return web.json_response({"data": {"id": 9, **given}, "meta": {}})

    hooks = reader(url=await serve(answer))
    assert (await hooks.register(here)).topics == SCOPES
    assert written[0] == ("PUT", "/v3/hooks/2", SCOPES[1])
    assert [scope for method, _, scope in written if method == "POST"] == list(SCOPES[2:])
    await hooks._rest.aclose()


async def test_a_hook_that_nothing_could_prove_is_not_registered() -> None:
    with pytest.raises(PlatformError, match="webhook_secret"):
        await reader(client=None, own=None).register("https://hub.example/hooks/acme-bc")
