"""What was posted to a channel and refused is kept as a transaction record.

Whoever sets webhooks up sees what came, and why it was not believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from order_ingest.facts import message
from waybill_common import outbox
from waybill_common.clock import Clock
from waybill_common.db import Pool, transaction
from waybill_contracts.topics import ORDER_INGEST
from waybill_platforms.recording import Exchange

AT_MOST_EACH = timedelta(seconds=10)
"""Of a channel, for each replica: anybody may post, and must not fill the records. The metric counts all."""


@dataclass(frozen=True, slots=True)
class RefusedHooks:
    """Keeps one now and then."""

    pool: Pool
    clock: Clock
    _kept: dict[str, datetime] = field(default_factory=dict)

    async def keep(self, channel: str, headers: Mapping[str, str], body: bytes, why: str) -> None:
        """`channel` is a configured one: names that anybody may make up would fill the memory."""
        now = self.clock.now()
        last = self._kept.get(channel)
        if last is not None and now - last < AT_MOST_EACH:
            return
        self._kept[channel] = now
        exchange = Exchange(
            channel, "webhook", "POST", f"/hooks/{channel}", headers, body, now,
            outcome="refused", status=401, error=why,
        )  # fmt: skip
        async with transaction(self.pool) as conn:
            await outbox.append(conn, [message(exchange.event(ORDER_INGEST))])
