"""POLL: what watching 100,000 open FRs at 50 sources costs in calls, and how long one round of all sources takes.

Real turns of the poller's worker over PostgreSQL; the sources are stand-ins that take 50 ms an answer and count calls.
Half of them list what changed (one call a turn, however many FRs), half are asked for FRs by name, 100 in a call.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size
from shipment_poller import facts
from shipment_poller.configuration import Configurations
from shipment_poller.poll_source import PollWorker
from shipment_poller.review_orders import Tools
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.clock import SystemClock
from waybill_common.db import Pool, queries
from waybill_common.logs import make_log
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.configuration import Source
from waybill_platforms.model.features import Features
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage
from waybill_platforms.ports import SourceConnection

SOURCES = 50
_ASKED_AT_ONCE = 100
_ANSWER_SECONDS = 0.05
_COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}


class _Supplier:
    """Nothing has shipped; what counts is the asking."""

    def __init__(self, name: str, calls: Counter[str], *, lists: bool) -> None:
        self._name, self._calls, self._lists = name, calls, lists

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        for _ in range(1 if self._lists else -(-len(open_requests) // _ASKED_AT_ONCE)):
            self._calls[self._name] += 1
            await asyncio.sleep(_ANSWER_SECONDS)
        return ShipmentPage((), None)


async def measure(size: Size) -> list[Result]:
    frs = size.orders or size.of(100_000, 50_000)
    calls: Counter[str] = Counter()
    with stage.directory() as where, stage.postgres(where) as server:
        pool = await stage.schema(server.url, "shipment_poller", "shipment_poller")
        await _fill(pool, frs)
        poll = _worker(pool, calls)
        began = time.perf_counter()
        while await poll.crew.turn():
            pass
        await poll.crew.drain()
        took = time.perf_counter() - began
        late = await pool.fetchval("select count(*) from source_turns where turned_at is null")
        pool.terminate()
    assert late == 0, f"{late} sources had no turn"
    turns = timedelta(days=1) / timedelta(minutes=15)
    each = frs / SOURCES
    listing = calls["source-0"] * turns / each
    naming = calls["source-1"] * turns / each
    raw = {
        "open_frs": frs,
        "sources": SOURCES,
        "calls_a_turn_where_changes_are_listed": calls["source-0"],
        "calls_a_turn_where_frs_are_named": calls["source-1"],
        "calls_an_fr_a_day_where_frs_are_named": round(naming, 3),
        "calls_a_second_of_one_source_where_frs_are_named": round(calls["source-1"] / 900, 3),
    }
    return [Result("POLL", listing, raw), Result("POLL-round", took, raw)]


def _worker(pool: Pool, calls: Counter[str]) -> PollWorker:
    named = queries("shipment_poller")
    tools = Tools(named, Configurations(named), SystemClock(), Telemetry("bench"), Alerts(facts.Notices()))

    async def nothing() -> None: ...

    class Sources:
        def source(self, source: Source, version: int) -> SourceConnection:
            lists = int(source.id.rsplit("-", 1)[1]) % 2 == 0
            supplier: Any = _Supplier(source.id, calls, lists=lists)
            return SourceConnection(source.id, supplier, supplier, Features(lists_changed_shipments=lists), nothing)

    return PollWorker(pool, tools, Sources(), Health(), make_log("bench", "ERROR"), lambda: None)


async def _fill(pool: Pool, frs: int) -> None:
    """So many FRs that are with their sources, nothing of them shipped; every source's turn is due."""
    for number in range(SOURCES):
        settings = {"id": f"source-{number}", "platform": "http", "url": "http://127.0.0.1:9", "costs": _COSTS}
        source = Source.model_validate(settings)
        body = SourceConfigured(at=datetime.now(UTC), sequence=1, source=source)
        await pool.execute(
            "insert into config_entities (entity, version, body) values ($1, 1, $2)",
            f"source/source-{number}",
            body.model_dump(mode="json", by_alias=True),
        )
    await pool.execute(
        "insert into watches (fr_id, order_id, source, number, platform_id, state, outcome, push_sequence) "
        "select 'f' || n, 'o' || n, 'source-' || n % $2, 'E-' || n, 'p' || n, 'PROCESSED', 'known', 2 "
        "from generate_series(1, $1) n",
        frs,
        SOURCES,
    )
    await pool.execute(
        "insert into source_turns (source, due_at) select 'source-' || n, now() from generate_series(0, $1) n",
        SOURCES - 1,
    )
    await pool.execute("analyze")
