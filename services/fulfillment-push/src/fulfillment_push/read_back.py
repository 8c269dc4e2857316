"""When "not found" may be believed (DESIGN section 5). Pure: moments in, a verdict out.

One "not found" proves nothing: the request may still be running at the source, or its index lags. Sending again is
permitted only when both hold: the lease under which it was sent ended at least one call timeout plus the declared index
lag ago, and it was found missing twice at least that lag apart. A source that cannot be asked needs a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

AT_LEAST_APART = timedelta(seconds=1)
"""Even a source that claims a consistent `find` is asked twice, not twice in the same breath."""


class Verdict(StrEnum):
    ASK = "ask"
    """Read back (again) at `at`."""
    SEND_AGAIN = "send_again"
    """It is surely not there."""
    PERSON = "person"
    """Nobody but a person can tell."""


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FindRule:
    """What the platform declares about `find`: possible at all, and how late its index may be."""

    possible: bool
    lag: timedelta = timedelta(0)


def quiet_from(lease_ended: datetime, timeout: timedelta, rule: FindRule) -> datetime:
    """From here on, what is not shown was not done."""
    return lease_ended + timeout + rule.lag


def judge_missing(
    rule: FindRule, *, lease_ended: datetime, timeout: timedelta, first_missing: datetime | None, now: datetime
) -> Judgement:
    """What to do after a read-back at `now` found nothing; `first_missing` is the earlier one that did not either."""
    if not rule.possible:
        return Judgement(Verdict.PERSON)
    apart = max(rule.lag, AT_LEAST_APART)
    quiet = quiet_from(lease_ended, timeout, rule)
    first = first_missing or now
    if first_missing is not None and now >= quiet and now - first_missing >= apart:
        return Judgement(Verdict.SEND_AGAIN)
    return Judgement(Verdict.ASK, max(quiet, first + apart))
