"""The console's read model, built anew from what the services send again, answers as before, byte for byte."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

_MOMENT = re.compile(rb'"as_of":"[^"]*"')
"""Until when a list is true: it grows with what is read, and is no part of what an order tells."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_a_rebuilt_console_tells_every_order_as_before(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=40)
    hub.start()
    hub.settle()
    hub.quiet()
    hub.answered()
    before = settled_answers(hub)

    begun = hub.world.api("POST", "/console/rebuild")

    assert begun.status_code == 202, begun.text
    assert sum(begun.json()["events"].values()) > 200
    deadline = time.monotonic() + 120
    while (after := settled_answers(hub)) != before:
        different = [path for path in before | after if before.get(path) != after.get(path)]
        assert time.monotonic() < deadline, f"{len(different)} answers differ, {_first(before, after, different)}"
        time.sleep(0.5)


def settled_answers(hub: Any) -> dict[str, bytes]:
    """All orders, each in full with its time line and exchanges; FRs and shipments."""
    orders = hub.get("/orders", limit=100)["items"]
    paths = [f"/orders/{order['order_id']}{tail}" for order in orders for tail in ("", "/timeline")]
    paths += ["/orders?limit=100", "/frs?limit=100", "/shipments?limit=100", "/excluded-orders?limit=100"]
    return {path: _MOMENT.sub(b'"as_of":', hub.world.api("GET", path).content) for path in paths}


def _first(before: dict[str, bytes], after: dict[str, bytes], paths: list[str]) -> str:
    """Where the first of the different answers begins to differ."""
    was, now = before.get(paths[0], b""), after.get(paths[0], b"")
    common = 0
    while was[: common + 1] == now[: common + 1] and common < len(was):
        common += 1
    shown = slice(max(common - 200, 0), common + 200)
    return f"e.g. {paths[0]} from byte {common} on: {was[shown]!r} is {now[shown]!r}"
