"""Rules as tables: group choice, roadblocks, reasons, numbers, tie-breaks."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from router.routing.groups import choose_group
from router.routing.numbers import NumberRefused, bare_number, next_number
from router.routing.plan import Answer, Rulebook, plan_order
from router.routing.task import Demand, Offer, Site, Task, money, nano
from waybill_contracts.configuration import FrNumber, Group, Routing

Make = Callable[..., Any]

ROUTING = Routing.model_validate(
    {
        "groups": [{"id": "main", "default": True, "sources": ["a"]}, {"id": "uk", "sources": ["b"]}],
        "rules": [
            {"when": {"country": ["GB", "IE"], "channel": ["shop"]}, "group": "uk"},
            {"when": {"tag": ["b2b"], "value_over": "100.00"}, "group": "uk"},
        ],
    }
)


@pytest.mark.parametrize(
    ("order", "group"),
    [
        ({"country": "US"}, "main"),
        ({"country": "GB"}, "main"),
        ({"country": "GB", "channel": "shop"}, "uk"),
        ({"country": "IE", "channel": "shop"}, "uk"),
        ({"country": "US", "tags": ("b2b",), "value": Decimal("100.00")}, "main"),
        ({"country": "US", "tags": ("x", "b2b"), "value": Decimal("100.01")}, "uk"),
        ({"country": "US", "tags": ("b2b",)}, "main"),
    ],
)
def test_rt4_the_first_rule_that_matches_chooses_the_group(order: dict[str, Any], group: str) -> None:
    found, rule = choose_group(ROUTING, **order)
    assert found is not None
    assert found.id == group
    assert (rule == "default") == (group == "main")


def test_rt4_nothing_is_taken_silently_without_a_default() -> None:
    answer = plan_order(task(("A", 1)), Rulebook(1, Routing(), {}), {})
    assert (answer.group, answer.reason) == (None, "not_configured")


def test_rt5_a_priority_below_source_priority_is_warned_of() -> None:
    group = Group.model_validate({"id": "g", "sources": ["a"], "priorities": ["source_priority", "lowest_cost"]})
    assert group.idle_priorities == ["lowest_cost"]


def task(*demands: tuple[str, int], country: str = "US", **fields: Any) -> Task:
    made = tuple(Demand(f"L{at}", sku, units) for at, (sku, units) in enumerate(demands))
    return Task("1001", (country,), made, **fields)


Shelves = dict[tuple[str, str], tuple[int | None, str | None, int | None]]
"""(source, SKU) -> units, cost, grams."""


def plan(configured: list[Any], stock: Shelves, what: Task, **group: Any) -> Answer:
    body = {"id": "g", "sources": [source.id for source in configured], **group}
    routing = Routing(groups=(Group.model_validate(body),))
    book = Rulebook(1, routing, {source.id: Site(source) for source in configured})
    offers = {
        key: Offer(units, None if cost is None else nano(Decimal(cost)), grams)
        for key, (units, cost, grams) in stock.items()
    }
    return plan_order(what, book, offers)


@pytest.mark.parametrize(
    ("settings", "shelf", "reason"),
    [
        ({}, None, "no_stock"),
        ({}, (0, "1.00", 10), "no_stock"),
        ({}, (5, None, 10), "missing_cost"),
        ({}, (5, "1.00", None), "missing_weight"),
        ({"serves": {"countries": ["GB"]}}, (5, "1.00", 10), "does_not_serve_country"),
        ({"serves": {"skus": ["B"]}}, (5, "1.00", 10), "does_not_serve_sku"),
        ({"skus": {"unmapped": "hold"}}, (5, "1.00", 10), "unmapped_sku"),
        ({"shipping_methods": {"unmapped": "hold"}}, (5, "1.00", 10), "unmapped_shipping_method"),
        ({"fr_number": {"prefix": "LONG-", "max_length": 5}}, (5, "1.00", 10), "number_too_long"),
        ({"fr_number": {"forbid": "01"}}, (5, "1.00", 10), "number_empty"),
        ({"stock": {"from": "untracked"}}, None, "missing_cost"),
    ],
)
def test_rt3_each_source_left_out_says_why(
    source: Make, settings: dict[str, Any], shelf: tuple[int, str | None, int | None] | None, reason: str
) -> None:
    stock = {("a", "A"): shelf} if shelf else {}
    answer = plan([source("a", **settings)], stock, task(("A", 1), shipping_method="ground"))
    assert answer.draft is None
    assert [barrier.reason for barrier in answer.excluded] == [reason]
    not_served = reason.startswith("does_not_serve")
    assert answer.reason == ("no_source_serves" if not_served else reason)


def test_a_zone_must_name_the_country_and_the_first_that_does_counts(source: Make) -> None:
    zones = [
        {"zone": ["US"], "base": "9.00"},
        {"zone": ["*"], "base": "1.00"},
    ]
    costs = {"currency": "USD", "shipping": zones}
    answer = plan([source("a", costs=costs)], {("a", "A"): (5, "1.00", None)}, task(("A", 1)))
    assert answer.draft is not None
    assert money(answer.draft.cost) == Decimal("10.00")
    nowhere = {"currency": "USD", "shipping": zones[:1]}
    elsewhere = plan([source("a", costs=nowhere)], {("a", "A"): (5, "1.00", None)}, task(("A", 1), country="GB"))
    assert elsewhere.excluded[0].reason == "no_shipping_zone"
    assert elsewhere.reason == "no_source_serves"


@pytest.mark.parametrize("split_lines", [True, False])
def test_rt5_one_fr_is_one_for_each_address_also_where_another_address_gets_nothing(
    source: Make, split_lines: bool
) -> None:
    pieces = (Demand("L0", "A", 1, 0), Demand("L1", "A", 1, 0), Demand("L2", "B", 1, 1))
    stock: Shelves = {("a", "A"): (1, "1.00", 0), ("b", "A"): (1, "1.00", 0)}
    rules = {"priorities": [{"single_fr": "required"}], "partial": True, "split_lines": split_lines}

    answer = plan([source("a"), source("b")], stock, Task("1001", ("US", "US"), pieces), **rules)

    assert answer.draft is not None
    assert answer.draft.sources == ["a"]
    assert sorted(lack.sku for lack in answer.lacks) == ["A", "B"]


TWO = {("a", "A"): (2, "1.00", 0), ("b", "A"): (2, "1.00", 0)}


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        ({"priorities": [{"single_fr": "required"}]}, "single_fr_impossible"),
        ({"max_frs": 1}, "max_frs_reached"),
        ({"split_lines": False}, "line_not_splittable"),
    ],
)
def test_rt7_what_only_a_limit_forbids_names_the_limit(source: Make, group: dict[str, Any], reason: str) -> None:
    answer = plan([source("a"), source("b")], TWO, task(("A", 3)), **group)
    assert (answer.draft, answer.reason) == (None, reason)


def test_rt7_a_source_outside_the_group_is_named(source: Make) -> None:
    answer = plan([source("a"), source("b")], {("b", "A"): (5, "1.00", 0)}, task(("A", 1)), sources=["a"])
    assert answer.reason == "source_not_in_group"
    assert "b has it" in answer.lacks[0].detail


def test_one_currency_per_group(source: Make) -> None:
    costs = {"currency": "EUR", "shipping": [{"zone": ["*"], "base": "1"}]}
    answer = plan([source("a"), source("b", costs=costs)], TWO, task(("A", 1)))
    assert answer.reason == "mixed_currencies"


def test_ties_go_to_fewer_frs_then_to_the_source_that_stands_earlier(source: Make) -> None:
    answer = plan([source("a"), source("b")], TWO, task(("A", 2)))
    assert answer.draft is not None
    assert answer.draft.sources == ["a"]
    assert answer.excluded[-1].reason == "tie_break"
    turned = plan([source("b"), source("a")], TWO, task(("A", 2)))
    assert turned.draft is not None
    assert turned.draft.sources == ["b"]


def test_rt2_one_lines_quantity_is_split_where_that_is_cheaper(source: Make) -> None:
    costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}
    sources = [source("a", costs=costs), source("b", costs=costs)]
    stock = {("a", "A"): (4, "1.00", None), ("b", "A"): (9, "2.00", None)}
    answer = plan(sources, stock, task(("A", 6)))
    assert answer.draft is not None
    assert [(r.source, [units for _, units in r.lines]) for r in answer.draft.requests] == [("a", [4]), ("b", [2])]
    assert money(answer.draft.cost) == Decimal("10.00")
    single = plan(sources, stock, task(("A", 6)), priorities=[{"single_fr": "preferred"}, "lowest_cost"])
    assert single.draft is not None
    assert single.draft.sources == ["b"]


@pytest.mark.parametrize(
    ("pattern", "made", "taken", "number"),
    [
        ({}, 0, (), "#1001"),
        ({"prefix": "E-", "forbid": "#"}, 0, (), "E-1001"),
        ({"from": "order_id"}, 0, (), "id-1"),
        ({}, 1, (), "#1001-1"),
        ({}, 0, ("#1001", "#1001-1"), "#1001-2"),
        ({"forbid": "-#"}, 2, (), "10012"),
    ],
)
def test_rt11_numbers(pattern: dict[str, Any], made: int, taken: tuple[str, ...], number: str) -> None:
    rule = FrNumber.model_validate(pattern)
    bare = bare_number(rule, order_number="#1001", order_id="id-1")
    assert next_number(rule, bare, made_before=made, taken=taken.__contains__) == number


def test_rt11_a_number_is_never_cut() -> None:
    with pytest.raises(NumberRefused, match="shorten the prefix") as refused:
        bare_number(FrNumber(prefix="WAREHOUSE-", max_length=10), order_number="1001", order_id="")
    assert refused.value.code == "number_too_long"
    with pytest.raises(NumberRefused):
        next_number(FrNumber(max_length=4), "1001", made_before=1, taken=set().__contains__)
    with pytest.raises(NumberRefused) as used:
        next_number(FrNumber(), "1001", made_before=0, taken=lambda _: True)
    assert used.value.code == "number_duplicate"


@pytest.mark.parametrize(("amount", "text"), [("1.5", "1.50"), ("0.000001", "0.000001"), ("12", "12.00")])
def test_money_is_exact(amount: str, text: str) -> None:
    assert str(money(nano(Decimal(amount)))) == text


def test_of_what_costs_the_same_at_both_the_earlier_source_ships_more(source: Make) -> None:
    stock = {
        ("a", "A"): (2, "1.00", 0),
        ("a", "B"): (0, "1.00", 0),
        ("b", "A"): (2, "1.00", 0),
        ("b", "B"): (3, "1", 0),
    }
    answer = plan([source("a"), source("b")], stock, task(("A", 3), ("B", 1)))
    assert answer.draft is not None
    units = [(request.source, sum(units for _, units in request.lines)) for request in answer.draft.requests]
    assert units == [("a", 2), ("b", 2)]


def test_of_a_line_that_goes_in_part_the_units_go_where_they_cost_least(source: Make) -> None:
    zones = [{"zone": ["CA"], "base": "1.00", "per_kg": "5"}, {"zone": ["US"], "base": "1.00", "per_kg": "1"}]
    lines = (Demand("L0", "A", 3, 1), Demand("L1", "A", 2, 0))
    answer = plan(
        [source("a", costs={"currency": "USD", "shipping": zones})],
        {("a", "A"): (4, "1.00", 1000)},
        Task("1001", ("US", "CA"), lines),
        split_lines=False,
        partial=True,
    )
    assert answer.draft is not None
    assert {d.line_id: units for r in answer.draft.requests for d, units in r.lines} == {"L0": 2, "L1": 2}
