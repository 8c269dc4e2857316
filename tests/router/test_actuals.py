"""RT-16: what a source charged, against the estimate by source and rule; and what true prices would have changed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router.actuals import dearer
from router.routing.task import Site, money
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing
from waybill_contracts.fr_created import FrCreated

from .conftest import START, make_source

Make = Callable[..., Any]


async def told(http: Any, batch: str, *charges: tuple[str, str, str], currency: str = "USD") -> Any:
    rows = [{"source": s, "number": n, "total": t, "currency": currency} for s, n, t in charges]
    answer = await http.post("/internal/routing/actuals", json={"batch": batch, "actor": "ann", "charges": rows})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def report(http: Any, batch: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.get("/internal/routing/actuals", params={"batch": batch})).json()
    return answer


async def two_rules(world: Any, source: Make) -> None:
    """east is 1.00 cheaper than west by its tariff; orders with the tag `vip` go to west alone."""
    groups = [{"id": "main", "default": True, "sources": ["east", "west"]}, {"id": "vip", "sources": ["west"]}]
    rules = [{"when": {"tag": ["vip"]}, "group": "vip"}]
    await world.tell(
        SourceConfigured(at=START, source=source("east")),
        SourceConfigured(at=START, source=source("west")),
        RoutingConfigured(at=START, routing=Routing.model_validate({"groups": groups, "rules": rules})),
    )
    await world.count("east", "A", 50, cost="3.00")
    await world.count("west", "A", 50, cost="4.00")


async def test_rt16_the_difference_by_source_and_rule_and_the_cheapest_with_true_costs(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_rules(world, source)
    for number, tags in (("1", ()), ("2", ()), ("3", ("vip",))):
        await world.place(order(("A", 1), number=number, tags=tags))  # 9.10 at east, 10.10 at west
    answer = await told(http, "november", ("east", "1", "11.10"), ("east", "2", "12.10"), ("west", "3", "10.00"))
    assert (answer["taken"], answer["unknown"]) == (3, [])

    found = await report(http, "november")
    names = ("name", "frs", "estimated", "charged", "difference", "each_fr")
    assert [tuple(line[name] for name in names) for line in found["by_source"]] == [
        ("east", 2, "18.20", "23.20", "5.00", "2.50"),
        ("west", 1, "10.10", "10.00", "-0.10", "-0.10"),
    ]
    assert [(x["name"], x["difference"]) for x in found["by_rule"]] == [
        ("default: group main", "5.00"),
        ("rules[0]: group vip", "-0.10"),
    ]
    # at true prices east costs 9.10 + 2.50, west 10.10 - 0.10: both orders of the main group belonged there
    cheapest = found["cheapest"]
    assert [(o["number"], o["from"], o["to"], o["saves"]) for o in cheapest["orders"]] == [
        ("1", ["east"], ["west"], "1.60"),
        ("2", ["east"], ["west"], "1.60"),
    ]
    [cost] = cheapest["costs"]
    assert (Decimal(cost["as_shipped"]), Decimal(cost["cheapest"])) == (Decimal("33.20"), Decimal("30.00"))
    assert (cheapest["decisions"], cheapest["moved"]) == (3, 2)


async def test_rt16_where_the_estimates_were_right_nothing_would_have_changed(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_rules(world, source)
    await world.place(order(("A", 1), number="1"))
    await told(http, "b", ("east", "1", "9.10"))
    found = await report(http, "b")
    assert found["by_source"][0]["difference"] == "0.00"
    assert (found["cheapest"]["moved"], found["cheapest"]["orders"]) == (0, [])


async def test_rt16_a_later_word_about_an_fr_counts_and_unknown_frs_are_given_back(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_rules(world, source)
    await world.place(order(("A", 1), number="1"))
    answer = await told(http, "first", ("east", "1", "20.00"), ("east", "999", "1.00"))
    assert answer["unknown"] == [{"source": "east", "number": "999"}]
    await told(http, "second", ("east", "1", "10.10"))
    assert (await report(http, "first"))["frs"] == 0
    assert (await report(http, "second"))["by_source"][0]["difference"] == "1.00"


async def test_rt16_what_cannot_be_compared_is_counted_by_reason(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_rules(world, source)
    await world.place(order(("A", 1), number="1"))
    placed = order(("A", 1), number="2", auto_generate=False)
    await world.place(placed)
    body = {"source": "west", "actor": "ann", "reason": "phone"}
    await http.post(f"/internal/orders/{placed.order_id}/frs", json=body)
    await world.play()
    await world.count("east", "B", 1)
    await world.count("west", "B", 1)
    split = await world.place(order(("B", 2), number="3"))
    assert sum(isinstance(event, FrCreated) for event in split) == 2
    await told(http, "b", ("east", "1", "9.10"), currency="EUR")
    await told(http, "b", ("west", "2", "9.10"), ("east", "3", "9.10"))
    found = await report(http, "b")
    assert found["not_compared"] == {
        "charged in another currency than estimated": 1,
        "made by hand": 1,
        "not all of its FRs are charged": 1,
    }
    assert {line["name"] for line in found["by_rule"]} == {"by hand", "default: group main"}


@given(st.decimals(min_value=-20, max_value=20, places=6))
def test_rt16_a_source_costs_its_difference_more_for_each_fr_and_never_less_than_nothing(surcharge: Decimal) -> None:
    fixed = []
    for site in (Site(make_source("a")), Site(dearer(make_source("a"), surcharge))):
        tariff = site.tariff("US")
        assert tariff is not None
        fixed.append(money(site.fee + tariff.base))
    assert fixed[1] == max(fixed[0] + surcharge, Decimal(0))
