"""The generic HTTP source: what is sent is what docs/http-source.openapi.yaml says, and each answer is understood."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.errors import PlatformError
from waybill_platforms.http_source import mapping
from waybill_platforms.http_source.client import open_supplier
from waybill_platforms.http_source.settings import HttpSourceSettings
from waybill_platforms.http_source.wire import WireShipmentPage
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection

CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "http-source.openapi.yaml").read_text())
AT = "2026-11-22T09:30:00Z"
REQUEST = SourceRequest(
    reference="E-1001",
    order_number="#1001",
    lines=(SourceRequestLine("9", "E-100", 2, "Lamp"), SourceRequestLine("10", "E-100", 1, "Lamp")),
    ship_to=Address(name="Zoë Müller", city="Springfield", country="US"),
    shipping_method=None,
    currency="USD",
)


def valid(instance: Any, schema: str) -> None:
    """Against a schema of the published contract."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]}
    jsonschema.Draft202012Validator(whole).validate(instance)


@dataclass
class Supplier:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        assert request.headers["Authorization"] == "Bearer t0ken"
        self.asked.append((request.method, request.raw_path, dict(request.query), orjson.loads(raw) if raw else None))
        return web.json_response(self.body, status=self.status, headers=self.headers)


Open = Callable[..., Awaitable[tuple[SourceConnection, Supplier]]]


