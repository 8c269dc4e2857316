"""The send run: due rows are claimed fairly over the sources, intents are stored together, calls are made side by side.

A claim takes at most `PER_SOURCE` rows of one source, and none of a source that still has enough in hand, so that a
slow or dead source holds up nobody else. Calls run as tasks of their own, `side_by_side` per source at most; answers
go to their worker, which stores those of many calls in one transaction.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import structlog

from fulfillment_push.calls import Answer, Job, NotSent, call
from fulfillment_push.request import source_request
from fulfillment_push.settle import alert_key
from fulfillment_push.sources import KnownSource, SourceBook
from fulfillment_push.steps import Counterpart, Step, next_step
from fulfillment_push.store import Store
from waybill_common.alerts import Alerts
from waybill_common.breaker import Blocked, Health
from waybill_common.db import Connection, Pool, transaction, transient
from waybill_common.leases import Lease, LeasedTable, claim
from waybill_common.logs import declare_events
from waybill_common.telemetry import Telemetry
from waybill_contracts.configuration import Platform
from waybill_platforms.ports import SourceConnection

_log = structlog.get_logger("fulfillment_push.send_run")

declare_events(
    {
        "send.source_unusable": "a source's configuration cannot be opened; its FRs wait for a better one",
        "send.not_prepared": "an FR cannot be made a request; it is looked at again when its lease is over",
    }
)

FRS = LeasedTable("frs", "fr_id", "source")
LIMIT = 400
PER_SOURCE = 128
ROOM = PER_SOURCE // 2
"""With that many in hand a source is given no more: the next claim is made while these are under way."""
HOLD = timedelta(seconds=60)


class Connections(Protocol):
    """Opens each source once for each version of its configuration."""

    async def open(self, known: KnownSource) -> SourceConnection:
        """Raises ValueError when the configuration or its credentials cannot be used."""
        ...


class SendRun:
    """Claims what is due and launches its calls; `finished` collects their answers."""

    def __init__(
        self,
        pool: Pool,
        store: Store,
        book: SourceBook,
        connections: Connections,
        health: Health,
        alerts: Alerts,
        telemetry: Telemetry,
        *,
        side_by_side: int = 12,
        hold: timedelta = HOLD,
    ) -> None:
        self._pool = pool
        self._store = store
        self._book = book
        self._connections = connections
        self._health = health
        self._alerts = alerts
        self._telemetry = telemetry
        self._side_by_side = side_by_side
        self._hold = hold
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._in_hand: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.finished: asyncio.Queue[Answer] = asyncio.Queue()
        self.on_answer: Any = lambda: None

    @property
    def in_hand(self) -> int:
        """Calls that are under way or wait for their turn in this process."""
        return self._in_hand.total()

    async def turn(self) -> int:
        """One claim; returns how many rows it took."""
        if self._stopping:
            return 0
        async with self._pool.acquire() as conn:
            await self._book.refresh(conn)
            await self._wake_configured(conn)
            blocked = await self._health.blocked(conn)
            busy = {source for source, count in self._in_hand.items() if count >= ROOM}
            exclude = Blocked(blocked | busy, blocked.probing - busy)
            leases = await claim(
                conn, FRS, limit=LIMIT, per_connection=PER_SOURCE, hold=self._hold, exclude_connections=exclude
            )
        if leases:
            for job in await self._prepared(leases, exclude.probing):
                self._launch(job)
        return len(leases)

    async def _prepared(self, leases: Sequence[Lease], probing: Collection[str]) -> list[Job]:
        """All together; where that fails for good each alone, so that one cannot hold up the others."""
        try:
            return await self._prepare(leases, probing)
        except Exception as error:
            if transient(error):
                raise
            if len(leases) > 1:
                return [job for lease in leases for job in await self._prepared([lease], probing)]
            [lease] = leases
            _log.error("send.not_prepared", fr_id=lease.id, error=repr(error), exc_info=error)
            async with transaction(self._pool) as conn:
                title = f"FR {lease.row['number']} at {lease.row['source']} cannot be sent"
                await self._alerts.raised(conn, alert_key(lease.id), title, f"{type(error).__name__}: {error}"[:1000])
            return []

    async def _wake_configured(self, conn: Connection) -> None:
        """What waited for configuration is looked at again by every replica that learns of it."""
        fresh, self._book.fresh = self._book.fresh, set()
        if fresh:
            await self._store.q.wake_configured(conn, sources=list(fresh))

    async def _prepare(self, leases: Sequence[Lease], probing: Collection[str]) -> list[Job]:
        """The transaction that writes the intents: what may go is decided on the rows under their locks."""
        jobs = []
        async with transaction(self._pool) as conn:
            frs = await self._store.load(conn, [lease.id for lease in leases])
            await self._book.refresh(conn)  # under the locks: configuration that came before them is seen
            others = await self._counterparts({lease.row["source"] for lease in leases})
            ours = []
            for lease in leases:
                fr = frs.get(lease.id)
                if fr is None or fr.lease_token != lease.token:
                    continue
                ours.append(fr)
                other, known, connection = others[lease.row["source"]]
                step = next_step(fr, other)
                if step is None or known is None or connection is None:
                    fr.let_go()
                    continue
                fr.body = lease.row["body"]  # it never changes: claimed with the row, not read again
                request = source_request(fr.request) if step is not Step.RECALL else None
                jobs.append(Job(step, fr, lease, known, connection, request))
            await self._store.save(conn, ours)
            unused = {lease.row["source"] for lease in leases} & set(probing) - {job.fr.source for job in jobs}
            if unused:
                await self._store.q.give_back_probes(conn, sources=list(unused))
        return jobs

    async def _counterparts(
        self, sources: set[str]
    ) -> Mapping[str, tuple[Counterpart, KnownSource | None, SourceConnection | None]]:
        return {source: await self._counterpart(source) for source in sources}

    async def _counterpart(self, name: str) -> tuple[Counterpart, KnownSource | None, SourceConnection | None]:
        known = self._book.known.get(name)
        if known is None or known.source.platform is Platform.MANUAL:
            return Counterpart(None if known is None else known.source, None), known, None
        try:
            connection = await self._connections.open(known)
        except ValueError as error:
            _log.warning("send.source_unusable", source=name, error=str(error))
            return Counterpart(known.source, None, f"the source cannot be opened: {error}"), known, None
        return Counterpart(known.source, connection.features), known, connection

    def _launch(self, job: Job) -> None:
        self._in_hand[job.fr.source] += 1
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job) -> None:
        slots = self._slots.setdefault(job.fr.source, asyncio.Semaphore(self._side_by_side))
        async with slots:
            if self._stopping:
                answer = Answer(job, NotSent("the service stops"))
            else:
                answer = await call(job, self._telemetry)
        self.finished.put_nowait(answer)
        self.on_answer()

    def settled(self, batch: Sequence[Answer]) -> bool:
        """These answers are stored; True when a source that had enough in hand has room for more now."""
        busy = {source for source, count in self._in_hand.items() if count >= ROOM}
        for answer in batch:
            self._in_hand[answer.job.fr.source] -= 1
        return any(self._in_hand[source] < ROOM for source in busy)

    async def stop(self, seconds: float) -> None:
        """No new calls; those under way may end within `seconds`. What does not is read back by the next claimer."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
