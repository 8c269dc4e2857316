"""What a channel or source turns out to lack is said when it is added, and not at the first parcel (SP-14).

Each new version of a connection is probed, and each connection once a day, because a plugin can be switched off at the
shop. One alert a connection names what is missing and what mends it; it clears by itself. A connection that does not
answer is asked again later: that it is down has its own alert.
"""

from datetime import timedelta
from typing import Any, Protocol

from shipment_poller import facts
from shipment_poller.review_orders import Tools
from waybill_common import leases, outbox
from waybill_common.budget import BudgetWait
from waybill_common.db import Connection, Pool, transaction
from waybill_common.leases import Lease, LeasedTable
from waybill_contracts.configuration import Channel, Source
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.probes import Probe
from waybill_platforms.ports import ChannelConnection, Prober, SourceConnection
from waybill_platforms.recording import recording

PROBES = LeasedTable("probes", "entity", None)
HOLD = timedelta(seconds=120)
AGAIN = timedelta(days=1)
LATER = timedelta(minutes=10)
AT_ONCE = 4


class Connected(Protocol):
    """Where open connections come from (`waybill_platforms.connections.Connections`)."""

    def channel(self, channel: Channel, version: int) -> ChannelConnection | None: ...
    def source(self, source: Source, version: int) -> SourceConnection | None: ...


class Probes:
    """`turn` is the worker's."""

    def __init__(self, pool: Pool, tools: Tools, connected: Connected) -> None:
        self._pool = pool
        self._tools = tools
        self._connected = connected

    async def turn(self) -> int:
        """Probes what is due, one after the other; returns how many."""
        async with self._pool.acquire() as conn:
            await self._tools.configurations.refresh(conn)
            claimed = await leases.claim(conn, PROBES, limit=AT_ONCE, per_connection=AT_ONCE, hold=HOLD)
        for lease in claimed:
            await self._probe(lease)
        return len(claimed)

    async def _probe(self, lease: Lease) -> None:
        probe: Probe | None = None
        failed = False
        with recording() as made:
            try:
                prober = self._prober(lease.id)
                probe = None if prober is None else await prober.probe()
            except (PlatformError, BudgetWait, ValueError):
                failed = True
        async with transaction(self._pool) as conn:
            await outbox.append(conn, facts.exchanges(made))
            await self._tools.queries.finish_probe(
                conn,
                entity=lease.id,
                token=lease.token,
                wait=LATER if failed else AGAIN,
                attempts=lease.attempts + 1 if failed else 0,
                found=None if probe is None else told(probe),
            )
            if probe is not None:
                await self._say(conn, lease.id, probe)

    def _prober(self, entity: str) -> Prober | None:
        """None where there is nothing to ask. Raises ValueError when the connection cannot be opened."""
        kind, _, name = entity.partition("/")
        if kind == "channel":
            channel = self._tools.configurations.channel(name)
            opened = None if channel is None else self._connected.channel(channel.channel, channel.sequence)
            return None if opened is None else opened.prober
        source = self._tools.configurations.source(name)
        supplier = None if source is None else self._connected.source(source.source, source.sequence)
        return None if supplier is None else supplier.prober

    async def _say(self, conn: Connection, entity: str, probe: Probe) -> None:
        lacks = [finding for finding in probe.findings if finding.severity != "info"]
        if not lacks:
            await self._tools.alerts.cleared(conn, f"lacks/{entity}")
            return
        lacks.sort(key=lambda finding: finding.severity != "missing")
        detail = "; ".join(f"{f.message}{f': {f.fix}' if f.fix else ''}" for f in lacks)
        await self._tools.alerts.raised(conn, f"lacks/{entity}", f"{entity}: {lacks[0].message}", detail)


def told(probe: Probe) -> dict[str, Any]:
    """For people and the API."""
    findings = [{"code": f.code, "severity": f.severity, "message": f.message, "fix": f.fix} for f in probe.findings]
    return {
        "usable": probe.usable,
        "version": probe.version,
        "timezone": probe.timezone,
        "currency": probe.currency,
        "scopes": list(probe.scopes),
        "findings": findings,
    }
