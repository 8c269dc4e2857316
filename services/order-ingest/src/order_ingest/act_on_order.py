"""What a person does to one order: hold it, release it, cancel it (IN-10).

What was said stays with the order's row, whatever version its channel shows next; the facts that follow name who and
why. A release ends the person's own hold and lets pass what asks for a person's judgement; holds with a cause to be
mended stay, and are answered with what mends them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from order_ingest import store
from order_ingest.heal_orders import as_last_seen
from order_ingest.import_orders import Batch, apply_looks
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.rulebook import Rulebook
from order_ingest.said import WAIVABLE, Killed, Said, Word
from order_ingest.store import Stored
from order_ingest.twins import lock_alike
from waybill_common.clock import Clock
from waybill_common.commands import UNNAMED, Command
from waybill_common.db import Connection, Pool
from waybill_common.refusals import Refused
from waybill_common.telemetry import Telemetry
from waybill_contracts.fr_created import OrderDecision, OrderUnroutable
from waybill_contracts.topics import ROUTER
from waybill_contracts.values import HoldReason, Order

ON_HOLD = frozenset({HoldReason.ON_HOLD_BY_PERSON})


class NoSuchOrder(Refused):
    """There is no order of this id here."""

    def __init__(self, order_id: object) -> None:
        way = "find its id by its number: `waybill orders list`"
        super().__init__(f"no order has the id {order_id}", way, status=404)


class ActionRefused(Refused):
    """The order does not allow it: why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class ActOnOrder:
    """The verbs and what they need."""

    pool: Pool
    rulebook: Rulebook
    telemetry: Telemetry
    clock: Clock

    async def hold(self, order_id: UUID, word: Word, command: Command = UNNAMED) -> dict[str, Any]:
        """No FR while it is on hold; what is not sent yet stops. Raises NoSuchOrder and ActionRefused."""
        return await self._act(order_id, word, _held, command)

    async def release(self, order_id: UUID, word: Word, command: Command = UNNAMED) -> dict[str, Any]:
        """Ends what a person may end. Raises NoSuchOrder, and ActionRefused when that is nothing."""
        return await self._act(order_id, word, _released, command)

    async def cancel(self, order_id: UUID, word: Word, command: Command = UNNAMED) -> dict[str, Any]:
        """Nothing of it is wanted any more; the channel is not told. Raises NoSuchOrder and ActionRefused."""
        return await self._act(order_id, word, _canceled, command)

    async def _act(
        self, order_id: UUID, word: Word, said: Callable[[Stored, Word], Said], command: Command
    ) -> dict[str, Any]:
        async def act(conn: Connection) -> dict[str, Any]:
            row = await _locked(conn, order_id)
            return _shown(await self._apply(conn, row, word, said))

        answer: dict[str, Any] = await command.once(self.pool, act)
        return answer

    async def cancel_unroutable(self, conn: Connection, decision: OrderUnroutable) -> None:
        """The group's `unroutable: cancel` (RT-4), in the caller's transaction; what has changed since stays."""
        try:
            row = await _locked(conn, UUID(decision.order_id))
            if row.copy.sequence == decision.order_sequence:
                word = Word(
                    ROUTER, f"unroutable: {decision.reason}" + (f" ({decision.detail})" if decision.detail else "")
                )
                await self._apply(conn, row, word, _canceled)
        except (NoSuchOrder, ActionRefused):
            return  # of another database, or over already

    async def cancel_killed(self, conn: Connection, decision: OrderDecision) -> None:
        """What sources canceled for good is canceled on the order (FP-6): totals, of which the newest count."""
        try:
            row = await _locked(conn, UUID(decision.order_id))
            before = row.said.killed
            if before is not None and before.sequence >= decision.sequence:
                return
            killed = Killed(decision.sequence, {line.line_id: line.canceled for line in decision.killed})
            word = Word(ROUTER, "canceled by sources for good (on_source_cancel: kill)")
            await self._judged(conn, replace(row, said=replace(row.said, killed=killed)), word, self.clock.now())
        except (NoSuchOrder, ActionRefused):
            return  # of another database, or of a channel that was removed

    async def _apply(self, conn: Connection, row: Stored, word: Word, said: Callable[[Stored, Word], Said]) -> Stored:
        if row.copy.standing in (Standing.EXCLUDED, Standing.CANCELED):
            raise ActionRefused(
                f"order {row.number} is {row.copy.standing.value} ({row.copy.reason}): it waits for nothing",
                "change it at its channel: its next version is judged anew",
            )
        changed = replace(row, said=said(row, word))
        return row if changed.said == row.said else await self._judged(conn, changed, word, self.clock.now())

    async def _judged(self, conn: Connection, row: Stored, word: Word, now: datetime) -> Stored:
        sighting = as_last_seen(row)
        rules = await self.rulebook.of(conn, [sighting])
        if sighting.channel not in rules:
            raise ActionRefused(f"channel {sighting.channel!r} is not configured any more", "configure it again first")
        batch = Batch([sighting], rules, self.telemetry, now, word)
        (judged,) = await apply_looks(conn, batch, [(row, sighting)])
        return replace(row, copy=judged.copy)


async def _locked(conn: Connection, order_id: UUID) -> Stored:
    glimpse = await q().order_by_id(conn, order_id=order_id)
    if glimpse is None:
        raise NoSuchOrder(order_id)
    await lock_alike(conn, [glimpse["alike"]])
    return store.stored(await q().lock_order(conn, order_id=order_id))


def _held(row: Stored, word: Word) -> Said:
    return row.said if row.said.hold is not None else replace(row.said, hold=word)


def _canceled(row: Stored, word: Word) -> Said:
    return replace(row.said, cancel=word)


def _released(row: Stored, _: Word) -> Said:
    holds = _copy(row).holds
    ends = [hold.reason for hold in holds if hold.reason in WAIVABLE | ON_HOLD]
    if not holds:
        raise ActionRefused(f"order {row.number} is not on hold", "see what it waits for: `waybill orders show`")
    if not ends:
        named = "; ".join(f"{hold.reason.value}: {hold.fix}" for hold in holds)
        reason = f"order {row.number} waits for its cause to be mended, and then goes on by itself"
        raise ActionRefused(reason, named)
    return replace(row.said, hold=None, waived=row.said.waived | (set(ends) & WAIVABLE))


def _copy(row: Stored) -> Order:
    assert row.copy.order is not None  # it is neither excluded nor unseen
    return row.copy.order


def _shown(row: Stored) -> dict[str, Any]:
    order = _copy(row)
    return {
        "order_id": order.order_id,
        "number": order.number,
        "state": row.copy.standing.value,
        "version": row.copy.version,
        "holds": [hold.model_dump(mode="json") for hold in order.holds],
    }
