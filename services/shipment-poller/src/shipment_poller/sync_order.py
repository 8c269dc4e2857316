"""One try at an order's channel: read afresh, plan, announce, act, read back; until each shipment has an end.

Promises: shipments of one order are pushed one after the other, orders beside each other; nothing that changes the
channel is sent before its intent is committed; `synced` is said only of what a fresh read shows (SP-10); a failure of
one shipment leaves its neighbours alone. What the try learned is in the job, committed by the caller.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from shipment_poller import couriers, failures, plan_sync
from shipment_poller.acts import Act, perform, prepare
from shipment_poller.channel_try import AtChannel, fail, note, unread
from shipment_poller.jobs import Finish, Job, Part
from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Shown, Wanted
from waybill_common.budget import BudgetWait
from waybill_common.retry import Family
from waybill_contracts.fulfillment_submitted import Reason
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments
from waybill_platforms.recording import about

ROUNDS = 8


async def sync_order(job: Job, at: AtChannel) -> None:
    """Leaves each due part of the job with a `finish`."""
    for part in job.open_parts:
        _preflight(part, at)
    try:
        for turn in range(ROUNDS):
            if not job.open_parts or not await _round(job, at, reading_back=turn > 0):
                return
        for part in job.open_parts:
            fail(job, part, at, Family.LATER, Reason(code="not_settled", message="the channel keeps changing"))
    except BudgetWait as wait:
        job.rests = wait.seconds
        for part in job.open_parts:
            part.finish = Finish(part.state, timedelta(seconds=wait.seconds), part.attempts, tried=False)


async def _round(job: Job, at: AtChannel, *, reading_back: bool) -> bool:
    """One read and what follows from it; false when nothing is left to do in this try."""
    try:
        with about("find_fulfillment" if reading_back else "get_fulfillment_orders"):
            state = await at.writer.read(job.channel_order_id)
    except PlatformError as error:
        note(job, error)
        for part in job.open_parts:
            unread(part, at, error)
        return False
    job.health.append((None, None))
    if state is None:
        for part in job.open_parts:
            gone = Reason(
                code="order_gone", message="the channel does not have the order", action="look at the channel"
            )
            part.finish = Finish(SyncState.FAILED, None, part.attempts + 1, gone)
        return False
    acts: list[Act] = []
    for part in job.open_parts:
        planned = _step(job, part, at, state)
        acts += planned
        state = state.after(act.call for act in planned if act.call is not None)
    if not acts:
        return False
    await at.announce(job, acts)
    await perform(job, at, acts)
    return True


def _preflight(part: Part, at: AtChannel) -> None:
    """The courier's name at the channel, and its service's; without them nothing is called (SP-7)."""
    if part.wanted is None:
        return
    wanted = Wanted.from_json(part.wanted)
    if not part.by_number:
        part.content = wanted
        return
    named: couriers.Named | Reason = couriers.not_mapped_at_source(part.source, wanted.carrier)
    if part.wanted["courier_known"]:
        named = couriers.at_channel(at.channel, wanted.carrier)
    if isinstance(named, Reason):
        part.finish = Finish(SyncState.FAILED, None, part.attempts, named, tried=False)
        return
    part.content = replace(wanted, carrier=named.carrier, service=named.service if at.features.tells_service else "")


def _step(job: Job, part: Part, at: AtChannel, state: ChannelFulfillments) -> list[Act]:
    """Plans one shipment: either it gets its end, or acts to perform."""
    shown = shown_by(state)
    _forget_canceled(job, part, at, shown)
    while True:
        step = plan_sync.plan(job.now, _situation(job, part, at, shown, state), at.patience)
        match step:
            case plan_sync.Adopt(found):
                for fulfillment_id, sent, intent_id in found:
                    job.bind(part, fulfillment_id, sent, adopted=True)
                    if intent_id is not None:
                        job.close(part, intent_id, "done")
            case plan_sync.Settled(notes):
                live = sum(one.live for one in shown.values())
                status = plan_sync.order_status(state.fulfillment, live, state.remaining)
                _settle(job, part, shown, (*notes, *status))
                return []
            case plan_sync.Wait(until, missing):
                for intent_id in missing:
                    job.left_open[intent_id] = (None, job.now)
                part.finish = failures.wait_until(until, job.now, part.attempts)
                return []
            case plan_sync.NotShown(ids):
                message = f"the channel said that it made {', '.join(ids)}, and does not show it"
                fail(job, part, at, Family.LATER, failures.reason_for("not_shown", message))
                return []
            case plan_sync.ByHand(ids):
                part.finish = Finish(SyncState.FAILED, None, part.attempts, failures.by_hand(part.content, ids))
                return []
            case plan_sync.Create() if failures.exhausted(part.attempts):
                _forget(job, part, step.forgotten)
                message = "the channel's answers were lost, and it shows none of what was sent"
                part.finish = Finish(
                    SyncState.FAILED, None, part.attempts, failures.reason_for("connection", message), tried=False
                )
                return []
            case _:
                if isinstance(step, plan_sync.Create):
                    _forget(job, part, step.forgotten)
                return prepare(job, part, at, state, step)


def _forget_canceled(job: Job, part: Part, at: AtChannel, shown: Mapping[str, Shown]) -> None:
    """An earlier try canceled it and the answer was lost, or nothing is wanted and it is gone: on such a channel both
    look alike. What vanished otherwise is drift, and said."""
    if at.features.forgets_canceled and (part.state is SyncState.WITHDRAWING or part.content is None):
        for bound in [b for b in part.bound if b.fulfillment_id not in shown]:
            job.unbind(part, bound.fulfillment_id)


def _situation(
    job: Job, part: Part, at: AtChannel, shown: Mapping[str, Shown], state: ChannelFulfillments
) -> plan_sync.Situation:
    taken: set[str] = set()
    for other in job.parts:
        if other is part:
            continue
        taken.update(b.fulfillment_id for b in other.bound)
        if other.intents:
            theirs = plan_sync.Situation(
                None, other.bound, other.intents, [*shown.values()], taken, True, other.by_number
            )
            lost = plan_sync.lost_answers(theirs)
            taken.update(fulfillment_id for fulfillment_id, _, _ in lost.found) if lost else None
    return plan_sync.Situation(
        part.content,
        part.bound,
        part.intents,
        [*shown.values()],
        taken,
        at.features.updates_tracking,
        part.by_number,
        at.features.cancels_fulfillments,
        state.remaining,
        state.takes_ship_date,
    )


def shown_by(state: ChannelFulfillments) -> dict[str, Shown]:
    """The channel's fulfillments in our words; one of a status we don't know counts as standing."""
    return {
        record.id: Shown(
            record.id,
            record.status not in ("canceled", "failed"),
            dict(record.lines),
            record.carrier,
            record.tracking_numbers,
            record.tracking_urls,
            record.shipped_at.date().isoformat() if record.shipped_at else "",
            record.service,
        )
        for record in state.fulfillments
    }


def _settle(job: Job, part: Part, shown: Mapping[str, Shown], notes: tuple[str, ...]) -> None:
    for bound in [b for b in part.bound if not shown[b.fulfillment_id].live]:
        job.unbind(part, bound.fulfillment_id)
    job.confirm(part, shown)
    _forget(job, part, tuple(intent.intent_id for intent in part.intents))
    state = SyncState.NOT_NEEDED if part.content is None else SyncState.SYNCED
    part.finish = Finish(state, None, 0, None, notes)


def _forget(job: Job, part: Part, intent_ids: tuple[str, ...]) -> None:
    for intent_id in intent_ids:
        job.close(part, intent_id, "forgotten")
