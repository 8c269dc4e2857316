"""Any interleaving of process, mark, void, recall, holds, answers and crashes leads only to allowed states. (FP-1, 5)

The source of this world is not idempotent on purpose: every effect of a send counts. Calls may end in any way at any
moment, effects may land up to the call's timeout later, the index may lag, the worker may die or lose its lease.

This cannot show that the SQL guards what the pure rules decide; the other tests of this folder do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fulfillment_push import answers, by_hand, recall
from fulfillment_push.facts import restate
from fulfillment_push.fr import Fr, KnownOrder, WaitsFor
from fulfillment_push.lifecycle import MOVES, MoveRefused
from fulfillment_push.receive import CONFLICT, queue, receive
from fulfillment_push.steps import Counterpart, Step, next_step
from waybill_common.retry import Family, Schedule
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.values import OrderState
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.features import Features
from waybill_platforms.model.requests import CancelAnswer, Submitted

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIMEOUT, HOLD = timedelta(seconds=20), timedelta(seconds=60)
SCHEDULE = Schedule()

ANSWERS = st.sampled_from(
    ["ok", "lost", "late", "late", "nothing", "refused", "later", "unauthorized", "down", "budget", "crash",
     "crash after"]
)  # fmt: skip
TIME = st.tuples(st.just("time"), st.sampled_from([1, 2, 5, 19, 21, 45, 61, 90, 300]))
SENDING = st.one_of(TIME, st.tuples(st.just("early"), st.none()), st.tuples(st.just("turn"), ANSWERS))
OPERATIONS = st.one_of(
    TIME,
    st.tuples(st.just("claim"), st.none()),
    st.tuples(st.just("turn"), ANSWERS),
    st.tuples(st.just("answer"), ANSWERS),
    st.tuples(st.just("order"), st.sampled_from(["change", "hold", "release"])),
    st.tuples(st.just("router"), st.sampled_from(["created", "confirm", "void", "again"])),
    st.tuples(st.just("recall"), st.sampled_from(["accepted", "refused", "pending", "error"])),
    st.tuples(st.just("person"), st.sampled_from(["process", "resend", "mark", "acknowledge", "given back", "kept"])),
)


@dataclass
class World:
    """One FR, one order, one source, one clock."""

    kit: Any
    lag: float
    auto: bool
    now: datetime = START
    version: int = 1
    router_sequence: int = 1
    lands: list[datetime] = field(default_factory=list)  # effects of sends, not taken back
    taken_back: int = 0
    job: tuple[Step, Any] | None = None
    fr: Fr = field(init=False)

    def __post_init__(self) -> None:
        self.source = self.kit.source_of()
        self.features = Features(
            acknowledges=True, cancels=True, find="indexed", index_lag=timedelta(seconds=self.lag), call_timeout=20.0
        )
        self.fr = Fr("f1", "o1", START, number="E-f1")
        body = self.kit.order_of().model_dump(mode="json")
        self.fr.order = KnownOrder("o1", 1, OrderState.IMPORTED, body)

    def do(self, operation: str, how: Any) -> None:
        self.fr.now = self.now
        getattr(self, f"on_{operation}")(how)
        if not self.held:
            queue(self.fr, {"east": self.source})

    @property
    def held(self) -> bool:
        return self.fr.lease_until is not None and self.fr.lease_until > self.now

    def on_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def on_early(self, _: None) -> None:
        """Something woke it before its time: the rule itself must say no."""
        self.fr.due_at = self.fr.due_at and min(self.fr.due_at, self.now)

    def on_router(self, how: str) -> None:
        if how == "again" and self.fr.last_fact is not None:
            restate(self.fr)
            self.fr.facts.pop()
        elif how == "created":
            fr = self.kit.fr_of(auto_process=self.auto)
            receive(self.fr, self.kit.created(fr))
        elif how in ("confirm", "void"):
            self.router_sequence += 1
            make = self.kit.confirmed if how == "confirm" else self.kit.void_requested
            extra = {"version": self.version} if how == "confirm" else {}
            receive(self.fr, make(sequence=self.router_sequence, **extra))

    def on_order(self, how: str) -> None:
        known = self.fr.order
        assert known is not None
        self.version += how == "change"
        state = OrderState.HELD if how == "hold" else OrderState.IMPORTED
        self.fr.order = KnownOrder("o1", self.version, state if how != "change" else known.state, known.body)

    def on_claim(self, _: None) -> None:
        if self.held or self.fr.due_at is None or self.fr.due_at > self.now:
            return
        self.fr.lease_token, self.fr.lease_until = uuid4(), self.now + HOLD
        step = next_step(self.fr, Counterpart(self.source, self.features))
        if step is None:
            self.fr.let_go()
        else:
            self.job = (step, self.fr.lease_token)

    def on_turn(self, how: str) -> None:
        self.on_claim(None)
        self.on_answer(how)

    def on_answer(self, how: str) -> None:
        if self.job is None:
            return
        (step, token), self.job = self.job, None
        ours = self.fr.lease_token == token and self.fr.lease_until is not None
        may_send = ours and self.fr.lease_until - self.now > TIMEOUT  # type: ignore[operator]
        if step is Step.SEND:
            self._send_ends(how if may_send else "crash", ours)
        elif ours and self.held and how != "crash":
            self._other_call_ends(step, how)

    def _send_ends(self, how: str, ours: bool) -> None:
        if how in ("ok", "lost", "crash after"):
            self.lands.append(self.now)
        if how == "late":
            self.lands.append(self.now + TIMEOUT)
        if how.startswith("crash") or not ours:
            return
        rule = Counterpart(self.source, self.features).rule
        if how == "ok":
            answers.found(self.fr, self._shown(), sent_now=True, bound_to=None)
        elif how == "budget":
            answers.take_back(self.fr, WaitsFor.BUDGET, "wait", 3.0)
        else:
            outcome = "unknown" if how in ("lost", "late", "nothing") else "none"
            family = {"refused": Family.REFUSED, "unauthorized": Family.UNAUTHORIZED}.get(how, Family.LATER)
            error = PlatformError("x", family=family, cause="server", outcome=outcome, action="submit")  # type: ignore[arg-type]
            answers.send_failed(self.fr, error, rule, SCHEDULE, down=how == "down", random=0.5)
        self.fr.let_go()

    def _other_call_ends(self, step: Step, how: str) -> None:
        if step is Step.RECALL:
            return
        if how in ("later", "unauthorized", "down"):
            error = PlatformError("x", family=Family.LATER, cause="server", outcome="none", action="find")
            answers.not_read(self.fr, error)
        elif any(moment + timedelta(seconds=self.lag) <= self.now for moment in self.lands):
            answers.found(self.fr, self._shown(), sent_now=False, bound_to=None)
        else:
            rule = Counterpart(self.source, self.features).rule
            answers.missing(self.fr, rule, TIMEOUT, SCHEDULE)
        self.fr.let_go()

    def on_recall(self, how: str) -> None:
        if self.job is None or self.job[0] is not Step.RECALL or not self.held:
            return
        self.job = None
        if how == "error":
            recall.failed(self.fr, self.kit.error())
        else:
            if how == "accepted":
                self.taken_back += len(self.lands)
                self.lands.clear()
            recall.answered(self.fr, CancelAnswer(how))  # type: ignore[arg-type]
        self.fr.let_go()

    def on_person(self, how: str) -> None:
        who = {"who": "kim", "why": "asked"}
        sources = {"east": self.source}
        if how == "resend" and self.lands:
            return  # a person looked at the source before saying that it is not there
        actions = {
            "process": lambda: by_hand.process(self.fr, sources, **who),
            "resend": lambda: by_hand.resend(self.fr, sources, **who),
            "mark": lambda: by_hand.mark(self.fr, FrState.PROCESSED, **who),
            "acknowledge": lambda: by_hand.mark(self.fr, FrState.ACKNOWLEDGED, **who),
            "given back": lambda: self._given_back(who),
            "kept": lambda: by_hand.recalled(self.fr, given_back=False, **who),
        }
        if self.held and how != "process":
            return
        try:
            actions[how]()
        except MoveRefused:
            event(f"refused: {how}")

    def _given_back(self, who: dict[str, str]) -> None:
        by_hand.recalled(self.fr, given_back=True, **who)
        self.lands.clear()

    def _shown(self) -> Submitted:
        shown = self.kit.submitted("E-f1")
        assert isinstance(shown, Submitted)
        return shown

    def check(self) -> None:
        fr = self.fr
        assert len(self.lands) <= 1, "sent twice"
        for before, after in zip(fr.moves, fr.moves[1:], strict=False):
            assert after.from_state == before.to_state
        for move in fr.moves:
            a_word = move.from_state is move.to_state and move.who == "kim"  # a person's, which moved nothing (FP-9)
            assert a_word or move.from_state is None or move.to_state in MOVES[move.from_state]
        told = [fact.sequence for fact in fr.facts]  # one told again keeps its number
        assert all(after - before in (0, 1) for before, after in zip([0, *told], told, strict=False))
        if fr.state is FrState.VOIDED:
            assert self.lands == [], "voided, and the source has it"
        if fr.state is FrState.FAILED and fr.reason is not None and fr.reason.code != CONFLICT:
            assert self.lands == [], "failed, and the source has it"
        if fr.state is FrState.PROCESSING and not self.held:
            assert fr.waiting is not None, "it waits for nothing"
        if fr.facts:
            last = fr.facts[-1]
            assert last.state == fr.state  # type: ignore[attr-defined]


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_interleaving_ends_in_allowed_states_with_at_most_one_request_at_the_source(kit: Any, data: Any) -> None:
    world = World(kit, lag=data.draw(st.sampled_from([0.0, 30.0])), auto=data.draw(st.booleans()))
    world.do("router", "created")
    for operation, how in data.draw(st.lists(OPERATIONS, max_size=40)):
        world.do(operation, how)
        world.check()
    event(f"ended {world.fr.state}")


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([0.0, 30.0]), st.lists(SENDING, min_size=4, max_size=30))
def test_no_order_of_late_lost_and_missing_answers_makes_two_requests(kit: Any, lag: float, steps: list[Any]) -> None:
    world = World(kit, lag=lag, auto=True)
    world.do("router", "created")
    for operation, how in steps:
        world.do(operation, how)
        world.check()


@pytest.mark.parametrize("lag", [0.0, 30.0])
def test_what_is_left_alone_settles(kit: Any, lag: float) -> None:
    world = World(kit, lag=lag, auto=True)
    start: list[tuple[str, Any]] = [("router", "created"), ("claim", None), ("answer", "nothing")]
    again: list[tuple[str, Any]] = [("time", 5), ("claim", None), ("answer", "ok")]
    for operation, how in start:
        world.do(operation, how)
    for _ in range(40):
        for operation, how in again:
            world.do(operation, how)
            world.check()
    assert world.fr.state is FrState.ACKNOWLEDGED
    assert len(world.lands) == 1
