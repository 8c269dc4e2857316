"""READ: how long the console takes to answer, asked over HTTP with so many orders in its read model.

The console is a process of its own; one client asks, as a person does, question after question in turn, so that no
question finds only its own pages in the cache. The table has every question; a goal takes the slowest of its kind.
"""

import asyncio
import base64
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import orjson

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.intake import KEY, Service, service_environ
from benchmarks.measure import Size, quantile
from benchmarks.reading_copies import fill, names_of
from benchmarks.reading_lives import LAST, SLOTS
from waybill_common.db import queries

Question = Callable[[int], tuple[str, dict[str, Any]]]
"""Of an order's number: the path below /api/v1, and its parameters."""


def _orders(**given: Any) -> Question:
    return lambda number: ("/orders", dict(given))


def _search(text: Callable[[int], str], **given: Any) -> Question:
    return lambda number: ("/orders", {"search": text(number), **given})


def _deep(path: str, identity: Callable[[int], str], **given: Any) -> Question:
    """A page from the middle of the list, as its `next` asks for it."""

    def ask(number: int) -> tuple[str, dict[str, Any]]:
        after = [names_of(number).hour.isoformat(), identity(number)]
        return path, {**given, "cursor": base64.urlsafe_b64encode(orjson.dumps(after)).decode()}

    return ask


def _number(number: int) -> str:
    return names_of(number).number


SEARCHES: Mapping[str, Question] = {
    "number": _search(_number),
    "number, half of it": _search(lambda n: _number(n)[:5]),
    "SKU": _search(lambda n: f"sku-{names_of(n).shared}"),
    "SKU, its beginning": _search(lambda n: "SKU"),
    "customer, every 12th order": _search(lambda n: LAST[n % len(LAST)]),
    "customer, its beginning": _search(lambda n: LAST[n % len(LAST)][:2]),
    "customer's e-mail": _search(lambda n: f"kim.smith.{names_of(n).shared}"),
    "FR": _search(lambda n: f"E-{_number(n)}"),
    "tracking number": _search(lambda n: f"1Z{_number(n)}"),
    "nobody has it": _search(lambda n: f"nowhere-{n}"),
    "customer, deep in": _deep("/orders", lambda n: f"order-{_number(n)}", search="smith"),
    "customer and a rare stage": _search(lambda n: LAST[n % len(LAST)], stage="held"),
    "customer and a rare hold": _search(lambda n: LAST[n % len(LAST)], hold="unmapped_sku"),
    "customer and nothing": _search(lambda n: LAST[n % len(LAST)], fulfillment="partial"),
}
LISTS: Mapping[str, Question] = {
    "orders": _orders(),
    "orders, deep in": _deep("/orders", lambda n: f"order-{_number(n)}"),
    "orders settled, deep in": _deep("/orders", lambda n: f"order-{_number(n)}", stage="settled"),
    "orders held": _orders(stage="held"),
    "orders held for an SKU": _orders(hold="unmapped_sku"),
    "orders whose sync failed": _orders(sync="failed"),
    "orders of a channel, held": _orders(channel="bolt-shop", stage="held"),
    "orders of a channel that has none": _orders(channel="closed-shop"),
    "orders partly shipped: none": _orders(fulfillment="partial"),
    "orders by number": lambda n: ("/orders", {"number": _number(n)}),
    "excluded": lambda n: ("/excluded-orders", {}),
    "excluded by number": lambda n: ("/excluded-orders", {"number": _number(n)}),
    "FRs": lambda n: ("/frs", {}),
    "FRs failed": lambda n: ("/frs", {"state": "FAILED"}),
    "FRs of a source, failed": lambda n: ("/frs", {"state": "FAILED", "source": "lodz"}),
    "FRs, outcome unknown: none": lambda n: ("/frs", {"outcome": "unknown"}),
    "FRs by number": lambda n: ("/frs", {"number": f"E-{_number(n)}"}),
    "shipments": lambda n: ("/shipments", {}),
    "shipments refused: none": lambda n: ("/shipments", {"status": "refused"}),
    "records of a source": lambda n: ("/records", {"connection": "east"}),
    "records refused: none": lambda n: ("/records", {"outcome": "refused"}),
    "records of a kind": lambda n: ("/records", {"log_type": "submit_fulfillment"}),
    "records of an order": lambda n: ("/records", {"order_id": f"order-{_number(n)}"}),
}
PAGES: Mapping[str, Question] = {
    "an order": lambda n: (f"/orders/order-{_number(n)}", {}),
    "its time line": lambda n: (f"/orders/order-{_number(n)}/timeline", {}),
    "failures by cause": lambda n: ("/failures", {}),
    "stats": lambda n: ("/stats", {}),
}
GOALS_OF = {"READ-search": SEARCHES, "READ-lists": LISTS, "READ-pages": PAGES}


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(20_000, 2_000)
    with stage.directory() as where, stage.postgres(where) as server, stage.embedded_broker(where) as kafka:
        pool = await stage.schema(server.url, "console", "console")
        try:
            await fill(pool, queries("console"), orders, lambda text: print(text, flush=True))
        finally:
            await pool.close()
        console = Service("console", where, service_environ(server.url, kafka))
        try:
            taken = await ask_all(console.url, orders, size.of(40, 3))
        finally:
            console.stop(5)
    return results(orders, taken)


async def ask_all(url: str, orders: int, times: int) -> dict[str, list[float]]:
    """Question -> milliseconds of each answer, read whole. Two rounds before that are thrown away."""
    taken: dict[str, list[float]] = {}
    chosen = random.Random(8)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=120) as client:
        await _ready(client, url)
        for turn in range(times + 2):
            for what, question in {**SEARCHES, **LISTS, **PAGES}.items():
                path, given = question(_settled(chosen, orders))
                began = time.perf_counter()
                answer = await client.get(path, params=given)
                if turn > 1:
                    taken.setdefault(what, []).append((time.perf_counter() - began) * 1000)
                answer.raise_for_status()
    return taken


async def _ready(client: httpx.AsyncClient, url: str, seconds: float = 120.0) -> None:
    """Migrated, and in its group."""
    deadline = time.monotonic() + seconds
    while (await client.get(f"{url}/readyz")).status_code != 200:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the console was not ready within {seconds:g} s")
        await asyncio.sleep(0.2)


def _settled(chosen: random.Random, orders: int) -> int:
    """The number of an order with a whole life."""
    while SLOTS[(number := chosen.randint(1, orders)) % len(SLOTS)] != "settled":
        pass
    return number


def results(orders: int, taken: Mapping[str, list[float]]) -> list[Result]:
    found = []
    for goal, questions in GOALS_OF.items():
        of_goal = {what: taken[what] for what in questions}
        raw = {what: _shown(values) for what, values in of_goal.items()}
        slowest = max(quantile(values, 0.95) for values in of_goal.values())
        found.append(Result(goal, slowest, {"orders": orders, "times_each": len(taken["stats"]), **raw}))
    return found


def _shown(values: list[float]) -> str:
    return f"p50 {quantile(values, 0.5):.1f} ms, p95 {quantile(values, 0.95):.1f} ms"