@pytest.fixture
async def supplier(serve: Any, ledger: Any) -> AsyncIterator[Open]:
    opened: list[SourceConnection] = []

    async def start(body: Any = None, status: int = 200, **headers: str) -> tuple[SourceConnection, Supplier]:
        one = Supplier(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        settings = HttpSourceSettings(url=await serve(one.answer) + "/api", token=SecretStr("t0ken"))
        opened.append(open_supplier("east", settings, ledger))
        return opened[-1], one

    yield start
    for connection in opened:
        await connection.aclose()


def stored(**changes: Any) -> dict[str, Any]:
    lines = [
        {"line_ref": "9", "sku": "E-100", "quantity": 2, "canceled": 0},
        {"line_ref": "10", "sku": "E-100", "quantity": 1, "canceled": 0},
    ]
    request = {"id": "r/1", "reference": "E-1001", "state": "acknowledged", "lines": lines}
    return {**request, "created_at": AT, "updated_at": AT, **changes}


def shipped(**changes: Any) -> dict[str, Any]:
    return {
        "id": "s-1",
        "request_id": "r/1",
        "reference": "E-1001",
        "status": "shipped",
        "lines": [{"line_ref": "9", "sku": "E-100", "quantity": 2}],
        "carrier": "UPS Ground",
        "tracking_numbers": ["1Z1"],
        "tracking_url": "https://t.example/1Z1",
        "shipped_at": AT,
        "updated_at": AT,
        **changes,
    }


def test_the_contracts_own_examples_keep_to_it() -> None:
    found = 0
    for path in CONTRACT["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                for media in body.get("content", {}).values():
                    schema = {**media["schema"], "components": CONTRACT["components"]}
                    for example in media.get("examples", {}).values():
                        jsonschema.Draft202012Validator(schema).validate(example["value"])
                        found += 1
    assert found >= 8


async def test_a_request_is_submitted_as_the_contract_says(supplier: Open) -> None:
    connection, asked = await supplier(stored(), status=201)
    submitted = await connection.sink.submit(REQUEST)
    method, path, _, body = asked.asked[0]
    assert (method, path) == ("POST", "/api/requests")
    valid(body, "NewRequest")
    assert (submitted.platform_id, submitted.acknowledged, submitted.canceled) == ("r/1", True, False)
    assert submitted.is_for(REQUEST)


@pytest.mark.parametrize(
    ("state", "acknowledged", "canceled"),
    [("received", False, False), ("acknowledged", True, False), ("shipped", True, False), ("canceled", False, True),
     ("teleported", False, False)],
)  # fmt: skip
async def test_each_state_says_whether_it_is_acknowledged(
    supplier: Open, state: str, acknowledged: bool, canceled: bool
) -> None:
    connection, _ = await supplier(stored(state=state))
    submitted = await connection.sink.submit(REQUEST)
    assert (submitted.acknowledged, submitted.canceled) == (acknowledged, canceled)


@pytest.mark.parametrize(
    "lines",
    [
        [{"line_ref": "9", "sku": "E-100", "quantity": 3}],
        [{"line_ref": "9", "sku": "E-100", "quantity": 1}, {"line_ref": "10", "sku": "E-100", "quantity": 2}],
        [],
    ],
)
async def test_a_request_with_other_lines_is_not_ours(supplier: Open, lines: Any) -> None:
    connection, _ = await supplier({"requests": [stored(lines=lines)]})
    found = await connection.sink.find("E-1001")
    assert found is not None
    assert not found.is_for(REQUEST)


async def test_canceled_pieces_are_told_by_line(supplier: Open) -> None:
    lines = [{"line_ref": "9", "sku": "E-100", "quantity": 2, "canceled": 2}]
    connection, _ = await supplier({"requests": [stored(lines=lines)]})
    found = await connection.sink.find("E-1001")
    assert found is not None
    assert found.canceled_lines == (("9", 2),)


@pytest.mark.parametrize("reference", ["E-1001", "Ü & 1/2=#?", "a+b %20"])
async def test_a_reference_is_asked_for_whatever_its_characters(supplier: Open, reference: str) -> None:
    connection, asked = await supplier({"requests": [stored(reference=reference)]})
    found = await connection.sink.find(reference)
    assert found is not None
    assert asked.asked[0][2] == {"reference": reference}


async def test_a_request_under_another_reference_is_not_found(supplier: Open) -> None:
    connection, _ = await supplier({"requests": [stored(reference="e-1001")]})
    assert await connection.sink.find("E-1001") is None


async def test_two_requests_under_one_reference_are_unreadable(supplier: Open) -> None:
    connection, _ = await supplier({"requests": [stored(), stored(id="r-2")]})
    with pytest.raises(PlatformError) as raised:
        await connection.sink.find("E-1001")
    assert raised.value.family is Family.UNREADABLE


async def test_an_answer_about_another_reference_is_of_unknown_outcome(supplier: Open) -> None:
    connection, _ = await supplier(stored(reference="E-9"))
    with pytest.raises(PlatformError) as raised:
        await connection.sink.submit(REQUEST)
    assert raised.value.outcome == "unknown"


@pytest.mark.parametrize("result", ["accepted", "refused", "pending"])
async def test_a_cancel_is_answered_in_one_of_three_words(supplier: Open, result: str) -> None:
    connection, asked = await supplier({"result": result, "message": "so"})
    answer = await connection.sink.cancel("r/1", "E-1001")
    assert (answer.result, answer.message) == (result, "so")
    assert asked.asked[0][:2] == ("POST", "/api/requests/r%2F1/cancel")


async def test_a_fourth_word_is_unreadable(supplier: Open) -> None:
    connection, _ = await supplier({"result": "maybe"})
    with pytest.raises(PlatformError, match="maybe"):
        await connection.sink.cancel("r/1", "E-1001")


async def test_a_refusal_carries_its_code_and_its_fields(supplier: Open) -> None:
    problem = {"title": "Unknown SKU", "status": 422, "code": "unknown_sku", "detail": "E-999 is not ours",
               "errors": [{"field": "lines[0].sku", "message": "E-999"}]}  # fmt: skip
    valid(problem, "Problem")
    connection, _ = await supplier(problem, status=422)
    with pytest.raises(PlatformError, match=r"E-999 is not ours – lines\[0\].sku: E-999") as raised:
        await connection.sink.submit(REQUEST)
    assert (raised.value.code, raised.value.family, raised.value.outcome) == ("unknown_sku", Family.REFUSED, "none")


async def test_a_page_of_shipments_is_read_and_paged(supplier: Open) -> None:
    page = {
        "shipments": [shipped(), shipped(id="s-2", status="canceled"), shipped(id="s-3", status="lost")],
        "next": "p2",
    }
    connection, asked = await supplier(page)
    since = datetime(2026, 11, 22, 9, 0, 0, 250000, tzinfo=UTC)
    found = await connection.shipments.list_shipments(since, (), "p1")
    assert [shipment.status for shipment in found.shipments] == ["shipped", "canceled", "unknown"]
    assert found.next == "p2"
    assert asked.asked[0][2] == {"limit": "500", "since": "2026-11-22T09:00:00.250000Z", "page": "p1"}


async def test_one_bad_shipment_does_not_hide_its_neighbours(supplier: Open) -> None:
    page = {"shipments": [shipped(), shipped(id="s-2", shipped_at="yesterday"), shipped(id="s-3")], "next": None}
    connection, _ = await supplier(page)
    found = await connection.shipments.list_shipments(None)
    assert [shipment.id for shipment in found.shipments] == ["s-1", "s-3"]
    assert "s-2" in found.problems[0]
    assert "shipped_at" in found.problems[0]


async def test_what_no_database_takes_is_replaced_in_answers_and_in_errors(supplier: Open) -> None:
    spoiled = shipped(carrier="U\0PS", tracking_numbers=["1Z\0"])
    connection, _ = await supplier({"shipments": [spoiled], "next": None})
    [shipment] = (await connection.shipments.list_shipments(None)).shipments
    assert (shipment.carrier, shipment.tracking_numbers) == ("U\ufffdPS", ("1Z\ufffd",))

    connection, _ = await supplier({"title": "no\0", "code": "co\0de"}, status=422)
    with pytest.raises(PlatformError) as refused:
        await connection.sink.submit(REQUEST)
    assert "\0" not in refused.value.message
    assert refused.value.code == "co\ufffdde"


async def test_an_announced_limit_corrects_the_budget(supplier: Open, ledger: Any) -> None:
    headers = {"RateLimit_Limit": "60", "RateLimit_Remaining": "7", "RateLimit_Reset": "30"}
    connection, _ = await supplier({"shipments": [], "next": None}, **headers)
    await connection.shipments.list_shipments(None)
    assert ledger.corrections == [(7.0, 2.0, 60.0)]


TEXT = st.text(max_size=3)
SHIPMENTS = st.fixed_dictionaries(
    {
        "id": st.text(min_size=1, max_size=5),
        "reference": st.text(max_size=5),
        "status": st.sampled_from(["shipped", "canceled", "?"]),
        "lines": st.lists(
            st.fixed_dictionaries({"line_ref": TEXT, "sku": TEXT, "quantity": st.integers(-1, 3)}), max_size=3
        ),
        "carrier": st.text(max_size=5),
        "tracking_numbers": st.lists(st.text(min_size=1, max_size=3), max_size=3),
        "tracking_url": st.none() | st.just("https://t.example"),
        "shipped_at": st.sampled_from([AT, "2026-11-22T10:30:00+01:00", "2026-11-22", None]),
        "updated_at": st.just(AT),
    }
)  # fmt: skip


@given(st.lists(SHIPMENTS, max_size=4))
def test_each_shipment_is_read_or_named_never_dropped(raw: list[dict[str, Any]]) -> None:
    page = mapping.shipment_page(WireShipmentPage.model_validate({"shipments": raw, "next": None}))
    assert len(page.shipments) + len(page.problems) == len(raw)
    for shipment in page.shipments:
        assert shipment.shipped_at.utcoffset() is not None
        assert all(line.quantity >= 1 for line in shipment.lines)
        assert len(set(shipment.tracking_numbers)) == len(shipment.tracking_numbers)
