"""Defects planted one at a time: the play of every way in finds each (IN-2, IN-6, IN-16).

A play that could not fail would prove nothing. Each defect is one that somebody could write; the play goes on, round
after round, until the newest version is not what is here. `test_ways_in.py` plays the same without a defect.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ingest_play import NUMBERS, WAYS, Step, play

from order_ingest import import_orders, store
from order_ingest.pull_channel import PullChannel
from order_ingest.store import Stored
from waybill_common.db import transaction

Plant = pytest.MonkeyPatch
ROUNDS = 60
"""Within so many rounds a planted defect must be found; most are in the first five."""


def the_cursor_is_committed_before_the_orders(plant: Plant) -> None:
    """And so stands behind orders that a death in between kept out."""

    async def commit(
        self: Any, turn: Any, sightings: Any, page: Any, cursor: Any, exchanges: Any, *, singly: bool
    ) -> Any:
        async with transaction(self._calls.pool) as conn:
            await self._end_or_go_on(conn, turn, page, cursor, import_orders.Counts())
        async with transaction(self._calls.pool) as conn:
            return await self._import(conn, sightings)

    plant.setattr(PullChannel, "_commit", commit)


def a_late_page_wins(plant: Plant) -> None:
    """Whatever comes last counts: the guard on the age of a version is gone."""

    async def second_looks(conn: Any, batch: Any, sightings: Any) -> Any:
        held = await store.locked(conn, sightings)
        return await import_orders.apply_looks(conn, batch, [(held[s.key], s) for s in sightings if s.key in held])

    plant.setattr(import_orders, "_is_news", lambda sighting, known: sighting.digest != known[2])
    plant.setattr(import_orders, "_second_looks", second_looks)


def who_was_second_tells_of_the_order_too(plant: Plant) -> None:
    """The database refuses the second row; that the facts about it are not told either is forgotten."""
    insert = store.insert_new

    async def insert_new(conn: Any, new: Sequence[Stored]) -> Any:
        await insert(conn, new)
        return {row.copy.order_id for row in new}

    plant.setattr(store, "insert_new", insert_new)


@pytest.mark.parametrize(
    ("defect", "orders"),
    [
        (the_cursor_is_committed_before_the_orders, 5),
        (a_late_page_wins, 5),
        (who_was_second_tells_of_the_order_too, 1),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
async def test_the_play_finds(defect: Callable[[Plant], None], orders: int, house: Any, monkeypatch: Plant) -> None:
    """`orders`: where few are told of, they meet more often."""
    defect(monkeypatch)
    for seed in range(ROUNDS):
        try:
            await play(house, *_round(random.Random(seed), NUMBERS[:orders]), seed)
        except AssertionError:
            return
    raise AssertionError(f"{ROUNDS} rounds did not find it: {defect.__doc__}")


def _round(chance: random.Random, numbers: Sequence[str]) -> tuple[list[Step], list[int | None]]:
    taken = [(chance.choice(WAYS), chance.choice(numbers), chance.randrange(9)) for _ in range(24)]
    return taken, [chance.choice((None, *range(40))) for _ in range(12)]
