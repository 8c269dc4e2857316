"""One batch of records in one transaction: handled together, halved down to the poison when that fails.

Promises: what `handle` wrote, the dead letters of its neighbours and the consumer's progress commit together or not at
all. Trouble of the database (`db.transient`) is raised to the caller and never blamed on a record. It cannot tell a
bug in `handle` that hits every record from poison in each: the guard on the share of dead letters does that.
"""

import traceback
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from waybill_common import dead_letters, progress
from waybill_common.alerts import Alerts
from waybill_common.consuming import Record, Subscription, Unreadable
from waybill_common.db import Connection, Pool, transaction, transient
from waybill_common.dead_letters import Letter
from waybill_common.erasing import Eraser
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics

E = TypeVar("E")
Read = tuple[Record, E]

declare_events({"record.dead_lettered": "a record could not be read or handled and was put aside whole"})
_WINDOW = 1000  # records over which the share of dead letters is looked at


class TooManyDeadLetters(Exception):
    """So many records of our own topics fail that the fault is ours: consuming stops instead of emptying the topic."""


class Guard:
    """The share of dead letters among the newest records of our own topics."""

    def __init__(self, share: float, floor: int) -> None:
        self._share = share
        self._floor = floor
        self._forgiven = 0
        self._seen: deque[tuple[int, int]] = deque()
        self._records = 0  # sums over _seen
        self._dead = 0

    def check(self, records: int, dead: int) -> None:
        """Raises TooManyDeadLetters when these would carry the share over its bound."""
        if self._forgiven > 0 or not dead:
            return
        total, lost = self._records + records, self._dead + dead
        if lost >= self._floor and lost > self._share * total:
            raise TooManyDeadLetters(f"{lost} of the newest {total} records would become dead letters")

    def note(self, records: int, dead: int) -> None:
        """These were committed."""
        if self._forgiven > 0:
            self._forgiven -= records
            return
        if not records:
            return
        self._seen.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._seen[0][0] >= _WINDOW:
            oldest, bad = self._seen.popleft()
            self._records -= oldest
            self._dead -= bad

    def forgive(self) -> None:
        """A person looked at it and lets consuming go on: the next records pass, whatever becomes of them."""
        self._seen.clear()
        self._records = self._dead = 0
        self._forgiven = _WINDOW


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: events handled, records that were not for us, dead letters."""

    handled: int
    skipped: int
    dead: int


class Batches(Generic[E]):
    """Runs batches of one subscription."""

    def __init__(
        self,
        pool: Pool,
        subscription: Subscription[E],
        alerts: Alerts,
        guard: Guard,
        log: Log,
        metrics: Metrics,
        eraser: Eraser | None = None,
    ) -> None:
        self._eraser = eraser
        self._log = log
        self._metrics = metrics
        self._pool = pool
        self._subscription = subscription
        self._alerts = alerts
        self._guard = guard

    async def run(self, records: Sequence[Record], begun: Mapping[progress.Partition, tuple[int, int]]) -> Outcome:
        """Handles the records, stores `begun`, in one transaction. Raises transient errors and TooManyDeadLetters."""
        if self._eraser is not None:
            records = await self._eraser.without_erased(self._pool, records)
        reads, letters = self._decode(records)
        unreadable = len(letters)
        try:
            async with transaction(self._pool) as conn:
                if reads:
                    await self._subscription.handle(conn, [event for _, event in reads])
                await self._conclude(conn, records, letters, begun)
        except TooManyDeadLetters:
            raise
        except Exception as error:
            if transient(error) or not reads:
                raise
            letters = await self._salvage(records, reads, letters, begun, error)
        self._guard.note(*self._own(records, letters))
        self._tell(records, letters)
        for hook in self._subscription.on_commit if reads else ():
            hook()
        skipped = len(records) - len(reads) - unreadable
        return Outcome(len(records) - skipped - len(letters), skipped, len(letters))

    async def bury(self, record: Record, reason: str, begun: Mapping[progress.Partition, tuple[int, int]]) -> None:
        """Makes a record a dead letter without trying it."""
        async with transaction(self._pool) as conn:
            await self._conclude(conn, (), [Letter(record, reason, cause="killed")], begun)
        self._tell([record], [Letter(record, reason, cause="killed")])

    async def try_one(self, conn: Connection, record: Record) -> None:
        """Decodes and handles one record in the caller's transaction; raises what they raise."""
        if self._eraser is not None:
            (record,) = await self._eraser.without_erased(conn, [record])
        event = self._subscription.decode(record)
        if event is not None:
            await self._subscription.handle(conn, [event])

    def _decode(self, records: Sequence[Record]) -> tuple[list[Read[E]], list[Letter]]:
        reads: list[Read[E]] = []
        letters: list[Letter] = []
        for record in records:
            try:
                event = self._subscription.decode(record)
            except Unreadable as error:
                letters.append(Letter(record, str(error), cause="unreadable"))
            except Exception as error:  # a decoder that trips over garbage has still told us that it is garbage
                letters.append(letter_of(record, error))
            else:
                if event is not None:
                    reads.append((record, event))
        return reads, letters

    async def _salvage(
        self,
        records: Sequence[Record],
        reads: list[Read[E]],
        unreadable: list[Letter],
        begun: Mapping[progress.Partition, tuple[int, int]],
        error: Exception,
    ) -> list[Letter]:
        """The batch failed as a whole: one more transaction, in which only the poison is left out."""
        async with transaction(self._pool) as conn:
            letters = [*unreadable, *await self._without_poison(conn, reads, error)]
            await self._conclude(conn, records, letters, begun)
        return letters

    async def _without_poison(self, conn: Connection, reads: list[Read[E]], error: Exception) -> list[Letter]:
        """Handles what can be handled of events that failed together with `error`; returns the poison."""
        if len(reads) == 1:
            return [letter_of(reads[0][0], error)]
        letters: list[Letter] = []
        middle = len(reads) // 2
        for half in (reads[:middle], reads[middle:]):
            try:
                async with conn.transaction():
                    await self._subscription.handle(conn, [event for _, event in half])
                    # a deferred constraint must speak here, where its record can still be found
                    await conn.execute("set constraints all immediate")
            except Exception as worse:
                if transient(worse):
                    raise
                letters += await self._without_poison(conn, half, worse)
        return letters

    async def _conclude(
        self,
        conn: Connection,
        records: Sequence[Record],
        letters: list[Letter],
        begun: Mapping[progress.Partition, tuple[int, int]],
    ) -> None:
        self._guard.check(*self._own(records, letters))
        if letters:
            await dead_letters.save(conn, letters)
            newest = {letter.record.topic: letter for letter in letters}
            for topic in sorted(newest):  # one lock order for all replicas
                await self._alerts.raised(
                    conn, alert_key(topic), f"Dead letters from {topic}", f"the newest: {newest[topic].reason[:300]}"
                )
        await progress.store(conn, begun)

    def _tell(self, records: Sequence[Record], letters: Sequence[Letter]) -> None:
        for letter in letters:
            at = letter.record
            self._metrics.count("waybill_dead_letters_total", topic=at.topic, reason=letter.cause)
            self._log.warning(
                "record.dead_lettered", topic=at.topic, partition=at.partition, offset=at.offset, reason=letter.reason
            )
        for topic, count in Counter(record.topic for record in records).items():
            self._metrics.count("waybill_consumed_total", count, topic=topic)
        self._metrics.observe("waybill_consumed_batch_size", len(records))

    def _own(self, records: Sequence[Record], letters: Sequence[Letter]) -> tuple[int, int]:
        upstream = self._subscription.upstream
        if not upstream:
            return len(records), len(letters)
        own = sum(record.topic not in upstream for record in records)
        return own, sum(letter.record.topic not in upstream for letter in letters)


def alert_key(topic: str) -> str:
    """The alert that is open while a topic has open dead letters."""
    return f"dead-letters:{topic}"


def letter_of(record: Record, error: Exception) -> Letter:
    """A dead letter that carries the error and its stack."""
    stack = "".join(traceback.format_exception(error))
    return Letter(record, f"{type(error).__name__}: {error}", stack)
