"""A parcel leaves although its FR was taken back and replaced: the buyer gets one parcel, and a person says which.

Everything runs as processes against the sandbox. What an operator reads on the way is asserted, because it is what they
have to go by.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
PATIENCE = 120.0


class Case:
    """One order whose FR is with its source, as the people on both sides act on it."""

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        body = {"orders": [{"lines": [{"sku": "SKU-101", "quantity": 1}], "expectation": "any"}]}
        [self.number] = hub.sandbox_post("shops/acme/orders", body)["orders"]
        order = self.until(lambda one: one["frs"])
        self.order_id = order["order_id"]
        self.first = order["frs"][0]
        self.second: dict[str, Any] = {}
        self.source = str(self.first["source"])

    def whole(self) -> dict[str, Any]:
        found = self.hub.get("/orders", number=self.number)["items"]
        return dict(self.hub.get(f"/orders/{found[0]['order_id']}")) if found else {"frs": []}

    def until(self, so: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not so(order := self.whole()):
            assert time.monotonic() < deadline, order
            time.sleep(0.25)
        return order

    def act(self, fr: dict[str, Any], action: str) -> None:
        path, body = f"/frs/{fr['fr_id']}/actions/{action}", {"reason": "the shelf is wet"}
        answer = self.hub.world.api("POST", path, json=body)
        assert answer.status_code == 200, answer.text

    def process(self, fr: dict[str, Any]) -> None:
        self.act(fr, "process")
        self.until(lambda one: self.fr(one, fr["fr_id"])["state"] in ("PROCESSED", "ACKNOWLEDGED"))

    @staticmethod
    def fr(order: dict[str, Any], fr_id: str) -> dict[str, Any]:
        return next(dict(one) for one in order["frs"] if one["fr_id"] == fr_id)

    def look(self) -> None:
        """The source is asked now: what is shipped is looked at twice an hour."""
        assert self.hub.world.api("POST", f"/sources/{self.source}/poll").status_code == 202

    def at_source(self, path: str, body: Any = None) -> Any:
        return self.hub.sandbox_post(f"sources/{self.source}/{path}", body or {})

    def ships_all_the_same(self) -> None:
        self.at_source("ship", {"reference": self.first["number"]})
        self.look()

    def replaced(self) -> dict[str, Any]:
        """It is taken back, given back, and asked for again."""
        self.act(self.first, "regenerate")
        order = self.until(lambda one: len(one["frs"]) == 2)
        return next(dict(one) for one in order["frs"] if one["fr_id"] != self.first["fr_id"])

    def conflict(self, code: str) -> dict[str, Any]:
        """The parcel in conflict, once the order waits for this."""
        order = self.until(lambda one: (one["waiting"] or {}).get("reason") == code)
        assert order["waiting"]["by_whom"] == "person"
        assert "waybill shipments decide" in order["waiting"]["next"]
        [found] = self.hub.get("/shipments", order_id=self.order_id, status="conflicted")["items"]
        return dict(found)

    def decide(self, shipment: dict[str, Any], choice: str) -> None:
        world = self.hub.world
        words = ["shipments", "decide", shipment["shipment_id"], choice, "--reason", "the buyer was asked"]
        env = {"WAYBILL_URL": world.console_url, "WAYBILL_API_KEY": world.admin_key, "PATH": "", "TERM": "dumb"}
        done = subprocess.run(
            [sys.executable, "-c", "from console.cli import main; main()", *words],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def says(self, *texts: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            told = [one["title"] for one in self.hub.get(f"/orders/{self.order_id}/timeline")["activities"]]
            if all(any(text in title for title in told) for text in texts):
                return
            assert time.monotonic() < deadline, "\n".join([f"not all of {texts} in:", *told])
            time.sleep(0.25)

    def alerts(self) -> list[str]:
        return [one["alert"] for one in self.hub.get("/alerts")["items"] if "shipment_conflict" in one["alert"]]


@pytest.fixture
def hub(make_hub: Callable[..., Any]) -> Any:
    """FRs wait for a person before they are sent, and no source ships by itself."""
    hub = make_hub(orders=1)

    def by_hand(document: dict[str, Any]) -> None:
        for source in document["sources"]:
            source["auto_process"] = False

    hub.start(by_hand)
    for source in ("east", "west", "north"):
        url = f"{hub.world.sandbox_url}/_sandbox/sources/{source}"
        httpx.patch(url, json={"ships": False}, timeout=30).raise_for_status()
    return hub


def test_the_replacement_is_stopped_or_asked_back_and_a_person_says_which_parcel_counts(hub: Any) -> None:
    unsent, sent = Case(hub), Case(hub)
    for case in (unsent, sent):
        case.process(case.first)
        case.second = case.replaced()
    sent.process(sent.second)
    for case in (unsent, sent):
        case.ships_all_the_same()

    # stopped before it was sent; the parcel counts
    parcel = unsent.conflict("replacement_stopped")
    first, second = unsent.first["number"], unsent.second["number"]
    stopped = f"FR is to be taken back: FR {first} at {unsent.source} shipped after all"
    unsent.says("Shipment in conflict", stopped, f"FR {second} voided in time")
    assert unsent.alerts()
    unsent.decide(parcel, "keep-stopped")
    unsent.until(lambda one: (one["fulfillment"], one["sync"]) == ("shipped", "synced"))
    unsent.says("decided (the buyer was asked): this parcel counts, its replacement stays stopped")

    # asked back from its source, which gave it back; another one ships all the same
    parcel = sent.conflict("replacement_stopped")
    sent.says("Recall asked: FR", "gave it back")
    sent.decide(parcel, "ship-replacement")
    order = sent.until(lambda one: len(one["frs"]) == 3)
    third = next(one for one in order["frs"] if one["state"] == "UNPROCESSED")
    sent.says("decided (the buyer was asked): its replacement ships all the same", f"FR {third['number']} for")
    assert [line["quantity"] for line in third["lines"]] == [1]
    assert order["fulfillment"] == "unfulfilled"
    assert not sent.alerts()
    assert hub.dead_letters() == 0
