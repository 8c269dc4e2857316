"""OP-6: one file, shown before it is applied, applied whole or not at all, given back as it was."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from waybill_contracts.alerts_raised import ConnectionState, ConnectionStateChanged
from waybill_contracts.envelope import decode

SERVICES = ("order-ingest", "router", "fulfillment-push", "shipment-poller")


async def test_a_dry_run_shows_the_difference_and_changes_nothing(console: Any, document: dict[str, Any]) -> None:
    shown = (await console.put_config(document, dry_run=True)).json()

    assert [(c["entity"], c["action"]) for c in shown["changes"]] == [
        ("store/acme", "added"),
        ("channel/acme-shop", "added"),
        ("source/east", "added"),
        ("routing", "added"),
    ]
    assert (await console.get("/config"))["stores"] == []


async def test_the_same_file_again_changes_nothing(console: Any, document: dict[str, Any]) -> None:
    first = (await console.put_config(document)).json()
    again = (await console.put_config(document)).json()

    assert first["version"] == again["version"] == 1
    assert again["changes"] == []
    assert again["stock_levels"] == 0


async def test_in12_the_same_credentials_given_again_resume_a_connection_that_is_locked_out(
    console: Any, document: dict[str, Any]
) -> None:
    """The token was right all along (the shop was closed for an hour): a person has to be able to say so."""
    await console.put_config(document)
    locked = ConnectionState.UNAUTHORIZED
    change = ConnectionStateChanged(at=datetime.now(UTC), connection="acme-shop", service="order-ingest", state=locked)
    await console.publish(("order-ingest", change))
    await console.eventually("/connections", lambda found: found["items"])

    again = (await console.put_config(document)).json()
    [resumed] = again["changes"]
    kept = (await console.put_config(await console.get("/config"))).json()

    assert resumed["entity"] == "channel/acme-shop"
    assert resumed["after"]["credentials"] == {"access_token": "kept (new value)"}
    assert kept["changes"] == []


async def test_what_is_exported_is_what_apply_takes_with_nothing_to_change(
    console: Any, document: dict[str, Any]
) -> None:
    await console.put_config(document)

    exported = await console.get("/config")

    assert exported["stores"][0]["channels"][0]["credentials"] == {"access_token": "kept"}
    assert exported["stock"] == document["stock"]
    assert (await console.put_config(exported)).json()["changes"] == []


async def test_a_secret_is_in_no_answer_and_travels_sealed(console: Any, document: dict[str, Any]) -> None:
    answer = await console.put_config(document)
    consumer = AIOKafkaConsumer("config.changed", bootstrap_servers=console.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
        while record.key != b"channel/acme-shop":
            record = await consumer.getone()
    finally:
        await consumer.stop()

    assert "shpat_very_secret" not in answer.text
    assert "shpat_very_secret" not in (await console.http.get("/api/v1/config/versions")).text
    assert b"shpat_very_secret" not in record.value
    received = decode(record.topic, record.key, {k: v.decode() for k, v in record.headers}, record.value)
    sealed = received.event.channel.credentials["access_token"]  # type: ignore[union-attr]
    assert console.run.runtime.vault.open("channel/acme-shop", sealed) == "shpat_very_secret"


async def test_an_env_name_is_kept_and_resolved_by_what_was_sent_along(
    console: Any, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "the server's own, which is none of the file's")
    channel = document["stores"][0]["channels"][0]
    channel["credentials"] = {"access_token": "env:ACME_TOKEN"}

    missing = await console.put_config(document)
    sent = await console.put_config({**document, "secrets": {"channel/acme-shop": {"access_token": "t-1"}}})
    exported = await console.get("/config")

    assert missing.status_code == 422
    assert "ACME_TOKEN is not set" in missing.json()["errors"][0]["message"]
    assert sent.status_code == 200
    assert exported["stores"][0]["channels"][0]["credentials"] == {"access_token": "env:ACME_TOKEN"}
    assert (await console.put_config(exported)).json()["changes"] == []


async def test_a_wrong_file_is_refused_whole_with_every_error(console: Any, document: dict[str, Any]) -> None:
    document["sources"][0]["poll_every"] = "15 minutes"
    document["stores"][0]["channels"][0]["colour"] = "red"

    refused = await console.put_config(document)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    errors = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert "is no duration" in errors["sources[0].poll_every"]
    assert "no known key" in errors["stores[0].channels[0].colour"]
    assert (await console.get("/config"))["sources"] == []


async def test_apply_waits_until_every_service_works_by_it(console: Any, document: dict[str, Any]) -> None:
    late = (await console.put_config(document, wait=0)).json()["pending"]
    entities = ["channel/acme-shop", "source/east", "routing"]
    document["sources"][0]["costs"]["fee"] = "2.00"
    await console.answer_config(entities, 1, *SERVICES)
    second = (await console.put_config(document, wait=0)).json()
    await console.answer_config(["source/east"], second["version"], *SERVICES)
    document["sources"][0]["costs"]["fee"] = "2.00"
    waited = (await console.put_config(document, wait=10)).json()

    assert len(late) == len(entities) * len(SERVICES)
    assert [c["entity"] for c in second["changes"]] == ["source/east"]
    assert waited["pending"] == []


async def test_what_left_the_file_becomes_a_tombstone(console: Any, document: dict[str, Any]) -> None:
    await console.put_config(document)
    document["stores"][0]["channels"] = []

    removed = (await console.put_config(document)).json()

    assert [(c["entity"], c["action"]) for c in removed["changes"]] == [("channel/acme-shop", "removed")]
    consumer = AIOKafkaConsumer("config.changed", bootstrap_servers=console.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
        while record.value is not None:
            record = await consumer.getone()
    finally:
        await consumer.stop()
    assert record.key == b"channel/acme-shop"


async def test_a_connection_that_could_not_be_opened_is_refused_when_it_is_applied(
    console: Any, document: dict[str, Any]
) -> None:
    document["stores"][0]["channels"][0]["credentials"] = {}
    document["sources"][0]["platform"] = "woocommerce"

    refused = await console.put_config(document)

    errors = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert "access_token is missing" in errors["stores[0].channels[0]"]
    assert "credentials.consumer_key is missing" in errors["sources[0]"]
    assert (await console.get("/config"))["sources"] == []


async def test_in6_a_channel_with_orders_keeps_its_platform_also_after_it_was_removed(
    console: Any, document: dict[str, Any]
) -> None:
    """Its orders are known by that platform's ids: elsewhere they would be imported again, or be edits of others."""
    channel = document["stores"][0]["channels"][0]
    await console.put_config(document)
    other = {"id": channel["id"], "platform": "events"}
    moved = {**document, "stores": [{**document["stores"][0], "channels": [other]}]}
    never_had_an_order = await console.put_config(moved, dry_run=True)
    insert = "insert into excluded_orders (channel, channel_order_id, store, number, reason, sequence, at) "
    values = "values ($1, 'gid-1', 'acme', '1001', 'before_start', 1, now())"
    await console.run.runtime.pool.execute(insert + values, channel["id"])

    refused = await console.put_config(moved)
    without = {**document, "stores": [{**document["stores"][0], "channels": [{**other, "id": "files"}]}]}
    removed = await console.put_config(without)
    again = await console.put_config(moved)

    assert (never_had_an_order.status_code, removed.status_code) == (200, 200)
    for answer in (refused, again):
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["path"]) == (422, "stores[0].channels[0].platform")
        assert "an id of its own, e.g. acme-shop-events" in error["message"]
    assert (await console.put_config(document)).status_code == 200
