"""OP-13: an order as it was at any moment of its life."""

from typing import Any

import pytest
from console_samples import AT, LIFE, ORDER, SHIPMENT, made

CHANGED = {**ORDER, "version": 2, "sequence": 2, "note": "leave it at the door"}
NEW_VERSION = ("order-ingest", made("order.changed", 2, 6, order=CHANGED, changed=["note"]))
PATH = f"/orders/{ORDER['order_id']}"


@pytest.mark.parametrize(
    ("second", "stage", "fulfillment", "sync", "state", "shipments"),
    [
        (0, "imported", "unfulfilled", "not_needed", None, []),
        (1, "routed", "unfulfilled", "not_needed", "UNPROCESSED", []),
        (2, "routed", "unfulfilled", "not_needed", "PROCESSING", []),
        (3, "submitted", "unfulfilled", "not_needed", "ACKNOWLEDGED", []),
        (4, "shipped", "shipped", "pending", "ACKNOWLEDGED", ["recorded"]),
        (5, "settled", "shipped", "synced", "ACKNOWLEDGED", ["synced"]),
    ],
)
async def test_an_order_is_shown_as_it_was(
    console: Any, second: int, stage: str, fulfillment: str, sync: str, state: str | None, shipments: list[str]
) -> None:
    await console.publish(*LIFE, NEW_VERSION)
    await console.eventually("/orders", lambda a: bool(a["items"]) and a["items"][0]["version"] == 2)
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    then = await console.get(PATH, at=AT.format(second))

    assert (then["stage"], then["fulfillment"], then["sync"]) == (stage, fulfillment, sync)
    assert [fr["state"] for fr in then["frs"]] == ([state] if state else [])
    assert [shipment["status"] for shipment in then["shipments"]] == shipments
    assert (then["version"], then["note"]) == (1, "")


async def test_now_and_the_last_moment_are_the_same(console: Any) -> None:
    failed = made(
        "shipment.sync_failed", 3, 7, shipment=SHIPMENT, fulfillment="shipped", sync="failed", attempts=4,
        reason={"code": "refused", "message": "no", "action": "Look."},
    )  # fmt: skip
    await console.publish(*LIFE, NEW_VERSION, ("shipment-poller", failed))
    await console.eventually("/orders", lambda a: bool(a["items"]) and a["items"][0]["sync"] == "failed")

    now = await console.get(PATH)
    then = await console.get(PATH, at="2100-01-01T00:00:00Z")

    assert then.pop("at").startswith("2100")
    assert then == now


async def test_before_it_was_here_says_since_when_it_is(console: Any) -> None:
    await console.publish(LIFE[0])
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 1)

    early = await console.http.get(f"/api/v1{PATH}", params={"at": "2026-11-22T09:59:59Z"})
    zoneless = await console.http.get(f"/api/v1{PATH}", params={"at": "2026-11-22T10:00:00"})

    assert early.status_code == 404
    assert "2026-11-22T10:00:00+00:00" in early.json()["detail"] + early.json()["remedy"]
    assert zoneless.status_code == 422
    assert "timezone" in zoneless.json()["detail"]
