"""What a source says to being asked to give a request back (FP-7). Pure.

`pending` is asked again with growing waits, also when its deadline is over (`deadlines.py`) and the page says that the
source does not answer. A source that cannot cancel at all refuses: it ships, and a person calls it.
"""

from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr, WaitsFor
from fulfillment_push.receive import void
from waybill_contracts.fulfillment_submitted import FrRecallRefused, Reason, Recall
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import CancelAnswer

FIRST, LONGEST = 15.0, 900.0


def answered(fr: Fr, answer: CancelAnswer) -> None:
    """The source answered the recall."""
    if answer.result == "accepted":
        accepted(fr, who=fr.source)
    elif answer.result == "refused":
        refused(fr, "recall_refused", answer.message or "the source ships it all the same")
    else:
        ask_again(fr, answer.message or "the source has not decided yet")


def accepted(fr: Fr, *, who: str, why: str | None = None) -> None:
    fr.recall = Recall.ACCEPTED
    void(fr, who=who, why=why)


def refused(fr: Fr, code: str, message: str) -> None:
    fr.recall = Recall.REFUSED
    fr.reason = Reason(code=code, message=message, action="it ships; agree a return with the source or the buyer")
    fr.rest()
    tell(fr, FrRecallRefused)


def ask_again(fr: Fr, why: str, at_least: float = 0.0) -> None:
    """Not decided, or not heard: the same question later. Nothing is lost by asking twice."""
    fr.asks += 1
    fr.wait_seconds(WaitsFor.RECALL, why, max(min(FIRST * fr.asks, LONGEST), at_least))


def failed(fr: Fr, error: PlatformError) -> None:
    """The recall's call did not end well. A refusal is an answer; everything else is asked again."""
    if error.family == "refused":
        refused(fr, error.code or "recall_refused", error.message)
    elif error.family == "unauthorized":
        fr.wait(WaitsFor.CREDENTIALS, error.message, fr.now)
    else:
        ask_again(fr, error.message, error.retry_after or 0.0)
