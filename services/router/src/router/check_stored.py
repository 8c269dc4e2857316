"""A stored decision as the independent check reads it: what was asked, what was planned, what was on the shelves."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from router.check_reading import Asked, Given, Shelf, Want
from waybill_contracts.configuration import Configuration, Routing, Source


@dataclass(frozen=True, slots=True)
class Stored:
    """`plan` is empty where the decision was to wait, `second` where there is no other one."""

    asked: Asked
    plan: list[Given]
    second: list[Given]
    left: dict[int, int]
    """Units that the decision says stay behind, by the place of their want."""
    sources: dict[str, Source]
    shelves: dict[tuple[str, str], Shelf]


def read_stored(decision: Mapping[str, Any], inputs: Mapping[str, Any], configuration: Configuration) -> Stored:
    """Raises KeyError where something is missing."""
    wants = tuple(Want(*demand) for demand in inputs["demands"])
    asked = Asked(wants, tuple(inputs["countries"]), inputs.get("shipping_method"))
    nameless = {item["source"] for item in decision["excluded"] if item["reason"].startswith("number_")}
    sources = {source.id: source for source in configuration.sources if source.id not in nameless}
    refused = {(source, sku) for source, sku in inputs.get("refused", ())}
    shelves = {
        (source, sku): Shelf(available, None if unit_cost is None else Decimal(unit_cost), grams)
        for source, sku, available, unit_cost, grams in inputs["stock"]
        if (source, sku) not in refused
    }
    places = {(want.line, want.sku): at for at, want in enumerate(wants)}
    left: dict[int, int] = {}
    for lack in decision["unfulfilled"]:
        at = places[lack["line_id"], lack["sku"]]
        left[at] = left.get(at, 0) + lack["quantity"]
    plan, second = (_given(decision[name], places) for name in ("chosen", "runner_up"))
    return Stored(asked, plan, second, left, sources, shelves)


def _given(plan: Mapping[str, Any] | None, places: Mapping[tuple[str, str], int]) -> list[Given]:
    return [
        Given(request["source"], places[line["line_id"], line["sku"]], line["quantity"])
        for request in (plan["requests"] if plan else ())
        for line in request["lines"]
    ]


def group_of(inputs: Mapping[str, Any], routing: Routing) -> str | None:
    """The group that the rules choose: the first rule of which every condition holds, else the default."""
    country, value = inputs["countries"][0] if inputs["countries"] else "", inputs.get("value")
    for rule in routing.rules:
        when = rule.when
        conditions = (
            not when.country or country in when.country,
            not when.channel or inputs.get("channel") in when.channel,
            not when.tag or set(when.tag) & set(inputs.get("tags", ())),
            when.value_over is None or (value is not None and Decimal(value) > when.value_over),
        )
        if all(conditions):
            return rule.group
    default = routing.default_group
    return default.id if default else None
