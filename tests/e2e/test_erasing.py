"""OP-16: one customer is erased everywhere, over five processes, and nothing brings them back.

What is looked for is read row by row from every table of every schema, whatever its columns are, so that a table that
is added later is looked through too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import httpx
import pytest

from waybill_contracts.personal import ERASED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_op16_an_erased_customer_is_in_no_table_of_any_schema_and_comes_back_by_nothing(
    make_hub: Callable[..., Any],
) -> None:
    hub = make_hub(orders=16)
    hub.start()
    stats = hub.settle()
    hub.quiet()
    chosen = hub.get("/orders", stage="settled", limit=1)["items"][0]
    order = hub.get(f"/orders/{chosen['order_id']}")
    address = order["addresses"][0]
    gone = words_of_this_order_alone(hub, order)
    before = places(hub, gone)
    assert {place.split(".")[0] for place in before} >= {"order_ingest", "router", "fulfillment_push", "console"}
    assert any(place.endswith(".facts") for place in before)

    erased = erase(hub, {"email": order["email"], "reason": "ticket 812"})

    assert erased["state"] == "done", erased
    assert order["order_id"] in erased["order_ids"]
    assert erased["asked_by"] == "WAYBILL_ADMIN_KEY"
    nowhere(hub, gone, "they were erased")
    assert counts(hub.stats()) == counts(stats)
    shown = hub.get(f"/orders/{order['order_id']}")
    assert (shown["number"], shown["stage"], shown["lines"]) == (order["number"], order["stage"], order["lines"])
    assert {shown["email"], shown["addresses"][0]["name"], shown["addresses"][0]["line1"]} == {ERASED}
    assert hub.get("/orders", search=order["email"])["items"] == []
    assert order["order_id"] not in str(hub.get("/orders", search=address["name"], limit=500)["items"])
    assert hub.get("/orders", search=order["number"])["items"]
    told_when(hub, order, "WAYBILL_ADMIN_KEY", gone)

    assert hub.world.api("POST", "/console/rebuild").status_code == 202
    hub.settle()
    hub.quiet()
    assert counts(hub.stats()) == counts(stats)
    nowhere(hub, gone, "the console was built anew")
    told_when(hub, order, "WAYBILL_ADMIN_KEY", gone)

    version = shown["version"]
    audit = hub.world.api("POST", f"/channels/{order['channel']}/audit", json={"since": "2020-01-01T00:00:00Z"})
    assert audit.status_code in (200, 202), audit.text
    wait_for_audit(hub, order["channel"])
    nowhere(hub, gone, "the shop showed the order again")
    assert hub.get(f"/orders/{order['order_id']}")["version"] == version


def test_op16_a_shops_redaction_waits_for_an_order_under_way_until_it_is_over(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=16)

    def signing(document: dict[str, Any]) -> None:
        document["stores"][0]["channels"][0]["credentials"]["client_secret"] = "acme-secret"

    hub.start(signing)
    hub.settle()
    hub.quiet()
    held = hub.get("/orders", stage="held", limit=1)["items"][0]
    order = hub.get(f"/orders/{held['order_id']}")
    gone = words_of_this_order_alone(hub, order)

    redact(hub, order)
    redact(hub, order)
    (wish,) = hub.get("/erasures")["items"]
    waiting = until_seen(hub, wish["erasure_id"])

    assert (waiting["asked_by"], waiting["reason"]) == (f"channel/{order['channel']}", "customers/redact")
    assert waiting["state"] == "waiting"
    assert waiting["under_way"] == [order["order_id"]]
    assert hub.get(f"/orders/{order['order_id']}")["addresses"] == order["addresses"]

    path = f"/orders/{order['order_id']}/actions/cancel"
    assert hub.world.api("POST", path, json={"reason": "the buyer leaves"}).status_code == 200
    deadline = time.monotonic() + 150
    while hub.get(f"/erasures/{waiting['erasure_id']}")["state"] != "done":
        assert time.monotonic() < deadline, hub.get(f"/erasures/{waiting['erasure_id']}")
        time.sleep(0.5)
    nowhere(hub, gone, "it was canceled and erased")
    told_when(hub, order, f"the shop of channel {order['channel']}", gone)


def words_of_this_order_alone(hub: Any, order: dict[str, Any]) -> set[str]:
    """E-mail and street, and the name where no other buyer has it too (whose name shall stay)."""
    address = order["addresses"][0]
    words = {order["email"], address["line1"], address["name"]}
    rows = hub.query("select order_id::text, snapshot::text from order_ingest.orders")
    others = "\n".join(text for order_id, text in rows if order_id != order["order_id"])
    alone = {word for word in words if word and word not in others}
    assert len(alone) >= 2, (words, "are of other orders too")
    return alone


def told_when(hub: Any, order: dict[str, Any], by_whom: str, gone: set[str]) -> None:
    """The time line says when, by whom and what kinds; not what was erased, nor the reason, which admins read."""
    told = hub.get(f"/orders/{order['order_id']}/timeline")["activities"]
    [erasure] = [one for one in told if one["activity"] == "person_erased"]
    assert erasure["title"].startswith(f"Personal data erased, as {by_whom} asked: names and addresses, ")
    assert not any(word in str(told) for word in (*gone, "ticket 812"))
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)


def erase(hub: Any, wish: dict[str, Any]) -> dict[str, Any]:
    asked = hub.world.api("POST", "/erasures", json=wish)
    assert asked.status_code == 202, asked.text
    return until_seen(hub, asked.json()["erasure_id"])


def redact(hub: Any, order: dict[str, Any]) -> None:
    """What Shopify posts for a customer who wants to be forgotten, signed as it signs."""
    number = int(order["channel_order_id"].rpartition("/")[2])
    body = json.dumps({"customer": {"id": 7, "email": order["email"]}, "orders_to_redact": [number]}).encode()
    signature = base64.b64encode(hmac.digest(b"acme-secret", body, hashlib.sha256)).decode()
    headers = {"X-Shopify-Topic": "customers/redact", "X-Shopify-Hmac-Sha256": signature, "X-Shopify-Webhook-Id": "w-1",
               "X-Shopify-Shop-Domain": "acme.example", "X-Shopify-Api-Version": "2026-10"}  # fmt: skip
    answer = httpx.post(f"{hub.world.console_url}/hooks/{order['channel']}", content=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"kind", "topic", "repeated"}


def until_seen(hub: Any, erasure_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        now: dict[str, Any] = hub.get(f"/erasures/{erasure_id}")
        if now["state"] == "done" or now["under_way"]:
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.25)


def wait_for_audit(hub: Any, channel: str) -> None:
    deadline = time.monotonic() + 120
    while hub.query("select 1 from order_ingest.audits where state = 'waiting'"):
        assert time.monotonic() < deadline, f"the audit of {channel} does not end"
        time.sleep(0.25)


def nowhere(hub: Any, words: Iterable[str], when: str) -> None:
    """What is recorded about an erased order is redacted within seconds."""
    deadline = time.monotonic() + 90
    while found := places(hub, words):
        assert time.monotonic() < deadline, f"{when}: {found}"
        time.sleep(1)


def counts(stats: dict[str, Any]) -> dict[str, Any]:
    return {"orders": stats["orders"], "frs": stats["frs"]}


def places(hub: Any, words: Iterable[str]) -> dict[str, list[str]]:
    """schema.table -> the words that any of its rows holds."""
    return asyncio.run(_places(hub.world.database_url, {word.lower() for word in words}))


async def _places(url: str, words: set[str]) -> dict[str, list[str]]:
    spelled = {word: {word, json.dumps(word)[1:-1]} for word in words}
    conn = await asyncpg.connect(url)
    try:
        tables = await conn.fetch(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        )
        found: dict[str, list[str]] = {}
        for schema, table in tables:
            for row in await conn.fetch(f'select * from "{schema}"."{table}"'):
                text = " ".join(_text(value) for value in row.values()).lower()
                held = [word for word, ways in spelled.items() if any(way in text for way in ways)]
                if held:
                    found.setdefault(f"{schema}.{table}", []).extend(held)
        return found
    finally:
        await conn.close()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
