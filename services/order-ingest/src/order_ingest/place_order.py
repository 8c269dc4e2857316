"""An order that a person or a program places by hand, whole, through the same verb as every other way in (IN-5).

Its number is its identity within the channel: placing it again with other content is an edit. The same
`Idempotency-Key` with the same order is answered as before; with another order it is refused.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from order_ingest.import_file import taking_channel
from order_ingest.import_orders import Batch, import_orders
from order_ingest.inbound import as_channel_order
from order_ingest.named import q
from order_ingest.normalize import NO_CURRENCY
from order_ingest.rulebook import Rulebook
from order_ingest.seen import seen
from waybill_common.clock import Clock
from waybill_common.commands import UNNAMED, Command
from waybill_common.db import Connection, Pool, rows
from waybill_common.refusals import Refused
from waybill_common.telemetry import Telemetry
from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_contracts.values import Address, Currency, PaymentState

VIA = "api"


class PlacedOrder(BaseModel):
    """One order by hand; what is left out is as `order.submitted` says."""

    channel: str
    number: str = Field(min_length=1, max_length=200, description="unique within the channel")
    currency: Currency = NO_CURRENCY
    payment: PaymentState = PaymentState.PAID
    placed_at: AwareDatetime | None = Field(default=None, description="else the moment at which it is taken in")
    updated_at: AwareDatetime | None = Field(default=None, description="when the content last changed; else now")
    email: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    shipping_method: str = ""
    fraud_risk: str = Field(default="", description="why it is not safe to ship; empty: it is")
    ship_to: Address
    lines: tuple[SubmittedLine, ...] = Field(min_length=1, max_length=10_000)

    def submitted(self, now: datetime) -> OrderSubmitted:
        """The same, as upstream would have published it."""
        content = self.model_dump(exclude={"placed_at"})
        return OrderSubmitted.model_validate({**content, "at": now, "placed_at": self.placed_at or now})


class KeyUsed(Refused):
    """The Idempotency-Key came with another order before."""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """The verb and what it needs."""

    pool: Pool
    rulebook: Rulebook
    telemetry: Telemetry
    clock: Clock

    async def place(
        self, placed: PlacedOrder, key: str | None, traceparent: str | None = None, command: Command = UNNAMED
    ) -> dict[str, Any]:
        """The order as it now stands. Raises NoSuchChannel, ChannelHasAnApi and KeyUsed."""
        await taking_channel(self.pool, self.rulebook, placed.channel)
        now = self.clock.now()
        order = as_channel_order(placed.submitted(now))
        sighting = seen(placed.channel, order, read_at=now, via=VIA, traceparent=traceparent)

        async def act(conn: Connection) -> dict[str, Any]:
            if key is None or await _first_time(conn, key, placed):
                rules = await self.rulebook.of(conn, [sighting])
                await import_orders(conn, Batch([sighting], rules, self.telemetry, now))
            found = await rows(q().order_by_number(conn, channel=placed.channel, number=order.id))
            row = next(row for row in found if row["channel_order_id"] == order.id)
            names = ("order_id", "channel", "number", "standing", "version", "reason", "detail")
            return {**{name: row[name] for name in names}, "holds": row["holds"] or []}

        answer: dict[str, Any] = await command.once(self.pool, act)
        return answer


async def _first_time(conn: Connection, key: str, placed: PlacedOrder) -> bool:
    digest = hashlib.blake2b(placed.model_dump_json().encode(), digest_size=16).digest()
    known = await q().note_placed(conn, key=key, digest=digest, channel=placed.channel, number=placed.number)
    if known is not None and bytes(known["digest"]) != digest:
        raise KeyUsed(
            f"Idempotency-Key: {key!r} placed order {known['number']} of channel {known['channel']}",
            "use a new key for each order",
            status=422,
        )
    return known is None
