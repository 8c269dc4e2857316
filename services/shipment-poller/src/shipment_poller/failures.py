"""What follows when a try at a channel did not end well: pure (SP-8, SP-9, SP-11).

An answer that cannot be read is tried again like a server's failure: it is often a proxy's page that is gone a moment
later. After the last retry its own name stands in the reason.

What is counted is one call's failures in a row: a read that went well ends the count of reads, a create that went well
leaves only the reading back, which has more retries, because the push itself is done.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shipment_poller.jobs import Finish
from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Wanted
from waybill_common.retry import SP_8, Again, Family, Pause, Schedule, decide
from waybill_contracts.fulfillment_submitted import Reason

READ_BACK = Schedule(retries=9)
_LONGEST_READ_BACK = 300.0
_ACTIONS = {
    "connection": "check that the channel can be reached, then resync",
    "rate_limit": "resync when the channel is less busy, or lower its rate budget",
    "configuration": "mend the channel's setting that the message names, then resync",
    "refused": "correct what the message names, at the channel or here, then resync",
    "server": "resync when the channel works again",
    "unauthorized": "enter new credentials for the channel; what waits is sent then",
    "unreadable": "look at the transaction record; the channel answered something else than its contract",
}


def reason_for(cause: str, message: str, code: str | None = None) -> Reason:
    """In a code for programs, a sentence for people, and the next step."""
    action = _ACTIONS.get(cause, "look at the message, then resync")
    return Reason(code=code or cause, message=message, action=action)


def by_hand(wanted: Wanted | None, fulfillment_ids: Sequence[str]) -> Reason:
    """The channel has no way to change or cancel what stands there: the order says so, and what should stand."""
    should = "nothing of it" if wanted is None else f"{wanted.carrier} {', '.join(wanted.numbers)}".strip()
    return Reason(
        code="correct_by_hand",
        message=f"the channel can neither change nor cancel {', '.join(fulfillment_ids)}; it should show {should}",
        action="correct it at the channel by hand, then resync",
    )


def after_failure(  # each is one fact about the failure
    family: Family,
    attempts: int,
    reason: Reason,
    *,
    retry_after: float | None,
    random: float,
    blocked: bool,
    outcome_open: bool = False,
) -> Finish:
    """`attempts`: tries of this round that had failed before this one.

    `blocked`: the channel is down or unauthorized, so this uses up no attempt; the claim leaves its rows alone until
    it answers. `outcome_open`: a create may have had an effect, so it is never given up before that is known.
    """
    if family is Family.UNREADABLE:
        family = Family.LATER
    decision = decide(SP_8, family, attempts + 1, retry_after, random)
    if isinstance(decision, Pause):
        return Finish(SyncState.PENDING, timedelta(0), attempts, reason)
    if blocked and family is Family.LATER:
        return Finish(SyncState.PENDING, timedelta(seconds=retry_after or 0), attempts, reason)
    if isinstance(decision, Again):
        return Finish(SyncState.PENDING, timedelta(seconds=decision.after_seconds), attempts + 1, reason)
    if outcome_open:
        wait = min(SP_8.step * (attempts + 1), _LONGEST_READ_BACK)
        return Finish(SyncState.PENDING, timedelta(seconds=wait), attempts + 1, reason)
    return Finish(SyncState.FAILED, None, attempts + 1, reason)


def exhausted(attempts: int) -> bool:
    """Whether no further create may be tried in this round."""
    return attempts > SP_8.retries


def after_unread(
    family: Family,
    looks: int,
    attempts: int,
    reason: Reason,
    *,
    retry_after: float | None,
    random: float,
    blocked: bool,
    only_read_back: bool,
) -> Finish:
    """The fresh read failed. `looks`: reads of this part that had failed in a row; its calls' `attempts` stay."""
    if family is Family.UNREADABLE:
        family = Family.LATER
    decision = decide(READ_BACK if only_read_back else SP_8, family, looks + 1, retry_after, random)
    if isinstance(decision, Pause) or (blocked and family is Family.LATER):
        return Finish(SyncState.PENDING, timedelta(seconds=retry_after or 0), attempts, reason, looks=looks)
    if isinstance(decision, Again):
        return Finish(SyncState.PENDING, timedelta(seconds=decision.after_seconds), attempts, reason, looks=looks + 1)
    return Finish(SyncState.FAILED, None, attempts, reason, looks=looks + 1)


def wait_until(until: datetime, now: datetime, attempts: int) -> Finish:
    """Reading back comes first; the wait is no attempt."""
    reason = Reason(
        code="outcome_unknown",
        message="the channel's answer to the create was lost; it is read back before anything is sent again",
        action="none: it is settled by itself",
    )
    return Finish(SyncState.PENDING, max(until - now, timedelta(0)), attempts, reason, tried=False)
