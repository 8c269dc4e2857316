"""SP-5: partners are told of withdrawn and corrected shipments by a signed webhook, at least once, from a table."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest_asyncio
from console_samples import IMPORTED, RECORDED
from pydantic import SecretStr
from webhook_receiver import Receiver, receiving

from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.shipment_synced import ShipmentRecorded, ShipmentWithdrawn
from waybill_contracts.values import ByHand, FulfillmentStatus, SyncStatus

SECRET = "a secret shared with the partner"
BY_HAND = ByHand(actor="ann@acme.example", reason="a note of ours")
SHIPMENT = RECORDED[1].shipment.model_copy(update={"by_hand": BY_HAND})
POLLER = "shipment-poller"


@pytest_asyncio.fixture
async def partner() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest_asyncio.fixture
async def told(running_console: Any, database_url: str, kafka: str, partner: Receiver) -> AsyncIterator[Any]:
    given = {"partner_webhook": partner.url, "partner_webhook_secret": SecretStr(SECRET)}
    async with running_console(database_url, kafka, **given) as console:
        yield console


def _fact(sequence: int) -> dict[str, Any]:
    axes = {"fulfillment": FulfillmentStatus.SHIPPED, "sync": SyncStatus.PENDING}
    return {"at": datetime.now(UTC), "sequence": sequence, "shipment": SHIPMENT, **axes}


def corrected(sequence: int) -> tuple[str, Any]:
    return POLLER, ShipmentRecorded(**_fact(sequence), corrected=("tracking_numbers",))


def withdrawn(sequence: int) -> tuple[str, Any]:
    reason = Reason(code="withdrawn_by_source", message="the source took it back")
    return POLLER, ShipmentWithdrawn(**_fact(sequence), reason=reason)


def posted(partner: Receiver) -> list[dict[str, Any]]:
    return [one for _, body in partner.posts for one in orjson.loads(body)["shipments"]]


def names(alerts: dict[str, Any]) -> set[str]:
    return {one["alert"] for one in alerts["items"]}


async def until(so: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_sp_5_a_correction_and_a_withdrawal_are_posted_signed_and_once(told: Any, partner: Receiver) -> None:
    new = POLLER, ShipmentRecorded(**_fact(1))
    await told.publish(IMPORTED, new, corrected(2), withdrawn(3), corrected(2), withdrawn(3))
    await until(lambda: len(posted(partner)) >= 2)
    first, second = posted(partner)
    assert (first["event"], first["corrected"], first["reason"]) == ("shipment.corrected", ["tracking_numbers"], None)
    assert (second["event"], second["reason"]["code"]) == ("shipment.withdrawn", "withdrawn_by_source")
    assert first["order"] == {
        "id": SHIPMENT.order_id,
        "number": IMPORTED[1].order.number,
        "channel": IMPORTED[1].order.channel,
        "store": IMPORTED[1].order.store,
        "channel_order_id": IMPORTED[1].order.channel_order_id,
    }
    assert first["shipment"]["tracking_numbers"] == list(SHIPMENT.tracking_numbers)
    assert "by_hand" not in first["shipment"]
    for headers, body in partner.posts:
        stamp, _, proof = headers["Waybill-Signature"].removeprefix("t=").partition(",v1=")
        assert proof == hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


async def test_sp_5_a_partner_that_takes_nothing_is_told_later_in_order_and_is_an_alert(
    told: Any, partner: Receiver
) -> None:
    pool = told.run.runtime.pool
    partner.status = 503
    await told.publish(IMPORTED, corrected(2), withdrawn(3))
    for tries in (1, 2, 3):
        await until(lambda wanted=tries: len(partner.posts) >= wanted)  # type: ignore[misc]
        await pool.execute("update alert_ways set due_at = now() where way = 'partner'")
    await told.eventually("/alerts", lambda a: "console/not_told/partner" in names(a))
    partner.status = 200
    await pool.execute("update alert_ways set due_at = now() where way = 'partner'")
    await told.eventually("/alerts", lambda a: "console/not_told/partner" not in names(a))
    last = orjson.loads(partner.posts[-1][1])["shipments"]
    assert [one["event"] for one in last] == ["shipment.corrected", "shipment.withdrawn"]
    assert {one["id"] for one in posted(partner)} == {one["id"] for one in last}  # told again, they are the same


async def test_sp_5_a_rebuild_of_the_read_model_tells_partners_nothing_twice(told: Any, partner: Receiver) -> None:
    await told.publish(IMPORTED, withdrawn(2))
    await until(lambda: len(posted(partner)) == 1)
    await told.forget()
    await told.publish(IMPORTED, withdrawn(2), withdrawn(4))
    await until(lambda: len(posted(partner)) >= 2)
    assert [one["event"] for one in posted(partner)] == ["shipment.withdrawn"] * 2
    assert len({one["id"] for one in posted(partner)}) == 2


async def test_without_a_partner_nothing_is_kept_for_one(console: Any) -> None:
    await console.publish(IMPORTED, withdrawn(2))
    await console.eventually("/shipments", lambda a: len(a["items"]) == 1)
    assert await console.run.runtime.pool.fetchval("select count(*) from partner_news") == 0
