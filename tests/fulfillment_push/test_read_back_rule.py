"""When "not found" may be believed, as a table of moments. (FP-5, SP-11, DESIGN section 5)"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment_push.read_back import FindRule, Judgement, Verdict, judge_missing
from fulfillment_push.schedule import next_run

LEASE_ENDED = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIMEOUT = timedelta(seconds=20)


def at(seconds: float) -> datetime:
    return LEASE_ENDED + timedelta(seconds=seconds)


def judge(lag: float, first: float | None, now: float, *, possible: bool = True) -> Judgement:
    rule = FindRule(possible, timedelta(seconds=lag))
    first_missing = None if first is None else at(first)
    return judge_missing(rule, lease_ended=LEASE_ENDED, timeout=TIMEOUT, first_missing=first_missing, now=at(now))


@pytest.mark.parametrize(
    ("lag", "first", "now", "verdict", "again"),
    [
        (0, None, 0, Verdict.ASK, 20),  # once is never enough; next when the call is surely over
        (0, None, 100, Verdict.ASK, 101),  # long over, but asked for the first time
        (0, 0, 19.9, Verdict.ASK, 20),  # twice, but the call may still be running
        (0, 0, 20, Verdict.SEND_AGAIN, None),
        (0, 25, 25.5, Verdict.ASK, 26),  # twice in one breath
        (30, None, 0, Verdict.ASK, 50),  # timeout and index lag
        (30, 0, 49, Verdict.ASK, 50),
        (30, 40, 50, Verdict.ASK, 70),  # both read-backs may have looked at the same old index
        (30, 20, 50, Verdict.SEND_AGAIN, None),
        (30, 0, 50, Verdict.SEND_AGAIN, None),
    ],
)
def test_missing(lag: float, first: float | None, now: float, verdict: Verdict, again: float | None) -> None:
    assert judge(lag, first, now) == Judgement(verdict, None if again is None else at(again))


def test_a_source_that_cannot_be_asked_needs_a_person() -> None:
    assert judge(0, None, 1000, possible=False).verdict is Verdict.PERSON


@given(st.floats(0, 600), st.one_of(st.none(), st.floats(-60, 3000)), st.floats(-60, 4000))
def test_sending_again_is_never_permitted_early(lag: float, first: float | None, now: float) -> None:
    verdict = judge(lag, first, now)
    if verdict.verdict is Verdict.SEND_AGAIN:
        assert first is not None
        assert at(now) >= at(0) + TIMEOUT + timedelta(seconds=lag)
        assert at(now) - at(first) >= timedelta(seconds=lag)
    else:
        assert verdict.at is not None


@given(st.integers(1, 3600), st.floats(0, 1e7), st.text(min_size=1, max_size=8))
def test_the_next_send_run_is_the_first_one_of_the_grid(every: int, seconds: float, source: str) -> None:
    now = at(seconds)
    step = timedelta(seconds=every)
    run = next_run(source, now, step)
    assert now <= run < now + step + timedelta(milliseconds=1)
    assert next_run(source, run + timedelta(seconds=0.5), step) == run + step


def test_a_source_that_sends_at_once_has_no_grid() -> None:
    assert next_run("east", at(0.123), timedelta(0)) == at(0.123)
