"""IN-3: what a channel posts is checked, deduplicated and read live; a lost one loses no order."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from ingest_harness import Live, ingest
from ingest_samples import channel, configured, line, order

from waybill_platforms.errors import SignatureRefused
from waybill_platforms.model.deliveries import Delivery, PersonToErase, Registered

SECRET = b"shared with the shop"


class SignedHooks:
    """A platform that signs the raw body, as Shopify does."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        named = {name.lower(): value for name, value in headers.items()}
        if not hmac.compare_digest(named.get("x-signature", ""), signature(body)):
            raise SignatureRefused("x-signature does not fit the body")
        said = json.loads(body)
        erase = PersonToErase(said["email"], ("o7",)) if "email" in said else None
        return Delivery(said["delivery"], said["topic"], said["kind"], said.get("order"), erase)

    async def register(self, address: str) -> Registered:
        return Registered(("orders/updated",))


def signature(body: bytes) -> str:
    return base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode()


@pytest.fixture
async def live(database_url: str, kafka: str, shelf: Any) -> AsyncIterator[Live]:
    async with ingest(database_url, kafka, shelf, SignedHooks()) as live:
        await live.publish(configured(channel(poll_every="60m")))
        await live.until_value("select count(*) from channels where last_success_at is not null", 1)
        yield live


async def post(live: Live, said: Mapping[str, Any], *, to: str = "shop", sign: str | None = None) -> httpx.Response:
    body = json.dumps({"topic": "orders/updated", "kind": "order", **said}).encode()
    headers = {"X-Signature": signature(body) if sign is None else sign}
    call = {"headers": headers, "body": base64.b64encode(body).decode()}
    token = live.run.runtime.settings.service_tokens[0]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{live.run.port}") as http:
        return await http.post(
            f"/internal/hooks/{to}", json=call, headers={"Authorization": f"Bearer {token}"}, timeout=20
        )


async def test_in3_a_signed_delivery_has_its_order_read_live_and_imported(live: Live, shelf: Any) -> None:
    shelf.orders.append(order("o7", lines=(line(quantity=4),)))

    answer = await post(live, {"delivery": "d-1", "order": "o7", "quantity": 999})

    assert (answer.status_code, answer.json()["repeated"]) == (200, False)
    await live.until_value("select via from orders where channel_order_id = 'o7'", "webhook")
    body = await live.pool.fetchval("select body from orders")
    assert body["lines"][0]["quantity"] == 4


async def test_in3_the_same_delivery_again_is_answered_and_not_read_again(live: Live, shelf: Any) -> None:
    shelf.orders.append(order("o7"))
    await post(live, {"delivery": "d-1", "order": "o7"})
    await live.until_value("select count(*) from live_reads", 0)
    await live.until_value("select count(*) from orders", 1)

    again = await post(live, {"delivery": "d-1", "order": "o7"})

    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert await live.pool.fetchval("select count(*) from live_reads") == 0


@pytest.mark.parametrize(
    ("to", "sign"), [("shop", "forged"), ("shop", ""), ("nowhere", None)], ids=["forged", "unsigned", "unknown"]
)
async def test_in3_what_nobody_signed_is_refused_and_counted(live: Live, to: str, sign: str | None) -> None:
    answer = await post(live, {"delivery": "d-1", "order": "o7"}, to=to, sign=sign)

    assert answer.status_code == 401
    assert await live.pool.fetchval("select count(*) from live_reads") == 0
    assert b'waybill_webhooks_total{outcome="refused"} 1' in live.run.runtime.metrics.render()


async def test_in3_a_ping_is_answered_and_a_removed_app_is_told(live: Live) -> None:
    ping = await post(live, {"delivery": "d-1", "kind": "ping"})
    removed = await post(live, {"delivery": "d-2", "kind": "uninstalled", "topic": "app/uninstalled"})

    assert (ping.status_code, removed.status_code) == (200, 200)
    assert await live.pool.fetchval("select count(*) from open_alerts where key = 'uninstalled/shop'") == 1


async def test_in3_a_lost_webhook_loses_no_order(live: Live, shelf: Any) -> None:
    shelf.orders.append(order("o9"))

    await live.pool.execute("update channels set due_at = now()")

    await live.until_value("select via from orders where channel_order_id = 'o9'", "pull")


async def test_in3_webhook_pull_and_event_at_the_same_moment_import_the_order_once(live: Live, shelf: Any) -> None:
    shelf.orders.append(order("o1"))
    await live.pool.execute("update channels set due_at = now()")
    for number in range(3):
        await post(live, {"delivery": f"d-{number}", "order": "o1"})

    await live.until_value("select count(*) from live_reads", 0)
    await live.until_value("select count(*) from orders", 1)
    told = await live.pool.fetch("select headers ->> 'ce_type' as kind from facts where topic = 'orders.imported'")
    assert [row["kind"] for row in told] == ["waybill.order.imported.v1"]


async def test_op16_a_redaction_names_whom_to_erase_also_when_it_is_repeated(live: Live) -> None:
    said = {"delivery": "d-9", "topic": "customers/redact", "kind": "redaction", "email": "jane@example.com"}

    first, again = await post(live, said), await post(live, said)

    for answer in (first, again):
        assert answer.json()["erase"] == {"email": "jane@example.com", "channel_order_ids": ["o7"]}
        assert answer.json()["delivery"] == "d-9"
    assert await live.pool.fetchval("select count(*) from open_alerts where key like 'redaction/%'") == 0
