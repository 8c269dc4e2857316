"""Orders that come as rows of a file, chunk by chunk, through the same verb as every other way in (IN-5).

A chunk is committed before it is answered, and the same chunk again changes nothing, so who lost an answer sends it
again. A dry run does the same work and rolls it back: what it says is what would have happened. One order that cannot
be stored is rejected alone. Only channels without an API take files: what a shop shows itself is never believed
second-hand (DESIGN section 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from order_ingest.configure import UNPOLLED
from order_ingest.file_columns import columns_of
from order_ingest.file_orders import Reading, Row, RowError, orders_of
from order_ingest.import_orders import Batch, Counts, import_orders
from order_ingest.named import q
from order_ingest.rulebook import Rulebook
from order_ingest.seen import Seen, seen
from waybill_common.clock import Clock
from waybill_common.db import Connection, Pool, rows, transaction, transient
from waybill_common.metrics import Metrics
from waybill_common.refusals import Refused
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.model.orders import ChannelOrder

VIA = "file"


class NoSuchChannel(Refused):
    """The channel is not configured."""

    def __init__(self, channel: str) -> None:
        way = "use an id of `waybill channels list`, or configure it first"
        super().__init__(f"channel: {channel!r} is not configured", way, status=404)


class ChannelHasAnApi(Refused):
    """Orders of this channel are read from its shop."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, the rows of one order all in the same chunk."""

    channel: str
    map: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[Row]
    dry_run: bool = False


@dataclass(slots=True)
class FileCounts:
    """What became of a chunk: orders = imported + unchanged + held + excluded + rejected."""

    rows: int = 0
    orders: int = 0
    imported: int = 0
    unchanged: int = 0
    held: int = 0
    excluded: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Why orders are held or excluded; one with several holds counts under each."""
    errors: list[RowError] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our field -> the file's column, as the chunk was read."""
    ignored: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FileImport:
    """The verb and what it needs."""

    pool: Pool
    rulebook: Rulebook
    telemetry: Telemetry
    clock: Clock
    metrics: Metrics

    async def take(self, chunk: Chunk) -> FileCounts:
        """Raises NoSuchChannel, ChannelHasAnApi, MappingRefused, and the database's outages."""
        mapping = (await taking_channel(self.pool, self.rulebook, chunk.channel)).channel.file
        now = self.clock.now()
        columns = columns_of(chunk.columns, chunk.map, mapping)
        orders, errors = orders_of(chunk.rows, Reading(columns, mapping, now))
        if "placed_at" not in columns.places:
            orders = await self._dated(chunk.channel, orders)
        sightings = [seen(chunk.channel, order, read_at=now, via=VIA) for order in orders.values()]
        counts, unstorable = await self._store(sightings, chunk, now)
        done = _file_counts(counts, orders, errors + unstorable, chunk)
        done.columns, done.ignored = columns.names, columns.ignored
        if not chunk.dry_run:
            self._count(done)
        return done

    async def _dated(self, channel: str, orders: Mapping[str, ChannelOrder]) -> dict[str, ChannelOrder]:
        """Orders without a date keep the one of their first import: else the same file would look like an edit."""
        found = await rows(q().placed_at(self.pool, channel=channel, ids=list(orders)))
        known = {row["channel_order_id"]: row["placed_at"] for row in found}
        return {n: replace(order, placed_at=known.get(n, order.placed_at)) for n, order in orders.items()}

    async def _store(self, sightings: Sequence[Seen], chunk: Chunk, now: datetime) -> tuple[Counts, list[RowError]]:
        async with self.pool.acquire() as conn:
            outer = conn.transaction()
            await outer.start()
            try:
                counts, errors = await self._all_or_singly(conn, sightings, chunk, now)
            except BaseException:
                await outer.rollback()
                raise
            await (outer.rollback() if chunk.dry_run else outer.commit())
        return counts, errors

    async def _all_or_singly(
        self, conn: Connection, sightings: Sequence[Seen], chunk: Chunk, now: datetime
    ) -> tuple[Counts, list[RowError]]:
        try:
            return await self._import(conn, sightings, now), []
        except Exception as error:
            if transient(error):
                raise
        counts, errors = Counts(), []
        for sighting in sightings:
            try:
                counts.add(await self._import(conn, [sighting], now))
            except Exception as error:
                if transient(error):
                    raise
                errors.append(_unstorable(sighting, chunk, error))
        return counts, errors

    async def _import(self, conn: Connection, sightings: Sequence[Seen], now: datetime) -> Counts:
        async with conn.transaction():
            rules = await self.rulebook.of(conn, sightings)
            return await import_orders(conn, Batch(sightings, rules, self.telemetry, now))

    def _count(self, done: FileCounts) -> None:
        for outcome in ("imported", "held", "excluded", "unchanged"):
            if number := getattr(done, outcome):
                self.metrics.count("waybill_orders_seen_total", number, via=VIA, outcome=outcome)


async def taking_channel(pool: Pool, rulebook: Rulebook, channel: str) -> ChannelConfigured:
    """The channel, if orders may be handed to it. Raises NoSuchChannel and ChannelHasAnApi."""
    async with transaction(pool) as conn:
        configured = await rulebook.channel(conn, channel)
    if configured is None:
        raise NoSuchChannel(channel)
    if configured.channel.platform not in UNPOLLED:
        raise ChannelHasAnApi(
            f"channel: {channel!r} is a {configured.channel.platform.value} shop and is read itself",
            "pull it (also for a past window), or use a channel with platform events",
        )
    return configured


def _file_counts(
    counts: Counts, orders: Mapping[str, ChannelOrder], errors: list[RowError], chunk: Chunk
) -> FileCounts:
    rejected = len({error.number or error.row for error in errors})
    unstorable = sum(1 for number in {error.number for error in errors} if number in orders)
    return FileCounts(
        rows=len(chunk.rows), orders=len(orders) - unstorable + rejected,
        imported=counts.imported + counts.changed - counts.changed_held, held=counts.held + counts.changed_held,
        excluded=counts.excluded, unchanged=counts.unchanged, rejected=rejected, reasons=dict(counts.reasons),
        errors=errors,
    )  # fmt: skip


def _unstorable(sighting: Seen, chunk: Chunk, error: Exception) -> RowError:
    number = sighting.order.number
    place = next((row.row for row in chunk.rows if number in (cell.strip() for cell in row.cells)), 0)
    return RowError(place, number, "order", "", "", f"{type(error).__name__}: {error}"[:500], "correct or leave it out")
