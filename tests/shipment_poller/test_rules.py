"""The pure rules as tables: merging, judging, completeness, lines, schedule, couriers, the plan at the channel."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from poller_harness import AT, fr_of, line_of, order_of

from shipment_poller import completeness, couriers, judgement, lifecycle, line_refs, merge, plan_sync, schedule
from shipment_poller.lifecycle import SHIPMENT, SYNC, MoveRefused, SyncState, advance
from shipment_poller.model import Bound, Intent, Said, SaidLine, SaidStatus, ShipmentState, Shown, Wanted, Watched
from waybill_contracts.configuration import NameMapping, PassingMapping
from waybill_contracts.fulfillment_submitted import FrState, Outcome
from waybill_contracts.values import FulfillmentStatus, OrderState, RequestLine, ShipmentLine, SyncStatus

NOW = AT


def said(quantities: dict[str, int] | None = None, seconds: int = 0, **given_: object) -> Said:
    lines = tuple(SaidLine(line_ref=ref, sku="E", quantity=n) for ref, n in (quantities or {"l1": 1}).items())
    values: dict[str, object] = {
        "id": "s1", "reference": "E-1", "status": SaidStatus.SHIPPED, "lines": lines, "carrier": "UPS",
        "tracking_numbers": ("1Z",), "shipped_at": AT, "updated_at": AT + timedelta(seconds=seconds),
    }  # fmt: skip
    return Said.model_validate(values | given_)


WORDS = [
    said(),
    said(seconds=1, tracking_numbers=("1Z2",)),
    said(seconds=2, carrier="DHL"),
    said(seconds=3, status=SaidStatus.CANCELED),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_sp_5_the_newest_word_counts_in_whatever_order_words_come(order: tuple[int, ...]) -> None:
    assert merge.fold(WORDS[place] for place in order)["s1"] == WORDS[3]


def test_the_same_content_touched_again_is_no_news() -> None:
    assert merge.newer(said(), said(seconds=9)) is None


def test_a_status_that_we_do_not_know_changes_nothing_that_we_do() -> None:
    assert merge.newer(said(), said(seconds=9, status=SaidStatus.UNKNOWN)) is None


ORDER = order_of(lines=[line_of("l1", 2, {"A": 1}), line_of("l2", 1, {"B": 1})])


def _verdict(word: Said, *, suppress: bool = False, state: FrState = FrState.PROCESSED) -> tuple[str, str]:
    watched = Watched("f1", "o1", "east", state, Outcome.KNOWN, fr_of(ORDER))
    rules = judgement.Rules(PassingMapping(), suppress)
    [found] = judgement.judge(watched, [judgement.Case(word)], rules)
    return found.state.value, found.reason.code if found.reason else ""


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        (said(), ("recorded", "")),
        (said({"l1": 2}), ("recorded", "")),
        (said({"l1": 3}), ("refused", "more_than_asked")),
        (said({"l9": 1}), ("refused", "line_unknown")),
        (said({"l1": 0}), ("refused", "nothing_shipped")),
        (said(tracking_numbers=()), ("waiting_for_label", "waiting_for_label")),
        (said({"l1": 2}, tracking_numbers=("A", "B")), ("refused", "too_many_tracking_numbers")),
        (said({"l1": 1, "l2": 1}, tracking_numbers=("A", "B")), ("recorded", "")),
        (said(tracking_numbers=("A", "A")), ("recorded", "")),
        (said(tracking_url="track.example"), ("refused", "tracking_url_invalid")),
        (said(status=SaidStatus.UNKNOWN), ("refused", "status_unknown")),
        (said(status=SaidStatus.CANCELED), ("withdrawn", "withdrawn_by_source")),
    ],
)
def test_sp_2_sp_3_the_rules_give_their_reason(word: Said, verdict: tuple[str, str]) -> None:
    assert _verdict(word) == verdict


def test_sp_3_two_boxes_of_one_product_are_two_shipments() -> None:
    watched = Watched("f1", "o1", "east", FrState.PROCESSED, Outcome.KNOWN, fr_of(ORDER))
    cases = [judgement.Case(said(id="a")), judgement.Case(said(id="b", tracking_numbers=("2",)))]
    found = judgement.judge(watched, cases, judgement.Rules(PassingMapping()))
    assert [one.state for one in found] == [ShipmentState.RECORDED] * 2


def test_sp_3_what_waits_for_its_label_counts_against_what_was_asked() -> None:
    watched = Watched("f1", "o1", "east", FrState.PROCESSED, Outcome.KNOWN, fr_of(order_of(lines=[line_of("l1", 1)])))
    one = (SaidLine(line_ref="l1", quantity=1),)
    cases = [judgement.Case(said(id=name, lines=one, tracking_numbers=())) for name in ("a", "b")]
    found = judgement.judge(watched, cases, judgement.Rules(PassingMapping()))
    assert [each.state for each in found] == [ShipmentState.WAITING_FOR_LABEL, ShipmentState.REFUSED]


@pytest.mark.parametrize("state", [FrState.VOIDED, FrState.CANCELED, FrState.FAILED])
def test_a_shipment_of_an_fr_that_has_ended_is_a_conflict_unless_it_was_taken_before(state: FrState) -> None:
    assert _verdict(said(), state=state)[0] == "conflict"
    watched = Watched("f1", "o1", "east", state, Outcome.KNOWN, fr_of(ORDER))
    case = judgement.Case(said(), ShipmentState.RECORDED)
    assert judgement.judge(watched, [case], judgement.Rules(PassingMapping()))[0].state is ShipmentState.RECORDED


@pytest.mark.parametrize(
    ("state", "outcome", "early"),
    [
        (FrState.UNPROCESSED, Outcome.NONE, True),
        (FrState.PROCESSING, Outcome.IN_FLIGHT, True),
        (FrState.PROCESSING, Outcome.UNKNOWN, False),
        (FrState.PROCESSED, Outcome.KNOWN, False),
        (FrState.ACKNOWLEDGED, Outcome.KNOWN, False),
        (FrState.VOIDED, Outcome.NONE, False),
    ],
)
def test_sp_1_only_what_is_with_the_source_takes_shipments(state: FrState, outcome: Outcome, early: bool) -> None:
    assert judgement.early(Watched("f1", "o1", "east", state, outcome, fr_of(ORDER))) is early


def test_kit_components_have_the_references_that_were_submitted() -> None:
    asked = [
        RequestLine(line_id="l1", sku="A", source_sku="E", quantity=1),
        RequestLine(line_id="l1", sku="B", source_sku="E", quantity=2),
    ]
    lines = [SaidLine(line_ref="l1#2", quantity=1), SaidLine(line_ref="l1#2", quantity=1)]
    assert line_refs.match(asked, lines) == (ShipmentLine(line_id="l1", sku="B", quantity=2),)
    with pytest.raises(line_refs.LineUnknown, match="None"):
        line_refs.match(asked, [SaidLine(line_ref=None, sku="X", quantity=1)])


def test_pieces_without_a_reference_are_dealt_to_the_lines_of_their_sku_each_once() -> None:
    asked = [RequestLine(line_id=ref, sku="A", source_sku="E", quantity=n) for ref, n in (("l1", 2), ("l2", 1))]
    asked.append(RequestLine(line_id="l3", sku="B", source_sku="F", quantity=1))
    watched = Watched("f1", "o1", "east", FrState.PROCESSED, Outcome.KNOWN, fr_of(ORDER, lines=tuple(asked)))

    def word(name: str, **pieces: int) -> judgement.Case:
        lines = tuple(SaidLine(line_ref=None, sku=sku, quantity=n) for sku, n in pieces.items())
        return judgement.Case(said(id=name, lines=lines))

    cases = [word("s1", E=1, F=1), word("s2", e=2), word("s3", E=1)]
    first, second, third = judgement.judge(watched, cases, judgement.Rules(PassingMapping()))
    assert [(line.line_id, line.quantity) for line in first.lines] == [("l1", 1), ("l3", 1)]
    assert [(line.line_id, line.quantity) for line in second.lines] == [("l1", 1), ("l2", 1)]
    assert (third.state, third.reason and third.reason.code) == (ShipmentState.REFUSED, "more_than_asked")


def _part(name: str, *lines: tuple[str, str, int]) -> completeness.Part:
    return completeness.Part(name, [ShipmentLine(line_id=i, sku=s, quantity=n) for i, s, n in lines])


KITS = {"l1": {"A": 1, "B": 2}, "l2": {"P": 6}}


@pytest.mark.parametrize(
    ("parts", "shares"),
    [
        ([_part("x", ("l1", "A", 2))], {"x": {}}),
        ([_part("x", ("l1", "A", 2)), _part("y", ("l1", "B", 3))], {"x": {}, "y": {"l1": 1}}),
        ([_part("x", ("l1", "A", 1), ("l1", "B", 2))], {"x": {"l1": 1}}),
        ([_part("x", ("l2", "P", 3)), _part("y", ("l2", "P", 9))], {"x": {}, "y": {"l2": 2}}),
    ],
)
def test_sp_4_channel_pieces_are_whole_kits(parts: list[completeness.Part], shares: dict[str, dict[str, int]]) -> None:
    assert completeness.allocate(parts, KITS) == shares


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.integers(1, 5)), max_size=8))
def test_sp_4_shares_add_up_to_what_is_whole_in_any_order(units: list[tuple[str, int]]) -> None:
    parts = [_part(str(n), ("l1", sku, count)) for n, (sku, count) in enumerate(units)]
    total = {sku: sum(n for s, n in units if s == sku) for sku in "AB"}
    shares = completeness.allocate(parts, KITS)
    assert sum(share.get("l1", 0) for share in shares.values()) == min(total["A"], total["B"] // 2)


@pytest.mark.parametrize(
    ("order", "shipped", "status"),
    [
        (order_of(lines=[line_of("l1", 2)]), {}, FulfillmentStatus.UNFULFILLED),
        (order_of(lines=[line_of("l1", 2)]), {"l1": 1}, FulfillmentStatus.PARTIAL),
        (order_of(lines=[line_of("l1", 2)]), {"l1": 2}, FulfillmentStatus.SHIPPED),
        (order_of(lines=[line_of("l1", 2, canceled=1)]), {"l1": 1}, FulfillmentStatus.SHIPPED),
        (order_of(lines=[line_of("l1", 2, canceled=2)]), {}, FulfillmentStatus.CANCELED),
        (order_of(lines=[line_of("l1", 2, canceled=1)]), {"l1": 2}, FulfillmentStatus.SHIPPED),
        (order_of(lines=[line_of("l1", 1), line_of("x", 1, service=True)]), {"l1": 1}, FulfillmentStatus.SHIPPED),
        (order_of(lines=[line_of("l1", 1), line_of("l2", 1)]), {"l1": 1}, FulfillmentStatus.PARTIAL),
        (order_of(lines=[line_of("l1", 2)], state=OrderState.CANCELED), {}, FulfillmentStatus.CANCELED),
    ],
)
def test_sp_4_complete_is_by_line_and_quantity(order, shipped: dict[str, int], status: FulfillmentStatus) -> None:
    assert completeness.status(order, [shipped]) is status


@pytest.mark.parametrize(
    ("syncs", "worst"),
    [
        ([], SyncStatus.NOT_NEEDED),
        ([SyncStatus.SYNCED, SyncStatus.NOT_NEEDED], SyncStatus.SYNCED),
        ([SyncStatus.SYNCED, SyncStatus.PENDING], SyncStatus.PENDING),
        ([SyncStatus.PENDING, SyncStatus.FAILED, SyncStatus.SYNCED], SyncStatus.FAILED),
    ],
)
def test_the_order_shows_the_worst_of_its_fulfillments(syncs: list[SyncStatus], worst: SyncStatus) -> None:
    assert completeness.worst(syncs) is worst


@pytest.mark.parametrize(
    ("unshipped", "days", "wait"),
    [
        (3, None, timedelta(minutes=15)),
        (1, 90, timedelta(minutes=15)),
        (0, 0, timedelta(minutes=30)),
        (0, 29.9, timedelta(minutes=30)),
        (0, 30, None),
        (0, None, None),
    ],
)
def test_sp_1_sp_5_the_schedule(unshipped: int, days: float | None, wait: timedelta | None) -> None:
    last = None if days is None else NOW - timedelta(days=days)
    assert schedule.next_turn(schedule.Watching(unshipped, last), timedelta(minutes=15), NOW) == wait


def test_the_cursor_overlaps_and_never_goes_back_or_beyond_the_present() -> None:
    assert schedule.since(NOW) == NOW - timedelta(minutes=5)
    assert schedule.since(None) is None
    assert schedule.moved(NOW, [NOW - timedelta(hours=1)], NOW) == NOW
    assert schedule.moved(None, [NOW + timedelta(hours=1)], NOW) == NOW
    assert schedule.moved(None, [], NOW) is None


@pytest.mark.parametrize(
    ("unmapped", "name", "found"),
    [("hold", "ups", "UPS"), ("hold", " UPS ", "UPS"), ("hold", "dhl", None), ("pass", "dhl", "dhl")],
)
def test_sp_7_courier_names(unmapped: str, name: str, found: str | None) -> None:
    assert couriers.mapped(NameMapping.model_validate({"map": {"ups": "UPS"}, "unmapped": unmapped}), name) == found


WANTED = Wanted({"l1": 2}, "UPS", ("1Z",), "https://t")
PATIENCE = plan_sync.Patience(timedelta(seconds=20), timedelta(seconds=5))


def _shown(name: str, lines: dict[str, int] | None = None, *, live: bool = True, **given_: object) -> Shown:
    values: dict[str, object] = {"carrier": "UPS", "numbers": ("1Z",), "urls": ("https://t",)}
    return Shown(name, live, lines or {"l1": 2}, **values | given_)  # type: ignore[arg-type]


def _intent(ended: int, missing: int | None = None) -> Intent:
    at = None if missing is None else NOW + timedelta(seconds=missing)
    return Intent("i1", WANTED, NOW + timedelta(seconds=ended), at)


def _plan(  # the parts of a situation, each by name
    wanted: Wanted | None = WANTED, bound=(), intents=(), shown=(), taken=(), updates=True, by_number=True
) -> plan_sync.Step:
    return plan_sync.plan(NOW, plan_sync.Situation(wanted, bound, intents, shown, taken, updates, by_number), PATIENCE)


MINE = Bound("a", WANTED)
OLD = Bound("a", Wanted({"l1": 2}, "UPS", ("old",), "https://t"))


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        ({}, plan_sync.Create(WANTED)),
        ({"shown": [_shown("a")]}, plan_sync.Adopt((("a", WANTED, None),))),
        ({"shown": [_shown("a")], "taken": ["a"]}, plan_sync.Create(WANTED)),
        ({"shown": [_shown("a", live=False)]}, plan_sync.Create(WANTED)),
        ({"shown": [_shown("a", numbers=("other",))]}, plan_sync.Create(WANTED)),
        ({"shown": [_shown("a", {"l1": 1})]}, plan_sync.Create(WANTED)),
        ({"shown": [_shown("a", numbers=())], "by_number": False}, plan_sync.Adopt((("a", WANTED, None),))),
        ({"bound": [MINE], "shown": [_shown("a")]}, plan_sync.Settled()),
        ({"bound": [MINE]}, plan_sync.NotShown(("a",))),
        ({"bound": [MINE], "shown": [_shown("a", live=False)]}, plan_sync.Create(WANTED)),
        ({"bound": [MINE], "shown": [_shown("a", {"l1": 1})]}, plan_sync.Create(WANTED.only({"l1": 1}))),
        ({"bound": [MINE], "shown": [_shown("a", {"l1": 3})]}, plan_sync.Withdraw(("a",))),
        ({"bound": [OLD], "shown": [_shown("a", numbers=("old",))]}, plan_sync.Update(("a",))),
        ({"bound": [OLD], "shown": [_shown("a")], "updates": False}, plan_sync.Withdraw(("a",))),
        ({"wanted": None, "bound": [MINE], "shown": [_shown("a")]}, plan_sync.Withdraw(("a",))),
        ({"wanted": None, "bound": [MINE], "shown": [_shown("a", live=False)]}, plan_sync.Settled()),
        ({"intents": [_intent(-60)], "shown": [_shown("a")]}, plan_sync.Adopt((("a", WANTED, "i1"),))),
        ({"intents": [_intent(-20)]}, plan_sync.Wait(NOW + timedelta(seconds=5))),
        ({"intents": [_intent(-25)]}, plan_sync.Wait(NOW + timedelta(seconds=5), ("i1",))),
        ({"intents": [_intent(-60, -4)]}, plan_sync.Wait(NOW + timedelta(seconds=1))),
        ({"intents": [_intent(-60, -5)]}, plan_sync.Create(WANTED, ("i1",))),
        ({"intents": [_intent(-60, -5)], "wanted": None}, plan_sync.Settled()),
    ],
)
def test_sp_11_the_next_step_at_the_channel(situation: dict[str, object], step: plan_sync.Step) -> None:
    assert _plan(**situation) == step  # type: ignore[arg-type]


@pytest.mark.parametrize("table", [SHIPMENT, SYNC])
def test_every_state_of_a_life_cycle_is_reached_and_known(table) -> None:
    states = {state for state in table if state is not None}
    assert set().union(*table.values()) == states


def test_a_move_that_is_not_in_the_table_is_refused_loudly() -> None:
    with pytest.raises(MoveRefused, match="allowed are"):
        advance(SHIPMENT, ShipmentState.RECORDED, ShipmentState.CONFLICT)
    assert advance(SYNC, SyncState.SYNCED, SyncState.SYNCED) is SyncState.SYNCED
    assert lifecycle.SYNC[SyncState.FAILED] == {SyncState.PENDING}


def test_times_are_compared_in_utc() -> None:
    there = datetime.fromisoformat("2026-11-22T11:00:00+02:00")
    assert said(shipped_at=there).shipped_at == AT
