"""A worker that is frozen beyond its lease, and wakes while or after another holds the row, sends nothing. (FP-5)

Real processes: the service is stopped by SIGSTOP between its lease's check and the socket, another replica takes the
row over, then the first goes on (SIGCONT). The source keeps no reference, so that a second request would be a second
parcel, and its index lags.

This cannot freeze a process within the write to the socket itself; `waybill_platforms.departure` says what is left.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

LEASE, LAG = 7.0, 1.5
"""Seconds. The lease outlives one call (1 s and 5 s of grace) by little."""


@dataclass
class Forgetful:
    """A source that makes a parcel of every post, and shows it to searches `LAG` seconds later."""

    parcels: list[tuple[str, str, float]] = field(default_factory=list)  # (reference, id, made at)

    async def post(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.parcels.append((body["reference"], f"p{len(self.parcels) + 1}", time.monotonic()))
        return web.json_response(self._told(*self.parcels[-1][:2], body["lines"]), status=201)

    async def find(self, request: web.Request) -> web.Response:
        seen = [
            self._told(reference, parcel, [{"line_ref": "l1", "sku": "E-1", "quantity": 2}])
            for reference, parcel, made in self.parcels
            if reference == request.query["reference"] and time.monotonic() - made > LAG
        ]
        return web.json_response({"requests": seen})

    def of(self, reference: str) -> list[str]:
        return [parcel for known, parcel, _ in self.parcels if known == reference]

    @staticmethod
    def _told(reference: str, parcel: str, lines: Any) -> dict[str, Any]:
        at = "2026-11-22T09:30:00Z"
        request = {"id": parcel, "reference": reference, "state": "acknowledged", "created_at": at, "updated_at": at}
        return request | {"lines": lines}


@pytest_asyncio.fixture
async def forgetful() -> AsyncIterator[tuple[Forgetful, str]]:
    source = Forgetful()
    app = web.Application()
    app.router.add_post("/requests", source.post)
    app.router.add_get("/requests", source.find)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield source, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def until(so: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not await so():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


def stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal (state T)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("frozen_at", "wakes"),
    [(("before", "submit"), "while another reads back"), (("after", "draw"), "after another has sent")],
)
async def test_fp5_a_worker_frozen_beyond_its_lease_sends_nothing_when_it_wakes(
    stage: Any, kit: Any, database_url: str, kafka: str, forgetful: Any, push_processes: Any, push_child: Any,
    tmp_path: Path, frozen_at: tuple[str, str], wakes: str,
) -> None:  # fmt: skip
    source, url = forgetful
    await stage.configure(kit.source_of(url=url), version=2)
    await stage.deliver(kit.created(kit.fr_of("f0", "o0")))
    notes = tmp_path / "steps"
    common = {"database_url": database_url, "kafka": kafka, "lease": LEASE, "indexed": LAG}
    freeze = push_child.Orders(end_at=push_child.Step(*frozen_at, 2), signal=signal.SIGSTOP, notes=str(notes), **common)
    with push_processes(freeze) as first:

        async def warm() -> bool:
            return bool((await stage.fr("f0"))["state"] == "ACKNOWLEDGED")

        await until(warm)  # its connection to the source is open
        await stage.deliver(kit.created())

        async def frozen() -> bool:
            return stopped(first.pid)

        await until(frozen)
        assert (await stage.fr())["outcome"] == "in_flight"
        token = (await stage.fr())["lease_token"]
        with push_processes(push_child.Orders(**common)):

            async def taken_over() -> bool:
                row = await stage.fr()
                return bool(row["lease_token"] != token and row["outcome"] != "in_flight")

            async def sent() -> bool:
                return bool((await stage.fr())["state"] == "ACKNOWLEDGED")

            await until(taken_over if wakes.startswith("while") else sent)
            before = notes.stat().st_size
            os.kill(first.pid, signal.SIGCONT)

            async def awake() -> bool:
                return notes.stat().st_size > before

            await until(awake)
            await until(sent)
            await asyncio.sleep(1.5)  # whatever it had in hand has left by now
    assert source.of("E-f0") == ["p1"]
    assert len(source.of("E-f1")) == 1, source.parcels
    row = await stage.fr()
    assert (row["state"], row["platform_id"]) == ("ACKNOWLEDGED", source.of("E-f1")[0])
