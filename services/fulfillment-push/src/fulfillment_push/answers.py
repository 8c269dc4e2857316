"""What a send's intent, its answer, and a read-back do to an FR (FP-5). Pure.

An attempt is used by a send that may have reached the source. Expired credentials, a source that is down, and waiting
for the rate budget use none. A failure of unknown outcome is followed by another send only with `read_back`'s leave.
"""

from datetime import datetime, timedelta

from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr, WaitsFor
from fulfillment_push.lifecycle import advance
from fulfillment_push.progress import cancel, note_canceled
from fulfillment_push.read_back import FindRule, Verdict, judge_missing
from fulfillment_push.receive import CONFLICT, SERVICE, ask_back, something_is_there, void
from fulfillment_push.request import source_request, takes_nothing
from waybill_common.retry import Again, Schedule, decide
from waybill_contracts.fulfillment_submitted import (
    FrFailed,
    FrOutcomeUnknown,
    FrState,
    FrSubmitted,
    Outcome,
    Reason,
)
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import Submitted

READ_BACK_STEP, LONGEST_READ_BACK = 2.0, 60.0
ASK_A_PERSON = "look at the source under this reference; then mark it processed, or resend it"


def begin(fr: Fr) -> None:
    """The intent: from here on a crash leaves an open intent, which is found when the lease is over."""
    fr.attempts += 1
    fr.asks = 0
    fr.outcome = Outcome.IN_FLIGHT
    fr.lease_ended = fr.lease_until
    fr.first_missing = None
    # Due already: after a crash it is claimed as soon as the lease is over.
    fr.wait(WaitsFor.OUTCOME, "it is being sent", fr.now)


def prepare(fr: Fr) -> None:
    """The try begins, without an intent: what is prepared changes nothing at the source, so a crash leaves nothing."""
    fr.attempts += 1


def prepared(fr: Fr, handle: str) -> None:
    """The handle is stored before the step with effect; every later send and read-back of this round names it."""
    fr.handle = handle
    take_back(fr, WaitsFor.RUN, "prepared at the source; it is placed next")


def take_back(fr: Fr, code: WaitsFor, detail: str, seconds: float = 0.0) -> None:
    """Nothing was sent under this intent, for sure: it never was, and the attempt is not used."""
    fr.attempts = max(fr.attempts - 1, 0)
    fr.outcome = Outcome.NONE
    if fr.void_wanted:
        void(fr, who=SERVICE)
    else:
        fr.wait_seconds(code, detail, seconds)


def sent(fr: Fr, submitted: Submitted, *, why: str = "accepted by the source") -> None:
    """The source has it."""
    fr.outcome = Outcome.KNOWN
    fr.platform_id = submitted.platform_id
    fr.reason = None
    fr.asks = 0
    fr.rest()
    advance(fr, FrState.ACKNOWLEDGED if submitted.acknowledged else FrState.PROCESSED, who=SERVICE, why=why)
    tell(fr, FrSubmitted)
    if takes_nothing(fr.request, submitted):
        cancel(fr)
        return
    note_canceled(fr, submitted)
    if fr.void_wanted:
        ask_back(fr)


def failed(fr: Fr, reason: Reason) -> None:
    """It is not at the source, and will not be by itself."""
    fr.outcome = Outcome.KNOWN
    fr.reason = reason
    fr.asks = 0
    advance(fr, FrState.FAILED, who=SERVICE, why=f"{reason.code}: {reason.message}")
    fr.wait(WaitsFor.FAILED, reason.message)
    tell(fr, FrFailed)
    if fr.void_wanted and not something_is_there(fr):
        void(fr, who=SERVICE)


def unknown(fr: Fr, why: str, rule: FindRule, *, lease_ended: datetime) -> None:
    """Nobody knows whether the source has it: read back, or a person decides where that is not possible."""
    fr.outcome = Outcome.UNKNOWN
    fr.lease_ended = lease_ended
    fr.first_missing = None
    if rule.possible:
        fr.reason = Reason(code="outcome_unknown", message=why, action="none: it is read back at the source")
        fr.wait(WaitsFor.READ_BACK, why, fr.now)
    else:
        _ask_a_person(fr, why)
    tell(fr, FrOutcomeUnknown)


def _ask_a_person(fr: Fr, why: str) -> None:
    fr.reason = Reason(code="outcome_unknown", message=why, action=ASK_A_PERSON)
    fr.wait(WaitsFor.PERSON, f"{why}; the source cannot be asked under our reference")


