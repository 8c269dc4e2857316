"""What a source's system posts to us by itself (SP-1): its shipments, taken at once; or a hint, and we ask.

Promises: nothing changes before the signature was checked over the raw body; a shipment that is posted and listed, in
whatever order, is one; hints come together into one turn of the source.
"""

from collections.abc import Mapping
from typing import Any

from shipment_poller import merge, schedule
from shipment_poller.not_here import no_such_source
from shipment_poller.poll_source import unreadable
from shipment_poller.review_orders import Tools
from shipment_poller.source_turns import Sources
from shipment_poller.take_words import take_words
from shipment_poller.translate import said_by
from waybill_common.db import Connection, Pool
from waybill_common.logs import Log
from waybill_common.refusals import Refused
from waybill_platforms.ports import SourceConnection


class NotTaken(Refused):
    """It changes nothing; the text says why, the remedy what would be taken."""


class Posted:
    """Built once. Raises SignatureRefused (from the platform) and NotTaken."""

    def __init__(self, pool: Pool, tools: Tools, sources: Sources, log: Log) -> None:
        self._pool = pool
        self._tools = tools
        self._sources = sources
        self._log = log

    async def take(self, source_id: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """What came of it, for whoever posted."""
        connection = await open_source(self._pool, self._tools, self._sources, source_id)
        if connection.receiver is not None:
            page = connection.receiver.received(headers, body, self._tools.clock.now())
            problems = list(page.problems)
            words = merge.fold(said_by(shipment) for shipment in page.shipments)

            async def beside(conn: Connection) -> None:
                if problems:
                    title = f"{len(problems)} shipments that {source_id} posted could not be read or recorded"
                    key = unreadable(source_id)
                    await self._tools.alerts.raised(conn, key, title, "; ".join(problems[:10]))

            told, early = await take_words(self._pool, self._tools, self._log, source_id, words, problems, beside)
            return {"taken": len(words), "news": told, "kept_for_later": early, "problems": problems}
        if connection.webhooks is not None:
            delivery = connection.webhooks.read(headers, body)
            if delivery.kind in ("fulfillment", "order"):
                await self._tools.queries.hint_turn(self._pool, source=source_id, wait=schedule.HINT_WAIT)
            return {"delivery": delivery.id, "kind": delivery.kind}
        raise NotTaken(f"source {source_id!r} does not post anything to us", "none is needed: it is asked for")


async def open_source(pool: Pool, tools: Tools, sources: Sources, source_id: str) -> SourceConnection:
    """Its connection. Raises NotTaken."""
    async with pool.acquire() as conn:
        await tools.configurations.refresh(conn)
    configured = tools.configurations.source(source_id)
    if configured is None:
        raise no_such_source(source_id)
    try:
        connection = sources.source(configured.source, configured.sequence)
    except ValueError as error:
        raise NotTaken(f"source {source_id!r} cannot be opened: {error}", "mend its configuration") from None
    if connection is None:
        raise NotTaken(f"{source_id!r} is a manual source", "enter its shipments: `waybill shipments record`")
    return connection
