"""IN-13: an edit or a cancellation that comes while an order is routed, sent or shipped: its time line says the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MOVED = {"address": {"city": "Elsewhere"}}
PATIENCE = 120.0


class Orders:
    """Orders of the sandbox's shop that wait unsent, and what people do about them."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub

    def place(self, *skus: str) -> str:
        """A new order of one piece a SKU; its number, once an FR of it waits to be sent."""
        lines = [{"sku": sku, "quantity": 1} for sku in skus]
        [number] = self._hub.sandbox_post("shops/acme/orders", {"orders": [{"lines": lines}]})["orders"]
        self.until(number, lambda order: order["frs"])
        return str(number)

    def send(self, number: str) -> str:
        """Its FR is with its source; the source."""
        [fr] = self.whole(number)["frs"]
        answer = self._hub.world.api("POST", f"/frs/{fr['fr_id']}/actions/process", json={"reason": "go"})
        assert answer.status_code == 200, answer.text
        self.until(number, lambda order: order["frs"][0]["state"] in ("PROCESSED", "ACKNOWLEDGED"))
        return str(fr["source"])

    def at_shop(self, number: str) -> Any:
        return self._control("GET", f"shops/acme/orders/{number.replace('#', '%23')}")

    def edit(self, number: str, change: dict[str, Any]) -> None:
        self._control("PATCH", f"shops/acme/orders/{number.replace('#', '%23')}", change)

    def cancel(self, number: str) -> None:
        self._control("POST", f"shops/acme/orders/{number.replace('#', '%23')}/cancel", {})

    def sources(self, **settings: Any) -> None:
        for source in ("east", "west", "north"):
            self._control("PATCH", f"sources/{source}", settings)

    def whole(self, number: str) -> dict[str, Any]:
        found = self._hub.get("/orders", number=number)["items"]
        return dict(self._hub.get(f"/orders/{found[0]['order_id']}")) if found else {"frs": []}

    def until(self, number: str, so: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not so(order := self.whole(number)):
            assert time.monotonic() < deadline, order
            time.sleep(0.25)
        return order

    def says(self, number: str, *texts: str) -> None:
        """Waits until its time line has all of these."""
        deadline = time.monotonic() + PATIENCE
        order_id = self.whole(number)["order_id"]
        while True:
            told = [one["title"] for one in self._hub.get(f"/orders/{order_id}/timeline")["activities"]]
            if all(any(text in title for title in told) for text in texts):
                return
            assert time.monotonic() < deadline, "\n".join([f"not all of {texts} in:", *told])
            time.sleep(0.25)

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self._hub.world.sandbox_url}/_sandbox/{path}"
        return httpx.request(method, url, json=body, timeout=30).raise_for_status().json()


@pytest.fixture
def orders(make_hub: Callable[..., Any]) -> Orders:
    """FRs wait for a person before they are sent, and no source ships by itself."""
    hub = make_hub(orders=1)

    def by_hand(document: dict[str, Any]) -> None:
        for source in document["sources"]:
            source["auto_process"] = False

    hub.start(by_hand)
    made = Orders(hub)
    made.sources(ships=False)
    return made


def test_in13_an_edit_or_a_cancellation_ends_in_time_recalled_or_too_late_and_the_time_line_says_which(
    orders: Orders,
) -> None:
    routed, sent, kept, gone = (orders.place("SKU-101") for _ in range(4))
    three = orders.place("SKU-101", "SKU-104", "SKU-107")

    # while it is routed: applied, and asked for anew
    orders.edit(routed, MOVED)
    orders.says(routed, "Changed at the channel (addresses): version 2", "voided in time", "was not sent it")
    assert len(orders.until(routed, lambda order: len(order["frs"]) == 2)["frs"]) == 2

    # cancel of one line of three leaves the other two going
    line = orders.at_shop(three)["lines"][1]["id"]
    orders.edit(three, {"lines": [{"id": line, "current_quantity": 0}]})
    orders.says(three, "voided in time")
    order = orders.until(three, lambda one: any(fr["state"] == "UNPROCESSED" for fr in one["frs"]))
    [live] = [fr for fr in order["frs"] if fr["state"] != "VOIDED"]
    assert len(live["lines"]) == 2

    # while it is sent: asked back, and given back
    source = orders.send(sent)
    orders.edit(sent, MOVED)
    orders.says(sent, "Recall asked: FR", f"voided in time: {source} gave it back")

    # asked back, and kept: too late
    orders.sources(cancel_answer="refused")
    source = orders.send(kept)
    orders.cancel(kept)
    orders.says(kept, "Canceled:", "Recall asked: FR", f"Too late: {source} ships FR")

    # when it has shipped: too late, with what had left
    source = orders.send(gone)
    orders.sources(ships=True, ship_after=0.1)
    orders.until(gone, lambda order: order["fulfillment"] == "shipped")
    orders.edit(gone, MOVED)
    orders.says(gone, "Too late for version 2 (address_changed): 1 × SKU-101 of FR", f"had left {source}")
