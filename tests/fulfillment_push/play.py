"""A play of router and fulfillment-push together: dice choose what happens next, and books say what must hold.

What is told travels late and twice, sends end in any way, people act, sources acknowledge, cancel and ship parts. After
each step the books that hold at every moment are looked at (`always`); when everything is delivered and time has
passed, those in which router, push and sources must agree unit by unit (`agree`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from tests.router.conftest import World, make_order, make_source

from fulfillment_push import by_hand
from fulfillment_push.lifecycle import MOVES
from router import take_back
from router.take_back import Desk, NotPossible
from waybill_common.db import transaction
from waybill_common.retry import Family
from waybill_contracts.envelope import Received, decode
from waybill_contracts.event import Event
from waybill_contracts.fr_created import FrFact
from waybill_contracts.fulfillment_submitted import FrProgress, FrState, Reason
from waybill_contracts.orders_imported import OrderCanceled, OrderChanged, OrderHeld, OrderImported, OrderReleased
from waybill_contracts.shipment_synced import (
    Choice,
    Decided,
    ShipmentConflicted,
    ShipmentFact,
    ShipmentRecorded,
    ShipmentWithdrawn,
)
from waybill_contracts.values import (
    ByHand,
    FulfillmentStatus,
    Order,
    OrderState,
    Shipment,
    ShipmentLine,
    SyncStatus,
)
from waybill_platforms.model.requests import CancelAnswer

COUNTED = 1000
STEPS = 55
"""Of one round."""
ORDERS = 4
"""Of one round: few, so that much happens to each."""
NOT_GIVEN_BACK = ("recall_refused", "closed")
AFTER_ALL = Reason(code="replacement_unsent", message="its source shipped it although it was over")


@dataclass
class Play:
    """The two services, what travels between them, and dice."""

    router: World
    push: Any
    kit: Any
    dice: Random
    orders: dict[str, Order] = field(default_factory=dict)
    ordered: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (order, line): the most it ever was
    heard: dict[str, int] = field(default_factory=lambda: {"router": 0, "push": 0})
    shipped: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (FR, line)
    made: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (source, number), as of the last send
    parcels: dict[str, ShipmentFact] = field(default_factory=dict)
    """What left although its FR was over: by shipment, the newest word"""
    after_all: Counter[tuple[str, str]] = field(default_factory=Counter)  # their units, by (order, line)
    serial: int = 0
    ours: list[str] = field(default_factory=list)
    """Orders of this round."""

    @classmethod
    async def begin(cls, router: World, push: Any, kit: Any, seed: int) -> Play:
        """Two sources, each cheaper for one of two SKUs; in two plays of three a person launches what goes to west."""
        settings = {"platform": "http", "url": "http://source.example", "send_every": "0s"}
        sources = [make_source("east", **settings), make_source("west", **settings, auto_process=seed % 3 == 0)]
        await push.configure(*sources, version=2)
        await router.configure(sources)
        for source in sources:
            for sku in ("A", "B"):
                near = (source.id, sku) in (("east", "A"), ("west", "B"))
                await router.count(source.id, sku, COUNTED, cost="3.00" if near else "5.00")
        return cls(router, push, kit, Random(seed))

    async def round(self, steps: int) -> None:
        """Some dozen steps, then everything comes to rest, and the books must agree."""
        likely: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self.place, 1), (self.change, 2), (self.to_push, 3), (self.to_router, 2), (self.send, 3), (self.stir, 4),
            (self.time, 1), (self.person, 2), (self.source, 6), (self.parcel, 3),
        ]  # fmt: skip
        todo = [step for step, weight in likely for _ in range(weight)]
        self.ours = []
        await self.place()
        for _ in range(steps):
            await self.dice.choice(todo)()
            await self.always()
        await self.settle()
        await self.always()
        await self.agree()

    # -- what travels

    async def facts(self, whose: str) -> list[Received]:
        """What one has told since the last look, in its order."""
        pool = self.router.pool if whose == "router" else self.push.pool
        found = await pool.fetch("select * from facts where position > $1 order by position", self.heard[whose])
        self.heard[whose] = max([self.heard[whose], *(row["position"] for row in found)])
        told = [decode(row["topic"], row["key"].encode(), row["headers"], row["value"]) for row in found]
        wanted = FrFact if whose == "router" else FrProgress
        return [received for received in told if received is not None and isinstance(received.event, wanted)]

    async def to_push(self) -> None:
        await self.router.play()
        events = [received.event for received in await self.facts("router")]
        await self.once_or_twice(self.push.deliver, events)

    async def to_router(self) -> None:
        events = [received.event for received in await self.facts("push")]
        await self.once_or_twice(self.router.tell, events)

    async def once_or_twice(self, deliver: Any, events: list[Event]) -> None:
        for part in (events, events if self.dice.random() < 0.5 else []):
            if part:
                await deliver(*part)

    async def both(self, *events: Event) -> None:
        """To both services, in either order."""
        first, second = self.router.tell, self.push.deliver
        if self.dice.random() < 0.5:
            first, second = second, first
        await self.once_or_twice(first, list(events))
        await self.once_or_twice(second, list(events))

    # -- steps

    async def place(self) -> None:
        if len(self.ours) == ORDERS:
            return
        self.serial += 1
        lines = [(sku, self.dice.randint(3, 7)) for sku in self.dice.sample(["A", "B"], self.dice.randint(1, 2))]
        order = make_order(*lines, number=str(1000 + self.serial))
        self.ours.append(order.order_id)
        self.know(order)
        await self.both(OrderImported(at=order.placed_at, sequence=1, order=order, via="pull"))

    def know(self, order: Order) -> None:
        self.orders[order.order_id] = order
        for line in order.lines:
            key = (order.order_id, line.line_id)
            self.ordered[key] = max(self.ordered[key], line.quantity)

    async def change(self) -> None:
        order = self.orders[self.dice.choice(self.ours)]
        if order.state is OrderState.CANCELED:
            return
        how = self.dice.choice([*["quantity"] * 4, "hold", "release", "release", "cancel"])
        newer: dict[str, Any] = {"sequence": order.sequence + 1}
        kind: Any = OrderChanged
        extra: dict[str, Any] = {"changed": ("lines",)}
        if how == "quantity":
            at = self.dice.randrange(len(order.lines))
            lines = list(order.lines)
            lines[at] = lines[at].model_copy(update={"quantity": self.dice.randint(1, 6)})
            newer |= {"lines": tuple(lines), "version": order.version + 1}
        elif how == "hold":
            kind, extra, newer["state"] = OrderHeld, {"added": ()}, OrderState.HELD
        elif how == "release":
            kind, extra, newer["state"] = OrderReleased, {"removed": ()}, OrderState.IMPORTED
        else:
            kind, extra, newer["state"] = OrderCanceled, {"reason": "buyer"}, OrderState.CANCELED
            newer["version"] = order.version + 1
        changed = order.model_copy(update=newer)
        self.know(changed)
        await self.both(kind(at=order.placed_at, sequence=changed.sequence, order=changed, **extra))

    async def send(self) -> None:
        """Every source has a mind of its own about sends and recalls."""
        kit = self.kit
        faults = {
            "fine": None,
            "lost": kit.lost_answer,
            "later": kit.failing(),
            "refused": kit.failing(Family.REFUSED, cause="refused", code="out_of_stock"),
            "nothing": kit.failing(outcome="unknown", cause="connection"),
            "a part": accepts_a_part,
        }
        recalls = [CancelAnswer("accepted"), CancelAnswer("refused"), CancelAnswer("pending"), kit.error()]
        for name in sorted(self.push.sources):
            source = self.push.sources[name]
            fault = faults[self.dice.choice(list(faults))]
            source.script = [fault] * 2 if fault else []
            source.finds = [kit.failing()] if self.dice.random() < 0.5 else []
            source.cancels = [self.dice.choice(recalls)] * 2
            source.acknowledge = self.dice.random() < 0.5
        await self.push.send()
        for source in self.push.sources.values():
            source.script, source.finds, source.cancels = [], [], []
        await self.only_what_may_go_was_sent()

    async def time(self) -> None:
        await self.push.pass_time(self.dice.choice([3, 30, 100]))

    async def stir(self) -> None:
        """The same, with all that waits for its time."""
        await self.push.make_due()
        await self.send()

    async def look(self) -> None:
        """Everything is looked at, and sources behave."""
        await self.push.make_due()
        await self.push.send()
        await self.only_what_may_go_was_sent()

    async def person(self) -> None:
        row = await self.some_fr("known")
        if row is None:
            return
        name = self.dice.choice(["process", "mark", "acknowledge", "resend", "void", "regenerate"])
        if name in ("void", "regenerate"):
            await self.takes_back(row["fr_id"], getattr(take_back, name))
            return
        settings = self.push.book.settings
        who = {"who": "kim", "why": "asked"}
        acts = {
            "process": lambda fr: by_hand.process(fr, settings, **who),
            "mark": lambda fr: by_hand.mark(fr, FrState.PROCESSED, **who),
            "acknowledge": lambda fr: by_hand.mark(fr, FrState.ACKNOWLEDGED, **who),
            "resend": lambda fr: by_hand.resend(fr, settings, **who),
        }
        at_source = row["number"] in self.push.sources[row["source"]].requests
        if name in ("mark", "acknowledge") and not at_source:
            return  # a person says what is so
        if name == "resend" and at_source:
            return
        await self.push.act([row["fr_id"]], acts[name])

    async def takes_back(self, fr_id: str, action: Any) -> None:
        desk = Desk(self.router.q, self.router.books, self.router.alerts)
        with suppress(NotPossible):
            async with transaction(self.router.pool) as conn:
                await action(conn, desk, fr_id, ByHand(actor="kim", reason="asked"))

    async def source(self) -> None:
        """A source does something with a request that it has."""
        row = await self.some_fr("known and state in ('PROCESSED', 'ACKNOWLEDGED')")
        if row is None:
            return
        fr_id, theirs = row["fr_id"], self.push.sources[row["source"]].requests
        known = theirs.get(row["number"])
        if known is None or known.canceled:
            return
        left = {ref: units - self.shipped[(fr_id, ref)] for ref, _, units in known.lines}
        for ref, units in known.canceled_lines:
            left[ref] -= units
        ref = self.dice.choice(list(left))
        how = self.dice.choice(["acknowledge", *["cancel a part"] * 4, "cancel", *["ship"] * 3])
        if how == "acknowledge":
            theirs[row["number"]] = replace(known, acknowledged=True)
        elif how == "cancel a part" and left[ref] > 0:
            gone = Counter(dict(known.canceled_lines))
            gone[ref] += 1
            theirs[row["number"]] = replace(known, canceled_lines=tuple(gone.items()))
            if self.dice.random() < 0.5:
                await self.look()  # seen at once, so that the next part is told as a difference
        elif how == "cancel" and not any(self.shipped[(fr_id, ref)] for ref in left):
            theirs[row["number"]] = replace(known, canceled=True)
        elif how == "ship" and left[ref] > 0:
            await self.ship(row, ref)

    async def ship(self, row: Any, ref: str) -> None:
        self.shipped[(row["fr_id"], ref)] += 1
        await self.both(self.left(row, ref, ShipmentRecorded))

    def left(self, row: Any, ref: str, kind: Any, **more: Any) -> ShipmentFact:
        """One unit of a line of an FR left its source."""
        line = next(line for line in row["body"]["lines"] if line["line_id"] == ref)
        self.serial += 1
        left = self.router.moment + timedelta(seconds=self.serial)  # after the shelves were counted
        shipment = Shipment(
            shipment_id=f"s{self.serial}", order_id=row["order_id"], fr_id=row["fr_id"], source=row["source"],
            source_shipment_id=f"S{self.serial}", lines=(ShipmentLine(line_id=ref, sku=line["sku"], quantity=1),),
            carrier="ups", shipped_at=left,
        )  # fmt: skip
        told: ShipmentFact = kind(
            at=left, sequence=1, shipment=shipment, fulfillment=FulfillmentStatus.PARTIAL,
            sync=SyncStatus.PENDING, **more,
        )  # fmt: skip
        return told

    async def parcel(self) -> None:
        """A source ships what was over or takes that back, a person decides about it, old news come again."""
        if self.parcels and self.dice.random() < 0.5:
            await self.parcel_goes_on(self.dice.choice(sorted(self.parcels)))
            return
        # not of one that its source canceled: those units were written off already (docs/mechanisms/reserving-stock.md)
        given_back = "known and state = 'VOIDED' and recall = 'accepted'"
        if await self.some_fr(given_back) is None:
            await self.give_back()
        row = await self.some_fr(given_back)
        if row is None:
            return
        ref = self.dice.choice(sorted({line["line_id"] for line in row["body"]["lines"]}))
        asked = sum(line["quantity"] for line in row["body"]["lines"] if line["line_id"] == ref)
        if self.shipped[(row["fr_id"], ref)] >= asked:
            return
        told = self.left(row, ref, ShipmentConflicted, reason=AFTER_ALL)
        self.parcels[told.shipment.shipment_id] = told
        self.after_all[(told.shipment.order_id, ref)] += 1
        self.shipped[(row["fr_id"], ref)] += 1
        await self.both(told)

    async def give_back(self) -> None:
        """A person takes a sent FR back, and its source agrees: from now on it may ship it all the same."""
        await self.to_push()
        await self.look()
        await self.to_router()
        row = await self.some_fr("known and state in ('PROCESSED', 'ACKNOWLEDGED') and recall = 'none'")
        if row is None:
            return
        await self.takes_back(row["fr_id"], self.dice.choice([take_back.void, *[take_back.regenerate] * 3]))
        await self.to_push()
        for source in self.push.sources.values():
            source.cancels = [CancelAnswer("accepted")] * 3
        await self.look()
        for source in self.push.sources.values():
            source.cancels = []
        await self.to_router()

    async def parcel_goes_on(self, shipment_id: str) -> None:
        old = self.parcels[shipment_id]
        how = self.dice.choice(["keep", "ship", "withdraw", "again"])
        if how == "again":
            first = old.model_copy(update={"sequence": 1})
            await self.both(first)
            return
        kind: Any = {"keep": ShipmentRecorded, "ship": ShipmentConflicted, "withdraw": ShipmentWithdrawn}[how]
        choice = {"keep": Choice.KEEP_STOPPED, "ship": Choice.SHIP_REPLACEMENT}.get(how)
        fields = {name: getattr(old, name) for name in ("at", "shipment", "fulfillment", "sync")}
        extra: dict[str, Any] = {} if how == "keep" else {"reason": AFTER_ALL}
        if choice is not None:
            extra["decided"] = Decided(choice=choice, by=ByHand(actor="kim", reason="asked"))
        told = kind(**fields, **extra, sequence=old.sequence + 1)
        line = told.shipment.lines[0]
        if how == "withdraw":
            self.shipped[(told.shipment.fr_id, line.line_id)] -= 1
            self.after_all[(told.shipment.order_id, line.line_id)] -= 1
            del self.parcels[shipment_id]
        else:
            self.parcels[shipment_id] = told
        await self.both(told)

    def astray(self, order_id: str, line_id: str) -> int:
        """Units of parcels of which a person decided that they do not count."""
        decided = [told for told in self.parcels.values() if isinstance(told, ShipmentConflicted) and told.decided]
        return sum((t.shipment.order_id, t.shipment.lines[0].line_id) == (order_id, line_id) for t in decided)

    async def some_fr(self, which: str) -> Any:
        """By number, which is the same in each play of a seed; ids are not."""
        found = await self.push.pool.fetch(
            f"select * from frs where {which} and order_id = any($1::text[]) order by source, number", self.ours
        )
        return self.dice.choice(found) if found else None

    async def settle(self) -> None:
        """Everything is delivered, sources behave, time passes."""
        for _ in range(14):
            for step in (self.to_push, self.look, self.to_router):
                await step()
            await self.push.pass_time(200)

    # -- the books

    async def always(self) -> None:
        """What holds at every moment."""
        await self.router.is_conserved()
        await self.moved_as_allowed()
        await self.nothing_is_asked_for_twice()

    async def moved_as_allowed(self) -> None:
        rows = await self.push.pool.fetch("select * from fr_history order by id")
        last: dict[str, str] = {}
        for row in rows:
            was, to = row["from_state"], row["to_state"]
            assert last.get(row["fr_id"]) == was, dict(row)
            assert was is None or was == to or FrState(to) in MOVES[FrState(was)], dict(row)  # alike: a person's word
            last[row["fr_id"]] = to

    async def nothing_is_asked_for_twice(self) -> None:
        """No line has more in FRs and shipments than it ever had pieces (I2), but for what left after all."""
        found = await self.router.pool.fetch(
            "select f.order_id, a.line_id, sum(a.open + a.shipped)::int as asked from allocations a "
            "join frs f using (fr_id) group by 1, 2"
        )
        for row in found:
            key = (row["order_id"], row["line_id"])
            assert row["asked"] <= self.ordered[key] + self.after_all[key], dict(row)

    async def only_what_may_go_was_sent(self) -> None:
        """What a source got since the last look was confirmed for the newest version of an order that may go."""
        found = await self.push.pool.fetch(
            "select f.source, f.number, f.order_version, o.version, o.state from frs f join orders o using (order_id)"
        )
        for row in found:
            key = (row["source"], row["number"])
            now = self.push.sources[row["source"]].made[row["number"]]
            if now > self.made[key]:
                assert (row["order_version"], row["state"]) == (row["version"], "imported"), dict(row)
                self.made[key] = now

    async def agree(self) -> None:
        """Router, push and source say the same of every FR, unit by unit; every wanted unit is somewhere."""
        frs = {row["fr_id"]: row for row in await self.push.pool.fetch("select * from frs where known")}
        totals: Counter[tuple[str, str]] = Counter()
        for a in await self.router.pool.fetch("select * from allocations"):
            totals[(a["source"], a["sku"])] += self.of_one_fr(frs[a["fr_id"]], a)
        for fr in await self.router.pool.fetch("select * from frs where state = 'void_requested'"):
            self.stopped_or_asked_back(frs[fr["fr_id"]])
        for shelf in await self.router.pool.fetch("select * from stock"):
            gone = totals[(shelf["source"], shelf["sku"])]
            assert shelf["on_hand"] == COUNTED - gone, (dict(shelf), gone)
        for order in self.orders.values():
            if order.state is OrderState.IMPORTED:
                await self.of_one_order(order)

    @staticmethod
    def stopped_or_asked_back(row: Any) -> None:
        """One of the two: it was never sent and is over, or its source has it and was asked. Nothing in between."""
        sent = row["state"] in ("PROCESSED", "ACKNOWLEDGED")
        assert not sent or row["recall"] != "none", dict(row)
        assert sent or row["state"] not in ("UNPROCESSED", "PROCESSING") or row["outcome"] != "none", dict(row)

    def of_one_fr(self, row: Any, a: Any) -> int:
        """Returns the units that have left the shelf: shipped, or canceled by the source."""
        at_source = self.push.sources[row["source"]]
        shipped = self.shipped[(a["fr_id"], a["line_id"])]
        gone = {tuple(key): units for *key, units in row["canceled"]["total"]}
        canceled = gone.get((a["line_id"], a["sku"]), 0)
        about = (row["number"], row["state"], row["recall"], dict(a))
        theirs = at_source.requests.get(row["number"])
        assert at_source.made[row["number"]] <= 1, about
        assert a["shipped"] == shipped, about
        if row["state"] in ("VOIDED", "CANCELED"):
            assert a["open"] == 0, about
        else:
            assert a["open"] == a["asked"] - shipped - canceled, about
        if row["state"] == "VOIDED":
            assert theirs is None or theirs.canceled, about  # a parcel of it left all the same, if any did
        if row["state"] in ("PROCESSED", "ACKNOWLEDGED") and theirs is not None:
            assert dict(theirs.canceled_lines).get(a["line_id"], 0) == canceled, about
        return shipped + (a["asked"] - shipped if row["state"] == "CANCELED" else canceled)

    async def of_one_order(self, order: Order) -> None:
        """What is wanted is asked for or named; what is too much stands only where it was not given back."""
        row = await self.router.pool.fetchrow("select * from orders where order_id = $1", order.order_id)
        found = await self.router.pool.fetch(
            "select a.*, f.state from allocations a join frs f using (fr_id) where f.order_id = $1", order.order_id
        )
        for line in order.lines:
            here = [a for a in found if a["line_id"] == line.line_id]
            astray = self.astray(order.order_id, line.line_id)
            assert sum(a["astray"] for a in here) == astray, (order.number, line.line_id, [dict(a) for a in here])
            asked = sum(a["open"] + a["shipped"] for a in here) - astray
            about = (order.number, row["standing"], row["reason"], line.line_id, line.quantity, [dict(a) for a in here])
            assert asked >= line.quantity or (row["standing"] == "waiting" and row["reason"]), about
            if asked > line.quantity:
                assert not [a for a in here if a["open"] and a["state"] not in NOT_GIVEN_BACK], about


def accepts_a_part(source: Any, request: Any) -> Any:
    known = source.accept(request)
    ref, _, units = known.lines[0]
    all_of_it = units == 1 and len(known.lines) == 1
    source.requests[request.reference] = replace(known, canceled_lines=((ref, 1),), canceled=all_of_it)
    return source.requests[request.reference]
