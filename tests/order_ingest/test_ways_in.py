"""IN-2 to IN-6, IN-16: whatever way versions of an order come (pages of pulls, webhooks, events, files, by hand), in
any order, doubled, at once, and whatever process dies between which two statements: the newest one is what is here in
the end, imported once, and told in its order. `test_planted_defects.py` shows that the play can fail."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_play import NUMBERS, WAYS, Step, play

steps = st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from(NUMBERS), st.integers(0, 8)), min_size=1, max_size=24)
deaths = st.lists(st.none() | st.integers(0, 40), min_size=12, max_size=12)
"""At which statement each process dies, if it does; then another takes over."""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(taken=steps, dies=deaths, seed=st.integers(0, 2**16))
async def test_in16_any_interleaving_of_ways_in_duplicates_and_deaths_ends_in_the_newest_version(
    taken: list[Step], dies: list[int | None], seed: int, house: Any
) -> None:
    await play(house, taken, dies, seed)