def send_failed(fr: Fr, error: PlatformError, rule: FindRule, schedule: Schedule, *, down: bool, random: float) -> None:
    """What follows a send that did not end well. `down`: the breaker keeps the source's rows waiting."""
    if error.outcome == "unknown":
        unknown(fr, error.message, rule, lease_ended=fr.now)
        return
    decision = decide(schedule, error.family, fr.attempts, error.retry_after, random)
    if error.family == "unauthorized":
        take_back(fr, WaitsFor.CREDENTIALS, error.message)
    elif error.family == "later" and down:
        take_back(fr, WaitsFor.CONNECTION, error.message, error.retry_after or 0.0)
    elif isinstance(decision, Again):
        _again(fr, f"{error.cause}: {error.message}", decision.after_seconds)
    else:
        failed(fr, reason_of(error))


def _again(fr: Fr, why: str, seconds: float) -> None:
    fr.outcome = Outcome.NONE
    if fr.void_wanted:
        void(fr, who=SERVICE)
    else:
        fr.wait_seconds(WaitsFor.RETRY, f"try {fr.attempts + 1} after: {why}", seconds)


def reason_of(error: PlatformError) -> Reason:
    """The source's own code where it has one (additional_info_required, number_too_long, ...), else the cause."""
    return Reason(code=error.code or error.cause, message=error.message, action=_NEXT.get(error.cause, _LOOK))


_LOOK = "look at the transaction record, mend the cause, then resend it"
_NEXT = {
    "connection": "check that the source is reachable, then resend it",
    "server": "ask the source about the error, then resend it",
    "rate_limit": "resend it later, or ask the source for a higher limit",
    "configuration": "mend the source's configuration, then resend it",
    "refused": "mend what the source refused, or void it so that another source ships",
}


def missing(fr: Fr, rule: FindRule, timeout: timedelta, schedule: Schedule) -> None:
    """A read-back at `fr.now` found nothing under our reference."""
    ended = fr.lease_ended or fr.now
    verdict = judge_missing(rule, lease_ended=ended, timeout=timeout, first_missing=fr.first_missing, now=fr.now)
    if verdict.verdict is Verdict.PERSON:
        _ask_a_person(fr, "the outcome of the last send is unknown")
    elif verdict.verdict is Verdict.ASK:
        fr.first_missing = fr.first_missing or fr.now
        fr.asks = 0
        fr.wait(WaitsFor.READ_BACK, "not found once; asked again when that can be believed", verdict.at)
    elif fr.attempts > schedule.retries:
        last = f"; the last time: {fr.reason.message}" if fr.reason is not None else ""
        failed(fr, Reason(code="server", message=f"sent and lost, each time{last}", action=_NEXT["server"]))
    else:
        _again(fr, "the source surely does not have it", 0.0)


def not_read(fr: Fr, error: PlatformError) -> None:
    """A read-back failed itself: asked again, as often as it takes; it has no effect and uses no attempt."""
    fr.asks += 1
    code = WaitsFor.CREDENTIALS if error.family == "unauthorized" else WaitsFor.READ_BACK
    seconds = 0.0 if code is WaitsFor.CREDENTIALS else min(fr.asks * READ_BACK_STEP, LONGEST_READ_BACK)
    fr.wait_seconds(code, f"reading back failed: {error.message}", max(seconds, error.retry_after or 0.0))


def found(fr: Fr, submitted: Submitted, *, sent_now: bool, bound_to: str | None) -> None:
    """The source has this under our reference: it answered the send (`sent_now`), or a read-back found it.

    `bound_to` is another FR that already has this platform id. What a read-back finds is adopted only if it is exactly
    what was asked.
    """
    if bound_to is not None:
        _conflict(fr, f"{submitted.platform_id} at the source belongs to FR {bound_to} already")
    elif sent_now:
        sent(fr, submitted)
    elif not submitted.is_for(source_request(fr.request)):
        _conflict(fr, f"{submitted.platform_id} at the source has our reference but other lines or quantities")
    else:
        sent(fr, submitted, why="found at the source by read-back")


def _conflict(fr: Fr, message: str) -> None:
    action = "compare both with the source; then mark it processed, or void it"
    failed(fr, Reason(code=CONFLICT, message=message, action=action))
