"""IN-4 and the service as a whole: real database, Kafka-protocol broker, its own consumer and workers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from ingest_harness import Live, ingest
from ingest_samples import START, channel, configured, line, order

from waybill_contracts.alerts_raised import ConfigApplied
from waybill_contracts.envelope import encode, tombstone
from waybill_contracts.fr_created import Decision, OrderRouted
from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_contracts.values import Address, OrderState, PaymentState

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def submitted(number: str = "A-1", *, to: str = "web", minute: int = 0, **changes: Any) -> OrderSubmitted:
    plain = OrderSubmitted(
        at=order(minute=minute).updated_at, channel=to, number=number, placed_at=START, currency="EUR",
        payment=PaymentState.PAID, shipping_method="Standard", ship_to=Address(country="DE"),
        lines=(SubmittedLine(sku="S1", quantity=3),),
    )  # fmt: skip
    return plain.model_copy(update=changes)


@pytest.fixture
async def live(database_url: str, kafka: str, shelf: Any) -> AsyncIterator[Live]:
    async with ingest(database_url, kafka, shelf) as live:
        web = configured(channel("web", "events"))
        await live.publish(configured(), web)
        await live.until_value("select count(*) from channels", 2)
        yield live


async def test_in4_an_order_that_upstream_publishes_becomes_our_order_in_upstreams_trace(live: Live) -> None:
    await live.publish(submitted(), source="erp", traceparent=TRACE)

    (imported,) = await live.on_topic("orders.imported", 1)
    assert imported.order.state is OrderState.IMPORTED  # type: ignore[attr-defined]
    assert [(one.line_id, one.quantity) for one in imported.order.lines] == [("1", 3)]  # type: ignore[attr-defined]
    header = await live.pool.fetchval("select headers ->> 'traceparent' from facts where topic = 'orders.imported'")
    assert header.split("-")[1] == TRACE.split("-")[1]


async def test_in4_bad_events_become_dead_letters_and_the_good_ones_behind_them_go_on(live: Live) -> None:
    good = encode(submitted("good"), source="erp")
    await live.send(
        good._replace(value=b"\xff not json", key="bad"),
        good._replace(value=b'{"channel": "web"}', key="bad"),
        good._replace(headers={}, key="bad"),
        good._replace(value=None, key="bad"),
        encode(submitted("lost", to="nowhere"), source="erp"),
        good,
        encode(submitted("good-2"), source="erp"),
    )
    await live.until_value("select count(*) from orders", 2)
    await live.until_value("select count(*) from dead_letters", 5)

    reasons = [r["reason"] for r in await live.pool.fetch("select reason from dead_letters order by id")]
    assert any("'nowhere' is not configured" in reason for reason in reasons)
    assert any("lines: Field required" in reason for reason in reasons)
    assert b"\xff not json" in [r["value"] for r in await live.pool.fetch("select value from dead_letters")]


async def test_in4_a_dead_letter_for_a_channel_that_was_not_there_is_imported_on_replay(live: Live) -> None:
    await live.publish(submitted("early", to="new-web"), source="erp")
    await live.until_value("select count(*) from dead_letters", 1)
    await live.publish(configured(channel("new-web", "events")))
    await live.until_value("select count(*) from channels", 3)

    await live.run.steering.replay(await live.pool.fetchval("select id from dead_letters"))
    assert await live.pool.fetchval("select number from orders") == "early"


async def test_in4_an_event_about_an_order_of_a_shop_is_read_live_at_the_shop(live: Live, shelf: Any) -> None:
    there = order("gid-7", lines=(line(quantity=9),))
    shelf.orders = [replace(there, updated_at=START - timedelta(days=1))]  # too old for the window of the pull
    await live.publish(submitted("#gid-7", to="shop"), source="erp")

    await live.until_value("select count(*) from orders where channel_order_id = 'gid-7' and via = 'event'", 1)
    await live.until_value("select count(*) from live_reads", 0)
    assert await live.pool.fetchval("select body -> 'lines' -> 0 ->> 'quantity' from orders") == "9"


async def test_in6_pull_and_event_at_the_same_moment_import_an_order_once(live: Live, shelf: Any) -> None:
    shelf.orders = [order(f"o{i}", minute=i) for i in range(10)]
    events = [submitted(f"#o{i}", to="shop") for i in range(10)]
    await asyncio.gather(live.publish(*events, source="erp"), pull_now(live, "shop"))

    await live.until_value("select count(*) from live_reads", 0)
    await live.until_value("select count(*) from orders", 10)
    assert await live.pool.fetchval("select count(*) from facts where topic = 'orders.imported'") == 10


async def pull_now(live: Live, name: str, *, token: str | None = None) -> httpx.Response:
    bearer = token or live.run.runtime.settings.service_token
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{live.run.port}") as http:
        return await http.post(f"/internal/channels/{name}/pull", headers={"Authorization": f"Bearer {bearer}"})


async def test_in2_run_now_and_the_last_and_next_pull_by_http(live: Live, shelf: Any) -> None:
    await live.until_value("select count(*) from channels where last_success_at is not null", 1)
    shelf.orders = [order()]
    assert (await pull_now(live, "shop")).status_code == 202
    await live.until_value("select count(*) from orders", 1)
    assert (await pull_now(live, "nowhere")).status_code == 404
    assert (await pull_now(live, "web")).status_code == 409
    assert (await pull_now(live, "shop", token="wrong")).status_code == 401

    headers = {"Authorization": f"Bearer {live.run.runtime.settings.service_token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{live.run.port}", headers=headers) as http:
        shop = next(c for c in (await http.get("/internal/channels")).json()["channels"] if c["channel"] == "shop")
        found = (await http.get("/internal/channels/shop/orders/%23o1")).json()["orders"]
    assert (shop["health"], shop["last_counts"]["imported"], shop["last_error"]) == ("ok", 1, None)
    assert shop["next_pull_at"] > shop["last_pull_at"]
    assert found[0]["standing"] == "imported"


async def test_every_version_of_the_configuration_is_answered_also_when_it_was_known(live: Live) -> None:
    await live.publish(configured())
    await live.send(tombstone("channel/web", source="console", version=2))

    applied = [e for e in await live.on_topic("alerts.raised", 4) if isinstance(e, ConfigApplied)]
    answers = sorted((e.entity, e.version) for e in applied)
    assert answers == [("channel/shop", 1), ("channel/shop", 1), ("channel/web", 1), ("channel/web", 2)]
    assert not await live.pool.fetchval("select active from channels where channel_id = 'web'")


async def test_the_routers_answer_settles_the_receipt(live: Live) -> None:
    await live.publish(submitted(), source="erp")
    await live.until_value("select count(*) from receipts_due", 1)
    order_id = str(await live.pool.fetchval("select order_id from orders"))
    decision = Decision(decision_id="d", group="default", config_version=1)
    await live.publish(
        OrderRouted(at=START, order_id=order_id, order_version=1, order_sequence=1, decision=decision), source="router"
    )
    await live.until_value("select count(*) from receipts_due", 0)


async def test_a_mapping_saved_while_running_releases_the_orders_that_waited(live: Live) -> None:
    await live.publish(submitted(lines=(SubmittedLine(sku="NEW", quantity=1),)), source="erp")
    await live.until_value("select standing from orders", "held")
    await live.publish(configured(channel("web", "events", skus={"map": {"NEW": "SKU-9"}}), version=2))

    await live.until_value("select standing from orders", "imported")


async def test_what_was_published_before_the_first_start_is_not_lost(database_url: str, kafka: str, shelf: Any) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        early = Live(None, producer, kafka)  # type: ignore[arg-type]
        await early.publish(configured(channel("web", "events")))
    finally:
        await producer.stop()
    async with ingest(database_url, kafka, shelf) as live:
        await live.until_value("select count(*) from channels", 1)
        await live.publish(*(submitted(f"A-{i}") for i in range(300)), source="erp")
        await live.until_value("select count(*) from orders", 300)
    async with ingest(database_url, kafka, shelf) as live:  # again, from its committed offsets
        await live.publish(*(submitted(f"A-{i}") for i in range(301)), source="erp")
        await live.until_value("select count(*) from orders", 301)
        assert await live.pool.fetchval("select count(*) from facts where topic = 'orders.imported'") == 301


async def test_in4_an_announced_order_that_the_shop_does_not_show_is_told_to_a_person(live: Live) -> None:
    await live.publish(submitted("#ghost", to="shop"), source="erp")
    await live.until_value("select count(*) from live_reads where attempts > 0", 1)
    await live.pool.execute("update live_reads set give_up_at = now(), due_at = now()")

    await live.until_value("select count(*) from open_alerts where key = 'not-at-channel/shop/#ghost'", 1)
    await live.until_value("select count(*) from live_reads", 0)
