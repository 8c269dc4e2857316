"""The table of slower files names files that are there: a renamed one would slip into the fast tests unseen."""

from pathlib import Path

from suites import WHOLE_SERVICES


def test_each_file_that_is_named_as_slower_is_there() -> None:
    tests = Path(__file__).parents[1]

    assert {name for name in WHOLE_SERVICES if not (tests / name).is_file()} == set()
