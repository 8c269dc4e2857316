"""IN-2: where a window begins and when the cursor moves (pure)."""

from datetime import timedelta

import pytest
from ingest_samples import START, order

from order_ingest.cursor import Cursor, advanced, next_window
from order_ingest.lifecycle import MOVES, MoveRefused, Standing, advance

NOW = START + timedelta(days=2)


@pytest.mark.parametrize(
    ("poll_every", "since_last_deep", "overlap", "deep"),
    [
        (timedelta(minutes=3), timedelta(seconds=1), timedelta(minutes=5), True),
        (timedelta(minutes=60), timedelta(seconds=1), timedelta(minutes=5), True),
        (timedelta(seconds=1), timedelta(seconds=30), timedelta(seconds=15), False),
        (timedelta(seconds=20), timedelta(seconds=30), timedelta(seconds=40), False),
        (timedelta(seconds=1), timedelta(minutes=6), timedelta(minutes=5), True),
        (timedelta(seconds=1), None, timedelta(minutes=5), True),
    ],
)
def test_in2_windows_overlap(
    poll_every: timedelta, since_last_deep: timedelta | None, overlap: timedelta, deep: bool
) -> None:
    deep_at = None if since_last_deep is None else NOW - since_last_deep
    window = next_window(Cursor(NOW, "x"), starts_at=START, poll_every=poll_every, deep_at=deep_at, now=NOW)
    assert (NOW - window.since, window.deep) == (overlap, deep)


def test_in2_the_first_window_begins_at_the_channels_start() -> None:
    window = next_window(None, starts_at=START, poll_every=timedelta(minutes=3), deep_at=None, now=NOW)
    assert window.since == START - timedelta(minutes=5)


def test_in2_the_cursor_breaks_ties_by_id_and_never_goes_back() -> None:
    page = (order("b"), order("a"), order("c"))
    after = advanced(None, page, NOW)
    assert after == Cursor(page[0].updated_at, "c")
    assert advanced(after, (order("z", minute=-5),), NOW) == after
    assert advanced(after, (), NOW) == after
    assert advanced(None, (), NOW) is None


def test_every_move_of_the_life_cycle_is_in_the_table_and_no_other() -> None:
    for current in Standing:
        for wanted in Standing:
            if wanted is current or wanted in MOVES[current]:
                assert advance(current, wanted) is wanted
            else:
                with pytest.raises(MoveRefused):
                    advance(current, wanted)
    assert all(Standing.EXCLUDED not in allowed for allowed in MOVES.values())  # once here, never excluded (IN-7)
