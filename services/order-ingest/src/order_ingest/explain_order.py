"""Looks an order up where it was placed, now, and says why it is not here or where it stands (IN-15).

Nothing is imported or changed by asking; the exchange is recorded like every other.
"""

from dataclasses import asdict, dataclass
from typing import Any

from order_ingest.calls import Calls, NotConfigured
from order_ingest.import_file import NoSuchChannel
from order_ingest.named import q
from order_ingest.normalize import normalize
from order_ingest.seen import seen
from order_ingest.verdict import ChannelNow, LiveLook, verdict
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import rows, transaction
from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.ports import OrderReader
from waybill_platforms.recording import recording

PATIENCE = 5.0  # seconds that a person waits for the channel's budget


@dataclass(frozen=True, slots=True)
class ExplainOrder:
    """The question and what it needs."""

    calls: Calls

    async def explain(self, channel: str, number: str) -> dict[str, Any]:
        """Raises NoSuchChannel."""
        found = await rows(q().listing(self.calls.pool, channel=channel))
        if not found or not found[0]["active"]:
            raise NoSuchChannel(channel)
        now, names = _now(found[0]), _spellings(number)
        stored = await q().order_named(self.calls.pool, channel=channel, names=names)
        live = await self._look(now, names, stored, locked_out=found[0]["health"] == "unauthorized")
        letters = [] if stored is not None else await self._letters(names)
        said = verdict(now, stored, live, letters)
        return {
            "channel": channel,
            "number": stored["number"] if stored is not None else live.order.number if live.order else number,
            "order_id": stored["order_id"] if stored is not None else None,
            **asdict(said),
            "at_channel": None if live.order is None else {
                "id": live.order.id, "status": live.order.raw_status, "placed_at": live.order.placed_at,
                "updated_at": live.order.updated_at,
            },
            "looked": "here" if not now.polled else live.trouble or "live",
        }  # fmt: skip

    async def _look(self, now: ChannelNow, names: list[str], stored: Any | None, *, locked_out: bool) -> LiveLook:
        if not now.polled:
            return LiveLook()
        if locked_out:
            return LiveLook(trouble="its credentials were refused", unauthorized=True)
        calls, credentials = self.calls, None
        with recording() as exchanges, patient(PATIENCE):
            try:
                reader, credentials = await calls.reader(now.id)
                order = await _find(reader, names, stored)
            except BudgetWait as wait:
                return LiveLook(trouble=f"the channel's rate budget is used up for {wait.seconds:.0f} s")
            except NotConfigured as error:
                return LiveLook(trouble=str(error))
            except PlatformError as error:
                async with transaction(calls.pool) as conn:
                    await calls.failed(conn, now.id, credentials, error, exchanges)
                return LiveLook(trouble=error.message, unauthorized=error.family is Family.UNAUTHORIZED)
        async with transaction(calls.pool) as conn:
            about = [] if stored is None else [str(stored["order_id"])]
            await calls.succeeded(conn, now.id, credentials, exchanges, about)
        return await self._judged(now.id, order, stored)

    async def _judged(self, channel: str, order: ChannelOrder | None, stored: Any | None) -> LiveLook:
        if order is None or stored is not None:
            return LiveLook(order)
        sighting = seen(channel, order, read_at=self.calls.clock.now(), via="pull")
        rules = await self.calls.rulebook.of(self.calls.pool, [sighting])
        return LiveLook(order, normalize(sighting.order, rules[channel], None) if channel in rules else None)

    async def _letters(self, names: list[str]) -> list[str]:
        """Events are keyed by the order's number; those that were put aside say why."""
        found = await rows(q().letters_of(self.calls.pool, keys=[name.encode() for name in names]))
        return [row["reason"] for row in found]


async def _find(reader: OrderReader, names: list[str], stored: Any | None) -> ChannelOrder | None:
    if stored is not None:
        return await reader.get_order(stored["channel_order_id"])
    for name in names:
        order = await reader.find_by_number(name)
        if order is not None:
            return order
    return None


def _spellings(number: str) -> list[str]:
    """As it was typed, and with or without the leading # that shops put before it."""
    plain = number.strip().removeprefix("#")
    return list(dict.fromkeys((number.strip(), plain, f"#{plain}")))


def _now(row: Any) -> ChannelNow:
    return ChannelNow(
        id=row["channel_id"], polled=row["polled"],
        last_success_at=row["last_success_at"], next_pull_at=row["due_at"], cursor_at=row["cursor_at"],
    )  # fmt: skip
