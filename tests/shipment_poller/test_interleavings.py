"""Whatever happens in whatever order, the channel ends up showing exactly what the sources say, each once.

Cannot show an effect that lands after it was believed missing: no platform without idempotency keys is safe from that;
the waits of DESIGN section 5 are what keeps it from happening.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from poller_harness import (
    AT,
    Died,
    Stage,
    channel_of,
    fr_of,
    later,
    line_of,
    order_of,
    refused,
    submitted,
    unauthorized,
)

from shipment_poller.decide_conflict import decide_conflict
from shipment_poller.take_words import take_words
from shipment_poller.translate import said_by
from waybill_common.ids import stable_id
from waybill_common.logs import make_log
from waybill_common.refusals import Refused
from waybill_contracts.fulfillment_submitted import FrState, FrVoided
from waybill_contracts.orders_imported import OrderChanged
from waybill_contracts.shipment_synced import Choice
from waybill_contracts.values import ByHand, RequestLine
from waybill_platforms.model.shipments import SourceShipment

_serial = count(1)
LOG = make_log("test", "CRITICAL")
ANN = ByHand(actor="ann", reason="test")

FAULTS = {
    "read": [later, lambda: later(retry_after=3), unauthorized],
    "create": [
        later, refused, unauthorized, lambda: "lost", lambda: "late", lambda: "died before", lambda: "died after",
    ],
    "cancel": [later, lambda: later("unknown"), lambda: "died after"],
    "update": [later],
}  # fmt: skip

MIX = {
    "ship": 7, "look": 5, "try": 5, "fault": 5, "take_back": 2, "renumber": 2, "crash": 1, "again": 1, "resync": 1,
    "post": 3, "post_old": 1, "move": 1, "over": 1, "decide": 3,
}  # fmt: skip
RECIPES = [{"A": 1}, {"A": 1}, {"A": 2}, {"A": 1, "B": 2}]


def written(seed: int) -> tuple[list[tuple[int, dict[str, int]]], list[tuple[Any, ...]]]:
    """A shape of order and a script of up to 40 actions. A seed instead of strategies: those hardly ever get far."""
    chance = Random(seed)
    shape = [(chance.randint(1, 3), chance.choice(RECIPES)) for _ in range(chance.randint(1, 2))]
    script = []
    for name in chance.choices(list(MIX), MIX.values(), k=chance.randint(4, 40)):
        slot = chance.randint(0, 5)
        match name:
            case "ship":
                wish = [chance.randint(0, 3) for _ in range(4)]
                script.append((name, slot, wish, chance.choice([None, None, chance.randint(0, 5)])))
            case "decide":
                script.append((name, slot, chance.choice(list(Choice))))
            case "take_back" | "renumber":
                script.append((name, slot))
            case "post" | "post_old":
                script.append((name, slot))
            case "move":
                script.append((name, chance.choice(["main", "north", "south"])))
            case "crash":
                script.append((name, chance.choice(["announce", "outcome"])))
            case "fault":
                operation = chance.choices(list(FAULTS), [2, 5, 2, 1])[0]
                script.append((name, operation, chance.randrange(len(FAULTS[operation]))))
            case _:
                script.append((name,))
    return shape, script


class World:
    """One order, its FR split over two requests, and what the source really did."""

    def __init__(self, stage: Stage, shape: list[tuple[int, dict[str, int]]]) -> None:
        self.stage = stage
        self.id = f"o{next(_serial)}"
        lines = [line_of(f"l{n}", pieces, made_of) for n, (pieces, made_of) in enumerate(shape)]
        self.order = order_of(self.id, lines)
        self.frs = [fr for name, share in (("a", 0), ("b", 1)) if (fr := self._fr(name, share)) is not None]
        self.asked: dict[tuple[str, str], int] = {}
        for fr in self.frs:
            for ref, line in self._refs(fr).items():
                self.asked[fr.number, ref] = line.quantity
        self.alive: dict[str, tuple[str, dict[str, int], str]] = {}
        self.words: dict[str, list[SourceShipment]] = {}
        """All that was ever said about a shipment, the oldest first."""
        self.over: FrVoided | None = None
        self.decided: set[str] = set()
        self.aside: set[str] = set()
        """Parcels of an FR that was over, of which a person decided that they do not count"""
        self.of_shipment: dict[str, set[str]] = {}
        """All tracking numbers that a shipment ever had"""
        self.late: set[str] = set()
        """First shipped when its FR was over already"""
        self.both: list[tuple[str, list[str]]] = []
        """Moments at which the channel showed an old and a new one of the same shipment"""
        self.numbers = count(1)
        stage.shop.on_made = self.look_at_shop
        stage.shop.wanted[self.order.channel_order_id] = {line.line_id: line.wanted for line in lines}

    def _fr(self, name: str, share: int) -> Any:
        asked = []
        for line in self.order.lines:
            for part in line.components:
                units = line.wanted * part.quantity
                mine = units // 2 if share else units - units // 2
                if mine:
                    asked.append(
                        RequestLine(
                            line_id=line.line_id, sku=part.sku, source_sku="E", quantity=mine, per_piece=part.quantity
                        )
                    )
        return fr_of(self.order, f"{self.id}{name}", asked) if asked else None

    @staticmethod
    def _refs(fr: Any) -> dict[str, RequestLine]:
        from shipment_poller.line_refs import references

        return references(fr.lines)

    def events(self) -> list[Any]:
        return [submitted(self.order, fr) for fr in self.frs]

    def void(self) -> FrVoided:
        """The second FR (or the only one) is over; what its source ships from now on is in conflict."""
        fr = self.frs[-1]
        self.over = FrVoided(
            at=AT, sequence=9, fr_id=fr.fr_id, order_id=self.id, source="east", number=fr.number, state=FrState.VOIDED,
            order_version=1, router_sequence=2,
        )  # fmt: skip
        return self.over

    async def decide(self, slot: int, choice: Choice) -> None:
        """A person does, where there is something to decide."""
        name = f"{self.id}-s{slot}"
        shipment = str(stable_id("shipment", "east", name))
        with contextlib.suppress(Refused):
            await decide_conflict(self.stage.pool, self.stage.tools, shipment, choice, ANN)
            self.decided.add(name)
            (self.aside.add if choice is Choice.SHIP_REPLACEMENT else self.aside.discard)(name)

    async def in_conflict(self) -> list[str]:
        """The sources' ids of what nobody has decided yet."""
        return await self.stage.column(
            "select source_shipment_id from shipments where order_id = $1 and state = 'conflict' and decided is null",
            self.id,
        )

    @property
    def counting(self) -> dict[str, tuple[str, dict[str, int], str]]:
        """What is alive and not set aside."""
        return {name: one for name, one in self.alive.items() if name not in self.aside}

    def look_at_shop(self, order_id: str) -> None:
        """A correction withdraws before it creates: never both (SP-5)."""
        if order_id != self.order.channel_order_id:
            return
        standing = {n for one in self.stage.shop.standing(order_id) for n in one.tracking_numbers}
        for name, numbers in self.of_shipment.items():
            shared = set().union(*(more for other, more in self.of_shipment.items() if other != name))
            if len(seen := sorted((standing & numbers) - shared)) > 1:
                self.both.append((name, seen))

    def ship(self, slot: int, wish: list[int], beside: int | None = None) -> None:
        """`beside`: the slot whose label this goes under as well, where it has one."""
        fr = self.frs[slot % len(self.frs)]
        name = f"{self.id}-s{slot}"
        lines = {}
        for wanted, ref in zip(wish, self._refs(fr), strict=False):
            used = sum(s[1].get(ref, 0) for key, s in self.alive.items() if s[0] == fr.number and key != name)
            lines[ref] = min(wanted, self.asked[fr.number, ref] - used)
        lines = {ref: n for ref, n in lines.items() if n > 0}
        if lines:
            together = self.alive.get(f"{self.id}-s{beside}")
            number = together[2] if together else f"1Z{self.id}-{next(self.numbers)}"
            if self.over is not None and self.over.fr_id == fr.fr_id and name not in self.words:
                self.late.add(name)
            self._alive(name, fr.number, lines, number)

    def _alive(self, name: str, reference: str, lines: dict[str, int], number: str) -> None:
        self.alive[name] = (reference, lines, number)
        self.of_shipment.setdefault(name, set()).add(number)
        self._said(name, self.stage.supplier.ship(name, reference, lines, [number]))

    def take_back(self, slot: int) -> None:
        name = f"{self.id}-s{slot}"
        if self.alive.pop(name, None):
            self.stage.supplier.take_back(name)
            self._said(name, self.stage.supplier.shipments[name])

    def _said(self, name: str, word: SourceShipment) -> None:
        self.words.setdefault(name, []).append(word)

    def posts(self, slot: int, *, old: bool) -> list[SourceShipment]:
        """What the source's system posts about a slot: its newest word, or an older one that was under way long."""
        said = self.words.get(f"{self.id}-s{slot}", [])
        return said[:1] if old else said[-1:]

    def renumber(self, slot: int) -> None:
        name = f"{self.id}-s{slot}"
        if name in self.alive:
            reference, lines, _ = self.alive[name]
            self._alive(name, reference, lines, f"1Z{self.id}-{next(self.numbers)}")

    def expected_pieces(self) -> dict[str, int]:
        units: Counter[tuple[str, str]] = Counter()
        for reference, lines, _ in self.counting.values():
            fr = next(fr for fr in self.frs if fr.number == reference)
            for ref, n in lines.items():
                line = self._refs(fr)[ref]
                units[line.line_id, line.sku] += n
        pieces = {
            line.line_id: min(units[line.line_id, part.sku] // part.quantity for part in line.components)
            for line in self.order.lines
        }
        return {line: n for line, n in pieces.items() if n}


async def _beside(_: Any) -> None:
    """Nothing joins."""


async def _push_once(stage: Stage) -> Stage:
    stage.shop.land()
    await stage.pool.execute("update syncs set due_at = now() where due_at is not null")
    await stage.pool.execute("update push_turns set due_at = now() where due_at is not null")
    await stage.pool.execute("update connection_health set probe_at = now()")
    with contextlib.suppress(BaseException):
        await stage.push.crew.turn()
        await stage.push.crew.drain()
    fresh = stage.restarted()
    await stage.pool.execute("update push_turns set lease_until = now() - interval '1 second'")
    return fresh


def _die(stage: Stage, where: str) -> None:
    async def died(_: Any) -> None:
        raise Died

    group = stage.push.announcements if where == "announce" else stage.push.outcomes
    group.store = died  # type: ignore[method-assign]


async def _play(stage: Stage, world: World, script: list[tuple[Any, ...]]) -> Stage:
    for action, *given_ in script:
        match action:
            case "ship":
                world.ship(*given_)
            case "take_back":
                world.take_back(*given_)
            case "renumber":
                world.renumber(*given_)
            case "look":
                await stage.look()
            case "try":
                stage = world.stage = await _push_once(stage)
            case "post" | "post_old":
                words = {one.id: said_by(one) for one in world.posts(*given_, old=action == "post_old")}
                await take_words(stage.pool, stage.tools, LOG, "east", words, [], _beside)
            case "move":
                stage.shop.where = dict.fromkeys((line.line_id for line in world.order.lines), *given_)
            case "again":
                await stage.take(*world.events())
            case "over":
                await stage.take(world.void())
            case "decide":
                await world.decide(*given_)
            case "resync":
                await stage.resync()
            case "crash":
                _die(stage, *given_)
            case "fault":
                operation, which = given_
                stage.shop.faults.append((operation, FAULTS[operation][which]()))
    return stage


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 2**32))
async def test_the_channel_ends_up_showing_exactly_what_the_sources_say(stage: Stage, seed: int) -> None:
    shape, script = written(seed)
    stage.shop.features = replace(stage.shop.features, updates_tracking=seed % 2 == 0)
    world = World(stage, shape)
    events = world.events()
    stage.shop.faults.clear()
    stage.shop.calls.clear()
    stage.shop.where.clear()
    await stage.take(events[0])  # the other FR becomes known later: its shipments are early until then
    stage = await _play(stage.restarted(), _over(world, stage), script)
    rounds = 2 * len(stage.shop.faults)
    await stage.look()
    while stage.shop.faults and rounds:  # each scripted fault bites while something is still to be done
        stage, rounds = await _push_once(stage), rounds - 1
        await stage.take(channel_of(next(_serial) + 10, credential_version=next(_serial) + 10))
    stage.shop.faults.clear()
    stage.shop.land()
    stage = stage.restarted()
    await stage.pool.execute("update push_turns set lease_until = now() - interval '1 second'")
    over = [world.over] if world.over else []
    await stage.take(*events, *over, channel_of(next(_serial) + 10, credential_version=next(_serial) + 10))
    await stage.look()
    await stage.settle()
    await stage.resync()  # what a person had to look at
    await stage.settle()

    shop_id = world.order.channel_order_id
    undecided = set(await world.in_conflict())
    assert world.late & world.alive.keys() <= undecided | world.decided, "nobody was asked about what left after all"
    counting = {number for name, (_, _, number) in world.counting.items() if name not in undecided}
    assert {n for one in stage.shop.standing(shop_id) for n in one.tracking_numbers} <= counting
    for name in await world.in_conflict():
        await world.decide(int(name.rpartition("s")[2]), Choice.KEEP_STOPPED)
    await stage.settle()
    assert not await world.in_conflict()
    assert stage.shop.shown(shop_id) == world.expected_pieces()
    standing: dict[str, Counter[str]] = {}
    for record in stage.shop.standing(shop_id):
        [number] = record.tracking_numbers
        standing.setdefault(number, Counter()).update(dict(record.lines))
    assert standing.keys() <= {number for _, _, number in world.counting.values()}
    assert not world.both
    if all(line.components[0].quantity == 1 and len(line.components) == 1 for line in world.order.lines):
        owed: dict[str, Counter[str]] = {}
        for _, lines, number in world.counting.values():
            owed.setdefault(number, Counter()).update(lines)
        assert standing == owed
    assert "failed" not in await stage.column("select sync from orders where order_id = $1", world.id)


def _over(world: World, stage: Stage) -> World:
    world.stage = stage
    return world


@pytest.mark.parametrize("seed", range(3))
async def test_reviewing_again_changes_nothing(stage: Stage, seed: int) -> None:
    world = World(stage, [(2, {"A": 1}), (1 + seed % 2, {"A": 1, "B": 2})])
    await stage.take(*world.events())
    world.ship(0, [1, 1, 1, 1])
    world.ship(1, [1, 1, 1, 1])
    await stage.look()
    await stage.settle()
    await stage.told()
    order = world.order.model_copy(update={"sequence": 2})
    await stage.take(OrderChanged(at=AT, sequence=2, order=order, changed=()))
    await stage.look()
    await stage.settle()
    assert await stage.told() == []
