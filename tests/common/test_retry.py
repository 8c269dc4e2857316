"""The retry rule as a table (SP-8, SP-9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_common.retry import SP_8, Again, Decision, Family, GiveUp, Pause, Schedule, decide

EXACT = Schedule(jitter=0.0)


@pytest.mark.parametrize(
    ("family", "attempt", "retry_after", "decision"),
    [
        (Family.LATER, 1, None, Again(1.5)),
        (Family.LATER, 2, None, Again(3.0)),
        (Family.LATER, 3, None, Again(4.5)),
        (Family.LATER, 4, None, GiveUp("retries_exhausted")),
        (Family.LATER, 1, 60.0, Again(60.0)),
        (Family.LATER, 3, 2.0, Again(4.5)),
        (Family.LATER, 1, 1e9, Again(86_400.0)),
        (Family.LATER, 4, 60.0, GiveUp("retries_exhausted")),
        (Family.REFUSED, 1, None, GiveUp("refused")),
        (Family.REFUSED, 1, 5.0, GiveUp("refused")),
        (Family.UNREADABLE, 1, None, GiveUp("unreadable")),
        (Family.UNAUTHORIZED, 1, None, Pause()),
        (Family.UNAUTHORIZED, 9, None, Pause()),
    ],
)
def test_what_follows_a_failure(family: Family, attempt: int, retry_after: float | None, decision: Decision) -> None:
    assert decide(EXACT, family, attempt, retry_after) == decision


@given(st.integers(1, 3), st.one_of(st.none(), st.floats(0, 10_000)), st.floats(0, 1, exclude_max=True))
def test_chance_lengthens_a_wait_by_a_fifth_at_most_and_never_shortens_it(
    attempt: int, retry_after: float | None, chance: float
) -> None:
    least = decide(EXACT, Family.LATER, attempt, retry_after)
    got = decide(SP_8, Family.LATER, attempt, retry_after, chance)
    assert isinstance(least, Again)
    assert isinstance(got, Again)
    assert least.after_seconds <= got.after_seconds <= least.after_seconds + attempt * 1.5 * 0.2
