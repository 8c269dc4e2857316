"""A source over HTTP: every answer has the published contract's form, and its rules hold."""

import asyncio
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sources import shipping
from sandbox.sources.model import RequestLine

CONTRACT = Path(__file__).parents[2] / "docs" / "http-source.openapi.yaml"


@pytest.fixture(scope="module")
def valid() -> Any:
    """Checks a body against a schema of the published contract."""
    contract = yaml.safe_load(CONTRACT.read_text("utf-8"))

    def check(name: str, body: object) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
        jsonschema.validate(body, schema)

    return check


async def shipments(box: Any, **query: str) -> list[Any]:
    found, page = [], ""
    while True:
        text = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in query.items())
        _, told = await box.source("GET", f"/shipments?{text}{page}")
        found += told["shipments"]
        if told["next"] is None:
            return found
        page = f"&page={told['next']}"


async def test_a_request_is_taken_once_under_its_reference(box: Any, submission: Any, valid: Any) -> None:
    body = submission()
    valid("NewRequest", body)
    first = await box.source("POST", "/requests", body)
    again = await box.source("POST", "/requests", body)
    assert (first[0], again[0]) == (201, 200)
    assert first[1]["id"] == again[1]["id"]
    valid("Request", first[1])
    assert first[1]["state"] == "acknowledged"
    _, found = await box.source("GET", f"/requests?reference={body['reference']}")
    assert [one["id"] for one in found["requests"]] == [first[1]["id"]]
    assert (await box.source("GET", "/requests?reference=other"))[1] == {"requests": []}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lines": []}, 400, "malformed"),
        ({"lines": [{"line_ref": "a", "sku": "E-101", "quantity": 0}]}, 400, "malformed"),
        ({"lines": [{"line_ref": "a", "sku": "E-101", "quantity": 1}] * 2}, 400, "malformed"),
        ({"ship_to": {"country": "Germany"}}, 400, "malformed"),
        ({"reference": "x" * 256}, 400, "malformed"),
        ({"lines": [{"line_ref": "a", "sku": "E-999", "quantity": 1}]}, 422, "unknown_sku"),
    ],
)
async def test_what_a_supplier_cannot_take_is_a_problem_with_a_code(
    box: Any, submission: Any, valid: Any, change: Any, status: int, code: str
) -> None:
    answered, problem = await box.source("POST", "/requests", {**submission(), **change})
    assert (answered, problem["code"]) == (status, code)
    valid("Problem", problem)


async def test_a_wrong_token_is_401(box: Any) -> None:
    async with box.http.get(f"{box.url}/sources/east/shipments", headers={"Authorization": "Bearer no"}) as answer:
        assert answer.status == 401


async def test_it_ships_by_itself_and_lists_every_shipment_once(box: Any, submission: Any, valid: Any) -> None:
    for number in range(30):
        await box.source("POST", "/requests", submission(f"#{number}", quantity=1 + number % 4))
    for _ in range(50):
        await asyncio.sleep(0.02)
        found = await shipments(box, limit="7")
        if all(request.state == "shipped" for request in box.world.sources["east"].requests.values()):
            break
    found = await shipments(box, limit="7")
    assert len({one["id"] for one in found}) == len(found) > 30
    assert sum(line["quantity"] for one in found for line in one["lines"]) == sum(1 + n % 4 for n in range(30))
    assert [(one["updated_at"], one["id"]) for one in found] == sorted((one["updated_at"], one["id"]) for one in found)
    for one in found:
        valid("Shipment", one)


async def test_since_is_inclusive_to_the_microsecond(box: Any, submission: Any) -> None:
    for _ in range(10):
        await box.source("POST", "/requests", submission(quantity=1))
        await box.control("POST", "/sources/east/ship")
    found = await shipments(box)
    for place, one in enumerate(found):
        assert [s["id"] for s in await shipments(box, since=one["updated_at"])] == [s["id"] for s in found[place:]]


