"""What a plan's step means in calls: prepared (and announced) first, performed after. Part of `sync_order`.

A create's outcome is one of three: done, surely without effect (its intent is dropped), or open (its intent stays and
is read back in a later try). Withdrawing and updating can be repeated, so a fresh read tells all about them.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shipment_poller import plan_sync
from shipment_poller.channel_try import AtChannel, fail, fail_by, note
from shipment_poller.jobs import Finish, Job, Part
from shipment_poller.lifecycle import SYNC, SyncState, advance
from shipment_poller.model import Intent, Wanted
from waybill_common.budget import BudgetWait
from waybill_common.ids import new_id
from waybill_common.retry import Family
from waybill_contracts.fulfillment_submitted import Reason
from waybill_platforms.departure import leaving_before
from waybill_platforms.errors import NotFulfillable, PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft

LEASE_MARGIN = 5.0


@dataclass(frozen=True, slots=True)
class Act:
    """One call to make. Exactly one of `call` (create, with its intent) and `fulfillment_id` is given."""

    part: Part
    state: SyncState
    fulfillment_id: str | None = None
    call: CreateCall | None = None
    intent: Intent | None = None
    notify: bool = False
    dated: bool = False
    """The channel takes the day of shipping"""


def prepare(job: Job, part: Part, at: AtChannel, state: ChannelFulfillments, step: plan_sync.Step) -> list[Act]:
    """The calls of a step; none when the channel cannot take them, then the part has its end."""
    match step:
        case plan_sync.Withdraw(ids):
            part.state = advance(SYNC, part.state, SyncState.WITHDRAWING)
            return [Act(part, part.state, fulfillment_id=one) for one in ids]
        case plan_sync.Update(ids):
            part.state = advance(SYNC, part.state, SyncState.UPDATING)
            return [Act(part, part.state, fulfillment_id=one, dated=state.takes_ship_date) for one in ids]
        case plan_sync.Create(content):
            part.state = advance(SYNC, part.state, SyncState.CREATING)
            return _creates(job, part, at, state, content)
    raise AssertionError(f"{step} is no step with calls")


def _creates(job: Job, part: Part, at: AtChannel, state: ChannelFulfillments, content: Wanted) -> list[Act]:
    # the buyer is told once, and only when there is something to track (SP-16)
    notify = at.channel.notify_buyer and bool(content.numbers) and not part.notified
    draft = FulfillmentDraft(
        job.channel_order_id,
        tuple(sorted(content.lines.items())),
        content.carrier,
        content.numbers,
        content.url,
        notify,
        _day(content.shipped_on) if state.takes_ship_date else None,
        content.service,
    )
    try:
        calls = at.writer.calls_for(state, draft)
        if notify:  # several locations are several fulfillments, but one message to the buyer
            calls[1:] = at.writer.calls_for(state, replace(draft, notify=False))[1:]
    except NotFulfillable as less:
        still = {line: min(n, state.remaining.get(line, 0)) for line, n in content.lines.items()}
        holds = content.only({line: n for line, n in still.items() if n > 0})
        # on the second look: the first may have been stale, or a hold be just about to end
        if part.attempts and holds.lines and holds.lines != content.lines and not state.canceled:
            return _creates(job, part, at, state, holds)
        _less_is_open(job, part, at, state, less)
        return []
    if part.refused is not None and part.refused[0] in calls:
        fail_by(job, part, at, part.refused[1])
        return []
    part.refused = None
    made = []
    for number, call in enumerate(calls):
        intent = Intent(str(new_id()), content.only(dict(call.lines)), job.lease.until)
        part.intents.append(intent)
        made.append(Act(part, part.state, call=call, intent=intent, notify=notify and number == 0))
    return made


def _day(shipped_on: str) -> datetime | None:
    return datetime.fromisoformat(shipped_on).replace(tzinfo=UTC) if shipped_on else None


def _less_is_open(job: Job, part: Part, at: AtChannel, state: ChannelFulfillments, less: NotFulfillable) -> None:
    if state.canceled:
        reason = Reason(
            code="order_canceled_at_channel",
            message=f"the order is canceled at the channel, but it was shipped ({less})",
            action="call the parcel back, or settle it with the buyer",
        )
    else:
        shown = f"; the rest of it is shown as {', '.join(b.fulfillment_id for b in part.bound)}" if part.bound else ""
        reason = Reason(
            code="not_fulfillable",
            message=f"{less}{shown}",
            action="look at the order at the channel: refunded, on hold, or fulfilled by somebody else? Then resync",
        )
    # once more after a wait: a read may be stale, or a hold be just about to end
    family = Family.LATER if part.attempts == 0 else Family.REFUSED
    fail(job, part, at, family, reason)


async def perform(job: Job, at: AtChannel, acts: list[Act]) -> None:
    """One call after the other. A part that failed is skipped; what was announced and not sent is dropped.

    A lease fences rows, not calls: no call is sent that the lease may not outlive; the rest is due again at once.
    """
    for place, act in enumerate(acts):
        if act.part.finish is None and not job.lease.outlives(at.features.call_timeout + LEASE_MARGIN):
            act.part.finish = Finish(act.state, timedelta(0), act.part.attempts, tried=False)
        if act.part.finish is not None or act.part.refused is not None:
            _not_sent(job, act)
            continue
        try:
            with leaving_before(job.lease.ends):  # frozen until another holds the order: it sends nothing any more
                await _call(job, at, act)
        except PlatformError as error:
            note(job, error)
            unknown = error.outcome == "unknown" and act.intent is not None
            if act.intent is not None:
                _after_create_failed(job, act, act.intent, unknown=unknown)
            if act.call is not None and error.family is Family.REFUSED and not unknown:
                # the order may have moved there since it was read: look again, and plan anew if it did
                act.part.refused = (act.call, error)
            else:
                fail_by(job, act.part, at, error, outcome_open=unknown)
                _remember_withdrawing(act, error)
        except BudgetWait:
            for left in acts[place:]:
                _not_sent(job, left)
            raise
        else:
            job.health.append((None, None))


def _remember_withdrawing(act: Act, error: PlatformError) -> None:
    """On a channel that forgets what is canceled, only this tells our lost withdrawal from somebody else's."""
    finish = act.part.finish
    lost = act.state is SyncState.WITHDRAWING and error.outcome == "unknown"
    if lost and finish is not None and finish.state is SyncState.PENDING:
        act.part.finish = replace(finish, state=SyncState.WITHDRAWING)


