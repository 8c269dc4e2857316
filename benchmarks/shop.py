"""A sandbox to fill: a backlog of orders at once, sources that ship at once, cost points without end."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks import stage
from waybill_common.embedded.processes import GuardedProcess, free_port

PULL_SECONDS = 6
_METHODS = ("Standard", "Express (1–2 days)")
_COUNTRIES = ("US", "US", "US", "CA", "DE", "GB")


class Shop:
    """The control side of a sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/_sandbox/", timeout=60.0)
        self._dice = random.Random(1)
        self._client.patch("shops/acme", json={"maximum": 1e9, "restore_rate": 1e8}).raise_for_status()
        for source in ("east", "west", "north"):
            self._client.patch(f"sources/{source}", json={"ship_after": 0.0}).raise_for_status()

    def configuration(self, *, backlog: bool = True) -> dict[str, Any]:
        """Ready-made. For a backlog the sources are asked every second, the channel every `PULL_SECONDS`, because each
        pull reads again what changed shortly before the last one; else everything has the product's own pace."""
        document: dict[str, Any] = yaml.safe_load(self._client.get("config.yaml").raise_for_status().text)
        channel = document["stores"][0]["channels"][0]
        for polled, pace in ((channel, PULL_SECONDS), *((source, 1) for source in document["sources"])):
            del polled["poll_every"]
            if backlog:
                polled["poll_every"] = f"{pace}s"
        return document

    def skus(self) -> list[str]:
        """The shop's names of goods that are always in stock somewhere."""
        document = self.configuration()
        plenty = {level["sku"] for level in document["stock"] if level["on_hand"] >= 100_000}
        names = document["stores"][0]["channels"][0]["skus"]["map"]
        return sorted(name for name, sku in names.items() if sku in plenty)

    def place(self, count: int, skus: Sequence[str], *, lines: int = 4) -> None:
        """So many orders of one to `lines` lines, all there at the same moment; returns when they begin to be read."""
        self._client.post("shops/acme/orders", json={"orders": [self._order(skus, lines) for _ in range(count)]}) \
            .raise_for_status()  # fmt: skip
        pulled, deadline = self.calls().get("orders", 0), time.monotonic() + 3 * PULL_SECONDS
        while self.calls().get("orders", 0) == pulled:
            if time.monotonic() > deadline:
                raise RuntimeError("nobody reads the shop's orders")
            time.sleep(0.05)

    def _order(self, skus: Sequence[str], lines: int) -> dict[str, Any]:
        dice = self._dice
        chosen = dice.sample(skus, min(dice.randint(1, lines), len(skus)))
        wanted = [{"sku": sku, "quantity": dice.choice((1, 1, 1, 2, 3))} for sku in chosen]
        return {"lines": wanted, "country": dice.choice(_COUNTRIES), "shipping_method": dice.choice(_METHODS)}

    def calls(self) -> dict[str, int]:
        """How often each operation was called, over all connections."""
        found: dict[str, int] = {}
        for operations in self._client.get("counts").raise_for_status().json()["calls"].values():
            for operation, outcomes in operations.items():
                found[operation] = found.get(operation, 0) + sum(outcomes.values())
        return found

    def problems(self) -> list[Any]:
        """What is wrong by the shop's own books."""
        report = self._client.get("report").raise_for_status().json()
        return [] if report["ok"] else list(report["problems"])


@contextmanager
def own_shop(where: Path) -> Iterator[Shop]:
    """A sandbox process of one's own."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(where / "sandbox"), "--orders", "0"]
    process = GuardedProcess(command, log=where / "sandbox.log")
    try:
        stage.wait_for_port(port, process)
        yield Shop(f"http://127.0.0.1:{port}")
    finally:
        process.stop(5)


def calls_between(before: dict[str, int], after: dict[str, int], orders: int) -> dict[str, float]:
    """Calls an order, by operation."""
    made = {name: (count - before.get(name, 0)) / orders for name, count in after.items()}
    return {name: round(count, 3) for name, count in sorted(made.items()) if count}