async def test_a_request_is_given_back_until_it_shipped(box: Any, submission: Any, valid: Any) -> None:
    await box.control("PATCH", "/sources/east", {"ships": False})
    _, early = await box.source("POST", "/requests", submission())
    _, late = await box.source("POST", "/requests", submission())
    _, answer = await box.source("POST", f"/requests/{early['id']}/cancel")
    valid("CancelAnswer", answer)
    assert answer["result"] == "accepted"
    await box.control("PATCH", "/sources/east", {"ships": True})
    await box.control("POST", "/sources/east/ship", {"reference": late["reference"]})
    assert (await box.source("POST", f"/requests/{late['id']}/cancel"))[1]["result"] == "refused"
    assert (await box.source("POST", f"/requests/{early['id']}/cancel"))[1]["result"] == "accepted"
    assert {one["reference"] for one in await shipments(box)} == {late["reference"]}
    assert (await box.source("POST", "/requests/req_0/cancel"))[0] == 404


async def test_a_supplier_gives_up_a_part_and_ships_the_rest(box: Any, submission: Any) -> None:
    await box.control("PATCH", "/sources/east", {"ships": False})
    _, made = await box.source("POST", "/requests", submission(quantity=5))
    given_up = {"lines": [{"line_ref": made["lines"][0]["line_ref"], "quantity": 2}]}
    await box.control("POST", f"/sources/east/requests/{made['id']}/cancel", given_up)
    _, found = await box.source("GET", f"/requests?reference={made['reference']}")
    assert found["requests"][0]["lines"][0]["canceled"] == 2
    await box.control("PATCH", "/sources/east", {"ships": True})
    await box.control("POST", "/sources/east/ship")
    assert sum(line["quantity"] for one in await shipments(box) for line in one["lines"]) == 3


@pytest.mark.parametrize(
    ("settings", "status", "state"),
    [
        ({"refuse_rate": 1.0}, 422, None),
        ({"acknowledges": False}, 201, "received"),
        ({"partial_rate": 1.0}, 201, "acknowledged"),
    ],
)
async def test_a_source_is_as_difficult_as_it_is_told_to_be(
    box: Any, submission: Any, settings: Any, status: int, state: str | None
) -> None:
    await box.control("PATCH", "/sources/east", settings)
    answered, body = await box.source("POST", "/requests", submission(quantity=4))
    assert (answered, body.get("state")) == (status, state)
    if "partial_rate" in settings:
        assert body["lines"][0]["canceled"] == 2


@pytest.mark.parametrize("action", ["cancel", "replace", "correct"])
async def test_a_shipment_is_corrected_and_shows_up_again(box: Any, submission: Any, action: str) -> None:
    await box.source("POST", "/requests", submission(quantity=1))
    await box.control("POST", "/sources/east/ship")
    before = await shipments(box)
    change = {"tracking_numbers": ["NEW1"]} if action == "correct" else {}
    await box.control("POST", f"/sources/east/shipments/{before[0]['id']}/{action}", change)
    after = await shipments(box)
    statuses = {"cancel": ["canceled"], "replace": ["canceled", "shipped"], "correct": ["shipped"]}
    assert [one["status"] for one in after] == statuses[action]
    assert all(one["updated_at"] > before[0]["updated_at"] for one in after)
    if action == "correct":
        assert after[0]["tracking_numbers"] == ["NEW1"]


@given(
    reference=st.text(min_size=1, max_size=12),
    quantities=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 9)), min_size=1, max_size=5),
    may_box=st.booleans(),
)
def test_the_shipments_to_come_are_the_request_exactly(
    reference: str, quantities: list[tuple[str, int]], may_box: bool
) -> None:
    lines = [RequestLine(str(n), sku, quantity) for n, (sku, quantity) in enumerate(quantities)]
    parts = shipping.plan(reference, lines, 100.0, 2.0, may_box)
    assert parts == shipping.plan(reference, lines, 100.0, 2.0, may_box)
    for number, line in enumerate(lines):
        assert sum(q for part in parts for place, q in part.pieces if place == number) == line.quantity
    for part in parts:
        products = {lines[place].sku for place, _ in part.pieces}
        assert part.boxes == 1 or (may_box and len(products) > 1)
    assert [part.due for part in parts] == sorted(part.due for part in parts)


def test_among_many_requests_all_ways_of_shipping_occur() -> None:
    lines = [RequestLine("1", "A", 2), RequestLine("2", "B", 1)]
    plans = [shipping.plan(f"E-{n}", lines, 0.0, 1.0, may_box=True) for n in range(200)]
    assert {(len(parts), parts[0].boxes) for parts in plans} == {(1, 1), (2, 1), (1, 2)}