async def _call(job: Job, at: AtChannel, act: Act) -> None:
    content = act.part.content
    if act.call is not None and act.intent is not None:
        record = await at.writer.create(act.call)
        act.part.notified = act.part.notified or act.notify
        if act.notify:
            job.untold.discard(act.part.shipment_id)
        job.bind(act.part, record.id, act.intent.content, adopted=False)
        job.close(act.part, act.intent.intent_id, "done")
        return
    assert act.fulfillment_id is not None
    if act.state is SyncState.WITHDRAWING:
        await at.writer.cancel(act.fulfillment_id)
        job.unbind(act.part, act.fulfillment_id)
        return
    assert content is not None
    await at.writer.update_tracking(
        act.fulfillment_id,
        carrier=content.carrier,
        tracking_numbers=content.numbers,
        tracking_url=content.url,
        shipped_at=_day(content.shipped_on) if act.dated else None,
        service=content.service,
    )
    lines = next(b.sent.lines for b in act.part.bound if b.fulfillment_id == act.fulfillment_id)
    job.bind(act.part, act.fulfillment_id, content.only(lines), adopted=act.fulfillment_id in act.part.adopted)


def _after_create_failed(job: Job, act: Act, intent: Intent, *, unknown: bool) -> None:
    if not unknown:
        _not_sent(job, act)
        return
    job.untold.discard(act.part.shipment_id)
    job.left_open[intent.intent_id] = (job.now, None)


def _not_sent(job: Job, act: Act) -> None:
    if act.intent is not None:
        job.close(act.part, act.intent.intent_id, "dropped")
    if act.notify:
        job.untold.add(act.part.shipment_id)
