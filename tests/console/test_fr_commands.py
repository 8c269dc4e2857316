"""FRs worked from lists, by REST and command line, against a console and a fulfillment-push that run for real.

(FP-4: a source without a connection; FP-8: reading changes nothing; FP-9: many at once, audited)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from console.app import build as build_console
from console.messages import Notices
from console.settings import ConsoleSettings
from fulfillment_push.app import definition as push_definition
from fulfillment_push.settings import PushSettings
from waybill_common.service import Definition, running
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.configuration import Source
from waybill_contracts.fr_created import FrCreated, FrVoidRequested
from waybill_contracts.values import (
    Address,
    Component,
    Cost,
    FulfillmentRequest,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
    RequestLine,
)

from .conftest import ADMIN, ConsoleUnderTest
from .test_command_line import run

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = SecretStr("a secret of the tests")
WHY = ("--reason", "Ada asked for it")


def source(name: str, **settings: Any) -> Source:
    costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "5.00"}]}
    return Source.model_validate({"id": name, "costs": costs, **settings})


def created(name: str, at: str, **given: Any) -> FrCreated:
    """An FR numbered `name` of an order of its own."""
    address = Address(name="Zoë", country="US")
    line = OrderLine(line_id="l1", channel_sku="S", quantity=2, components=(Component(sku="SKU-1", quantity=1),))
    order = Order(
        order_id=f"o-{name}", store="acme", channel="shop", channel_order_id=name, number=f"#{name}", version=1,
        sequence=1, state=OrderState.IMPORTED, placed_at=NOW, currency="USD", payment=PaymentState.PAID,
        addresses=(address,), shipping_method="ground", lines=(line,),
    )  # fmt: skip
    asked = RequestLine(line_id="l1", sku="SKU-1", source_sku="E-1", quantity=2, title="Lamp")
    fr = FulfillmentRequest(
        fr_id=f"fr-{name}", order_id=order.order_id, number=name, source=at, channel="shop", store="acme",
        order_number=order.number, order_version=1, lines=(asked,), ship_to=address, shipping_method="ground",
        cost=Cost(currency="USD", items=Decimal(2), fee=Decimal(0), shipping=Decimal(5)), decision_id="d", **given,
    )  # fmt: skip
    return FrCreated(at=NOW, sequence=1, fr_id=fr.fr_id, order_id=order.order_id, order_version=1, fr=fr, order=order)


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """Three FRs at a source without a connection, three that wait for a person at one that has one."""
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SECRET}
    async with running(push_definition(), PushSettings(**common, http_port=0)) as push:
        settings = ConsoleSettings(
            **common, console_port=0, admin_key=SecretStr(ADMIN), fulfillment_push_url=f"http://127.0.0.1:{push.port}"
        )
        async with running(Definition("console", "console", "console", build_console, 0, Notices()), settings) as run_:
            hub = ConsoleUnderTest(run_, kafka)
            sources = [source("leeds", platform="manual"), source("east", platform="http", url="http://127.0.0.1:9")]
            await hub.publish(*[("console", SourceConfigured(at=NOW, source=one)) for one in sources])
            await hub.publish(*[("router", created(f"L-{n}", "leeds")) for n in range(3)])
            await hub.publish(*[("router", created(f"E-{n}", "east", auto_process=False)) for n in range(3)])
            await hub.eventually("/frs:waiting", lambda answer: len(answer["items"]) == 6)
            await hub.eventually("/frs", lambda answer: len(answer["items"]) == 6)
            yield hub
            await hub.http.aclose()


async def history(hub: ConsoleUnderTest, fr_id: str) -> list[tuple[str, str, str]]:
    found = await hub.run.runtime.pool.fetch(
        "select to_state, who, why from fulfillment_push.fr_history where fr_id = $1 order by id", fr_id
    )
    return [tuple(row) for row in found]


async def test_fp4_a_source_without_a_connection_is_worked_from_a_list(hub: ConsoleUnderTest) -> None:
    seen = await run(hub, "frs", "list", "--source", "leeds", "--waiting", "--json")
    listed = json.loads(seen.stdout)
    assert [(fr["number"], fr["reason"], fr["by_whom"]) for fr in listed] == [
        (f"L-{n}", "manual", "person") for n in range(3)
    ]
    table = await run(hub, "frs", "list", "--waiting", "--for", "manual", "--limit", "2")
    assert "L-0" in table.stdout
    assert "L-2" not in table.stdout
    marked = await run(hub, "frs", "mark", "L-0", "PROCESSED", "--and", "L-1", *WHY)
    assert (marked.exit_code, "2 done, 0 refused" in marked.stdout) == (0, True), marked.output
    left = json.loads((await run(hub, "frs", "list", "--source", "leeds", "--waiting", "--json")).stdout)
    assert [fr["number"] for fr in left] == ["L-2"]
    assert (await history(hub, "fr-L-0"))[-1] == ("PROCESSED", "WAYBILL_ADMIN_KEY", "Ada asked for it")


async def test_fp4_the_answer_to_a_recall_at_such_a_source_is_recorded_by_hand(hub: ConsoleUnderTest) -> None:
    await run(hub, "frs", "mark", "L-0", "PROCESSED", *WHY)
    wish = FrVoidRequested(
        at=NOW, sequence=2, fr_id="fr-L-0", order_id="o-L-0", order_version=1, reason="the order was canceled"
    )
    await hub.publish(("router", wish))
    await hub.eventually(
        "/frs:waiting", lambda a: [f["number"] for f in a["items"]] == ["L-0"], reason="recall_by_hand"
    )
    answered = await run(hub, "frs", "recall-answer", "L-0", "--given-back", *WHY)
    assert (answered.exit_code, "VOIDED" in answered.stdout) == (0, True), answered.output


async def test_fp9_many_are_processed_each_decided_on_its_own_with_who_and_why(hub: ConsoleUnderTest) -> None:
    done = await run(hub, "frs", "process", "--source", "east", *WHY)
    assert (done.exit_code, "3 done, 0 refused" in done.stdout) == (0, True), done.output
    for n in range(3):
        assert (await history(hub, f"fr-E-{n}"))[1] == ("PROCESSING", "WAYBILL_ADMIN_KEY", "Ada asked for it")
    again = await run(hub, "frs", "process", "E-0", "L-0", *WHY)
    assert (again.exit_code, "0 done, 2 refused" in again.stdout) == (1, True), again.output
    assert "only an UNPROCESSED one is launched" in again.stdout
    nothing = await run(hub, "frs", "process", "--source", "east", *WHY)
    assert (nothing.exit_code, "No FR of east waits" in nothing.stdout) == (0, True)
    both = await run(hub, "frs", "process", "E-0", "--source", "east", *WHY)
    assert (both.exit_code, "one of the two is wanted" in both.output) == (2, True)


async def test_fp9_many_are_resent(hub: ConsoleUnderTest) -> None:
    pool = hub.run.runtime.pool
    await pool.execute("update fulfillment_push.frs set state = 'FAILED', waiting = 'failed' where source = 'east'")
    done = await run(hub, "frs", "resend", "--source", "east", *WHY)
    assert (done.exit_code, "3 done" in done.stdout) == (0, True), done.output
    rest = await hub.http.post("/api/v1/frs:resend", json={"fr_ids": ["fr-E-0", "nobody"], "reason": "again"})
    assert [fr["refused"] is not None for fr in rest.json()["frs"]] == [True, True]
    assert (await hub.http.post("/api/v1/frs:resend", json={"fr_ids": ["fr-E-0"]})).status_code == 422  # no reason


async def test_fp8_no_reading_changes_an_fr(hub: ConsoleUnderTest) -> None:
    rows = "select * from fulfillment_push.frs order by fr_id"
    before = await hub.run.runtime.pool.fetch(rows)
    for path in ("/frs", "/frs:waiting", "/frs/fr-L-0", "/frs/fr-E-0", "/stats", "/orders"):
        await hub.get(path)
    for words in (("frs", "list"), ("frs", "list", "--waiting"), ("frs", "show", "E-0")):
        assert (await run(hub, *words)).exit_code == 0
    assert await hub.run.runtime.pool.fetch(rows) == before


async def test_the_list_of_what_waits_is_walked_page_by_page(hub: ConsoleUnderTest) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        answer = await hub.get("/frs:waiting", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [fr["fr_id"] for fr in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
