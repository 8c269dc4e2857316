"""What a person may do with an FR (FP-9); each leaves who and why in its history. Pure.

Nothing here sends: `process` and `resend` queue it for the next send run, `mark` says what happened elsewhere.
"""

from collections.abc import Mapping

from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr
from fulfillment_push.lifecycle import SENT, MoveRefused, advance, note
from fulfillment_push.recall import accepted, refused
from fulfillment_push.receive import ask_back, queue, void
from waybill_contracts.configuration import Source
from waybill_contracts.fulfillment_submitted import FrAcknowledged, FrProcessing, FrState, FrSubmitted, Outcome, Recall


def process(fr: Fr, sources: Mapping[str, Source], *, who: str, why: str) -> None:
    """UNPROCESSED -> PROCESSING."""
    if fr.state is not FrState.UNPROCESSED:
        way = "resend it" if fr.state is FrState.FAILED else "nothing: it was launched before"
        raise MoveRefused(f"FR {fr.number} is {fr.state}; only an UNPROCESSED one is launched", way)
    _launch(fr, sources, who=who, why=why)


def resend(fr: Fr, sources: Mapping[str, Source], *, who: str, why: str) -> None:
    """A new round of attempts: of a FAILED one, or of one whose outcome a person found out: it is not there."""
    if fr.state is FrState.PROCESSING and fr.outcome is Outcome.UNKNOWN:
        note(fr, who=who, why=f"not at the source, so it is sent again: {why}")
        _new_round(fr, sources, who=who)
    elif fr.state is FrState.FAILED and fr.shipped_total:
        units = sum(fr.shipped_total.values())
        raise MoveRefused(
            f"FR {fr.number}: its source shipped {units} units of it already", "mark it PROCESSED instead"
        )
    elif fr.state is FrState.FAILED:
        _launch(fr, sources, who=who, why=why)
    else:
        way = "process it" if fr.state is FrState.UNPROCESSED else "regenerate it to have its units asked for again"
        raise MoveRefused(f"FR {fr.number} is {fr.state} ({fr.outcome}); only FAILED or unknown ones are resent", way)


def _launch(fr: Fr, sources: Mapping[str, Source], *, who: str, why: str) -> None:
    if fr.void_wanted:
        raise MoveRefused(f"FR {fr.number} is to be voided ({fr.void_reason})", "void it instead of sending it")
    advance(fr, FrState.PROCESSING, who=who, why=why)
    _new_round(fr, sources, who=who)


def _new_round(fr: Fr, sources: Mapping[str, Source], *, who: str) -> None:
    fr.outcome = Outcome.NONE
    fr.attempts = 0
    fr.handle = None  # it is surely not there under the old one, and what was refused is prepared anew
    fr.reason = None
    fr.rest()
    if fr.void_wanted:
        void(fr, who=who)
        return
    tell(fr, FrProcessing)
    queue(fr, sources)


def mark(fr: Fr, to: FrState, *, who: str, why: str, platform_id: str | None = None) -> None:
    """A person says that the source has it (PROCESSED) or will ship it (ACKNOWLEDGED)."""
    if to not in SENT:
        raise MoveRefused(f"state={to} cannot be marked by hand", "use PROCESSED or ACKNOWLEDGED, or void it")
    if fr.outcome is Outcome.IN_FLIGHT:
        raise MoveRefused(f"FR {fr.number} is being sent at this moment", "look again in a minute")
    was_sent = fr.state in SENT
    advance(fr, to, who=who, why=why, by_hand=True)
    fr.outcome = Outcome.KNOWN
    fr.reason = None
    fr.platform_id = fr.platform_id or platform_id or None
    fr.rest()
    fr.let_go()
    tell(fr, FrAcknowledged if was_sent else FrSubmitted)
    if fr.void_wanted and fr.recall is Recall.NONE:
        ask_back(fr)


def recalled(fr: Fr, *, given_back: bool, who: str, why: str) -> None:
    """A person got the source's answer to a recall by other ways."""
    if fr.state not in SENT or fr.recall not in (Recall.REQUESTED, Recall.UNANSWERED):
        reason = f"FR {fr.number} is {fr.state}, recall {fr.recall}: nobody asked the source to give it back"
        raise MoveRefused(reason, "void it first: its source is asked then, and its answer is waited for")
    if given_back:
        accepted(fr, who=who, why=f"given back: {why}")
    else:
        note(fr, who=who, why=f"not given back: {why}")
        refused(fr, "recall_refused", why)
