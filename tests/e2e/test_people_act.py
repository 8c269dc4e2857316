"""What a person does when something stays behind, told as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_requests_that_a_source_refused_are_resent_by_a_person(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=12)

    def refusing(document: dict[str, Any]) -> None:
        for source in document["sources"]:
            patch(hub, f"sources/{source['id']}", {"refuse_rate": 1})

    hub.start(refusing)
    failed = hub.wait_until(lambda stats: stats["frs"].get("FAILED", 0) >= 5, 60)
    assert "ACKNOWLEDGED" not in failed["frs"]
    waiting = hub.get("/frs", state="FAILED", limit=100)["items"]
    assert all(fr["reason"]["message"] and fr["reason"]["action"] for fr in waiting)
    order = hub.get(f"/orders/{waiting[0]['order_id']}")
    assert order["waiting"]["by_whom"] == "person"

    for source in {fr["source"] for fr in waiting}:
        patch(hub, f"sources/{source}", {"refuse_rate": 0})
    for fr in waiting:
        answer = hub.world.api("POST", f"/frs/{fr['fr_id']}/actions/resend", json={"reason": "they were wrong"})
        assert answer.status_code == 200, answer.text

    hub.settle(120)
    books = hub.books()
    assert books["ok"], books["problems"]


def test_a_courier_that_is_not_mapped_stops_the_sync_and_the_mapping_releases_it(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=12)
    kept: dict[str, Any] = {}

    def unmapped(document: dict[str, Any]) -> None:
        kept["document"] = document
        kept["couriers"] = document["stores"][0]["channels"][0]["couriers"]["map"]
        document["stores"][0]["channels"][0]["couriers"]["map"] = {}

    hub.start(unmapped)
    hub.wait_until(lambda stats: stats["orders"]["by_sync"].get("failed", 0) >= 5, 90)
    stuck = hub.get("/shipments", status="sync_failed", limit=100)["items"]
    assert {shipment["reason"]["code"] for shipment in stuck} == {"COURIER_NOT_MAPPED"}

    kept["document"]["stores"][0]["channels"][0]["couriers"]["map"] = kept["couriers"]
    answer = hub.world.api("PUT", "/config", params={"wait": 30}, json=kept["document"])
    assert answer.status_code == 200, answer.text

    hub.settle(120)
    books = hub.books()
    assert books["ok"], books["problems"]


def test_an_action_on_a_service_that_is_away_is_done_when_it_is_back(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=4)
    hub.start()
    source = hub.get("/sources")["items"][0]["id"]
    hub.world.kill_service("shipment-poller")
    answer = hub.world.api("POST", f"/sources/{source}/poll")
    assert answer.status_code == 202
    command = answer.json()["command"]
    assert (command["state"], "shipment-poller does not answer" in command["trouble"]) == ("sent", True)

    hub.world.start_service("shipment-poller")

    deadline = time.monotonic() + 120
    while hub.get(f"/commands/{command['command_id']}")["state"] != "done":
        assert time.monotonic() < deadline, hub.get(f"/commands/{command['command_id']}")
        time.sleep(0.5)


def test_rt13_an_fr_that_was_sent_is_asked_back_by_a_person_and_asked_for_again(make_hub: Callable[..., Any]) -> None:
    """Through router, fulfillment-push and the source: given back once, replaced once, and shipped once."""
    hub = make_hub(orders=6)

    def idle(document: dict[str, Any]) -> None:
        for source in document["sources"]:
            patch(hub, f"sources/{source['id']}", {"ships": False})

    hub.start(idle)
    hub.wait_until(lambda stats: stats["frs"].get("ACKNOWLEDGED", 0) >= 5, 90)
    fr = hub.get("/frs", state="ACKNOWLEDGED", limit=1)["items"][0]
    path, reason = f"/frs/{fr['fr_id']}/actions", "the buyer called"
    assert hub.world.api("POST", f"{path}/void", json={"reason": reason}).status_code == 200
    hub.wait_until(lambda stats: stats["frs"].get("VOIDED", 0) == 1, 60)
    hub.wait_until(lambda stats: stats["orders"]["unroutable"].get("voided_by_hand") == 1, 60)
    assert hub.get(f"/orders/{fr['order_id']}")["waiting"]["by_whom"] == "person"

    assert hub.world.api("POST", f"{path}/regenerate", json={"reason": reason}).status_code == 200
    hub.wait_until(lambda stats: not stats["orders"]["unroutable"].get("voided_by_hand"), 60)
    decision = hub.get(f"/orders/{fr['order_id']}/decisions")["items"][-1]["event"]["decision"]
    assert decision["by_hand"]["reason"] == reason
    replaced = hub.query(
        f"select body->>'number' as number from router.frs where body->>'predecessor' = '{fr['fr_id']}'"
    )
    assert len(replaced) == 1

    for source in hub.get("/sources")["items"]:
        patch(hub, f"sources/{source['id']}", {"ships": True, "ship_after": 0.5})
    hub.settle(120)
    books = hub.books()
    assert books["ok"], books["problems"]


def patch(hub: Any, path: str, body: dict[str, Any]) -> None:
    answer = httpx.patch(f"{hub.world.sandbox_url}/_sandbox/{path}", json=body, timeout=10)
    assert answer.status_code < 300, answer.text
