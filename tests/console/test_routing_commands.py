"""What a person types about routing, against a console and a router that run for real (RT-8, RT-9, RT-12, RT-13)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from console.app import build as build_console
from console.messages import Notices
from console.settings import ConsoleSettings
from router.app import definition as router_definition
from router.settings import RouterSettings
from waybill_common.service import Definition, running
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing, Source
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import FrState, FrVoided
from waybill_contracts.inventory_updated import StockCounted
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Order

from .conftest import ADMIN, ConsoleUnderTest
from .test_command_line import run

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = SecretStr("a secret of the tests")


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """A console with a router behind it, on one database and one broker; three sources, one group."""
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SECRET}
    async with running(router_definition(), RouterSettings(**common)) as router:
        settings = ConsoleSettings(
            **common,
            console_port=0,
            admin_key=SecretStr(ADMIN),
            router_url=f"http://127.0.0.1:{router.port}",
        )
        async with running(Definition("console", "console", "console", build_console, 0, Notices()), settings) as run_:
            hub = ConsoleUnderTest(run_, kafka)
            await hub.publish(*[("console", event) for event in configuration()])
            await hub.publish(*[("feed", event) for event in stock()])
            await hub.eventually("/routing/versions", lambda a: any("routing" in v["changed"] for v in a["items"]))
            yield hub
            await hub.http.aclose()


def source(name: str, **settings: Any) -> Source:
    costs = {"currency": "USD", "fee": "1.00", "shipping": [{"zone": ["*"], "base": "5.00", "per_kg": "1.00"}]}
    return Source.model_validate({"id": name, "platform": "manual", "costs": costs, **settings})


def configuration() -> list[Event]:
    sources = [source("east"), source("west"), source("abroad", serves={"countries": ["GB"]})]
    groups = [{"id": "main", "sources": ["abroad", "east", "west"]}]
    return [
        *(SourceConfigured(at=NOW, source=one) for one in sources),
        RoutingConfigured(at=NOW, routing=Routing.model_validate({"groups": groups})),
    ]


def stock() -> list[Event]:
    return [
        StockCounted(at=NOW, source=name, sku="MUG", on_hand=10, counted_at=NOW, unit_cost=Decimal(cost), weight_g=100)
        for name, cost in (("east", "3.00"), ("west", "4.00"))
    ]


def order(number: str, *lines: tuple[str, int], **fields: Any) -> Order:
    made = [
        {"line_id": f"L{at}", "channel_sku": sku, "quantity": units, "components": [{"sku": sku, "quantity": 1}]}
        for at, (sku, units) in enumerate(lines, start=1)
    ]
    body = {
        "order_id": f"0198c5a0-0000-7000-8000-{int(number):012}",
        "store": "acme",
        "channel": "acme-shop",
        "channel_order_id": number,
        "number": number,
        "version": 1,
        "sequence": 1,
        "state": "imported",
        "placed_at": NOW,
        "currency": "USD",
        "payment": "paid",
        "addresses": [{"country": "US"}],
        "lines": made,
    }
    return Order.model_validate({**body, **fields})


async def place(hub: ConsoleUnderTest, placed: Order, stage: str) -> dict[str, Any]:
    """The order once the router has answered."""
    await hub.publish(("order-ingest", OrderImported(at=NOW, order=placed, via="pull")))
    answer: dict[str, Any] = await hub.eventually(
        f"/orders/{placed.order_id}", lambda a: a["stage"] == stage and (a["decision"] or a["unroutable"]), 40
    )
    return answer


async def test_rt9_a_preview_tells_the_plan_the_next_best_and_the_roadblocks(hub: ConsoleUnderTest) -> None:
    await place(hub, order("1001", ("MUG", 2), auto_generate=False), "imported")
    shown = await run(hub, "frs", "preview", "1001")
    assert shown.exit_code == 0, shown.output
    text = re.sub(r"[ ]+", " ", shown.output)
    assert "Order 1001 of acme-shop: 2 × MUG to be asked for." in text
    assert "It does not go on: its channel does not generate by itself." in text
    assert "What to do: waybill frs generate NUMBER --reason WHY." in text
    assert "Group main (no rule matches: it is the default group)." in text
    assert "It would cost 12.20 USD: the least that it can cost, proved." in text
    assert "Next best: west for 14.20 USD, 2.00 more." in text
    assert "west would cost more: alone 14.20 USD, 2.00 more." in text
    assert "abroad does not ship to US" in text
    assert "add the country to its serves.countries" in text


async def test_rt9_an_order_that_cannot_go_says_why_and_what_to_do(hub: ConsoleUnderTest) -> None:
    await place(hub, order("1002", ("KETTLE", 1)), "imported")
    shown = await run(hub, "frs", "preview", "1002")
    assert "It cannot go now:" in shown.output
    assert "1 × KETTLE (line L1) stay behind: there is not enough stock" in shown.output
    assert "west has no KETTLE free" in shown.output
    raw = json.loads((await run(hub, "frs", "preview", "1002", "--json")).output)
    assert {block["reason"] for block in raw["groups"][0]["roadblocks"]} == {"does_not_serve_country", "no_stock"}


async def test_rt8_many_orders_are_generated_by_number(hub: ConsoleUnderTest) -> None:
    waiting = order("1003", ("MUG", 1), auto_generate=False)
    await place(hub, waiting, "imported")
    await place(hub, order("1004", ("MUG", 1)), "routed")
    done = await run(hub, "frs", "generate", "1003", "1004", "--reason", "stock is in")
    assert done.exit_code == 1
    assert [said for said in done.output.splitlines() if not said.startswith("command ")] == [
        "1003: is being routed",
        "1004: order 1004 does not wait for generate: it is routed",
    ]
    await hub.eventually(f"/orders/{waiting.order_id}", lambda a: a["stage"] == "routed")


async def test_rt13_void_then_regenerate_by_the_command_line(hub: ConsoleUnderTest) -> None:
    placed = order("1005", ("MUG", 2))
    [fr] = (await place(hub, placed, "routed"))["frs"]
    voided = await run(hub, "frs", "void", "1005", "--reason", "east is flooded")
    answered = json.loads(voided.stdout)
    assert (answered["fr_id"], answered["state"]) == (fr["fr_id"], "void_requested")
    assert answered["command_id"] in voided.stderr
    fact = FrVoided(
        at=NOW,
        sequence=2,
        fr_id=fr["fr_id"],
        order_id=placed.order_id,
        source="east",
        number="1005",
        state=FrState.VOIDED,
        order_version=1,
        router_sequence=2,
    )
    await hub.publish(("fulfillment-push", fact))
    waits = await hub.eventually(f"/orders/{placed.order_id}", lambda a: a["unroutable"] == "voided_by_hand")
    assert waits["waiting"]["by_whom"] == "person"
    done = await run(hub, "frs", "regenerate", fr["fr_id"], "--reason", "dry again")
    assert done.exit_code == 0, done.output
    again = await hub.eventually(f"/orders/{placed.order_id}", lambda a: a["stage"] == "routed")
    assert [f["state"] for f in again["frs"]].count("VOIDED") == 1
    refused = await run(hub, "frs", "void", fr["fr_id"], "--reason", "again")
    assert refused.exit_code == 1
    assert "closed already" in refused.output


@pytest.mark.parametrize("role", ["operator"])
async def test_rt13_only_an_admin_overrides(hub: ConsoleUnderTest, role: str) -> None:
    made = await hub.http.post("/api/v1/keys", json={"name": "op", "role": role})
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    body = {"reason": "hurry", "override": True}
    answer = await hub.http.post("/api/v1/frs/any/actions/regenerate", json=body, headers=key)
    assert (answer.status_code, answer.json()["detail"]) == (403, "Key 'op' is operator; override needs admin.")


async def test_rt10_an_fr_made_by_hand_from_the_command_line(hub: ConsoleUnderTest) -> None:
    placed = order("1006", ("MUG", 2), auto_generate=False)
    await place(hub, placed, "imported")
    made = await run(
        hub, "frs", "create", "1006", "--source", "west", "--line", "L1=1", "--reason", "promised by phone"
    )
    assert made.stdout == "FR 1006 for west: 1 × MUG. No rule chose it; the log says that you did.\n"
    wrong = await run(hub, "frs", "create", "1006", "--source", "west", "--line", "L1", "--reason", "x")
    assert (wrong.exit_code, "write LINE=PIECES" in wrong.output) == (2, True)
    too_many = await run(hub, "frs", "create", "1006", "--source", "west", "--line", "L1=5", "--reason", "x")
    assert (too_many.exit_code, "1 are missing" in too_many.output) == (1, True)


async def test_rt14_a_draft_of_rules_over_past_orders(hub: ConsoleUnderTest, tmp_path: Path) -> None:
    placed = order("1007", ("MUG", 2))
    await place(hub, placed, "routed")
    draft = tmp_path / "draft.yaml"
    draft.write_text("routing: {groups: [{id: main, sources: [west]}]}")
    shown = await run(hub, "routing", "simulate", "--draft", str(draft), "--since", "1d")
    assert shown.exit_code == 0, shown.output
    assert f"made again by {draft} on the stock and costs of then. Nothing was changed." in shown.output
    assert (
        "Landed cost of the 1 that ship either way: 12.20 USD as decided, 14.20 by these rules: 2.00 more (16.4%)."
        in (shown.output)
    )
    assert "1 would ship from elsewhere." in shown.output
    assert re.search(r"1007\W+east\W+west\W+12\.20\W+14\.20\W+\+2\.00\W+USD", shown.output)
    draft.write_text("routing: {groups: [{id: main, sources: [abroad]}]}")
    held = await run(hub, "routing", "simulate", "--draft", str(draft), "--since", "1d")
    assert "1 would have to wait (new holds)." in held.output
    text = re.sub(r"[^\w(),.]+", " ", held.output)
    assert "1007 east east has it, but is not in group main" in text
    wrong = await run(hub, "routing", "simulate", "--version", "0")
    assert (wrong.exit_code, "version 0 of the rules is not kept" in wrong.output) == (1, True)
    versions = await run(hub, "routing", "versions")
    assert "source/abroad" in versions.output


async def test_rt3_a_decision_is_checked_by_the_rules_of_its_own_version(hub: ConsoleUnderTest) -> None:
    await place(hub, order("1008", ("MUG", 2)), "routed")
    shown = await run(hub, "routing", "check", "1008")
    assert shown.exit_code == 0, shown.output
    assert "is right: shipping from east for 12.20 USD is the least that it can cost" in shown.output
    assert "The best other choice of sources costs 14.20." in shown.output
    stages = await run(hub, "routing", "decisions", "1008")
    assert "group main (no rule matched: the default group): east for 12.20 USD" in re.sub(
        r"[^\w().:]+", " ", stages.output
    )
    assert "east: 2 × MUG" in stages.output
    assert "number 1008, sent by itself" in stages.output


async def test_rt1_stock_is_shown_and_sent_from_a_file(hub: ConsoleUnderTest, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("sku,on_hand,unit_cost,weight_g\nMUG,7,2.90,110\nKETTLE,3,,\n")
    sent = await run(hub, "sources", "stock", "east", "--file", str(file))
    assert sent.output == "2 counts taken.\n"
    shown = await run(hub, "sources", "stock", "east")
    assert re.search(r"MUG\W+7\W+0\W+7\W+2\.90\W+110", shown.output)
    file.write_text("sku,on_hand,unit_cost\nMUG,seven,2.90\n,3,x\n")
    wrong = await run(hub, "sources", "stock", "east", "--file", str(file))
    assert wrong.exit_code == 1
    assert f"{file}:2: on_hand: 'seven' is no whole number of 0 or more" in wrong.output
    assert f"{file}:3: sku is empty" in wrong.output
    assert "3 mistakes" in wrong.output
    assert "Try: mend them and give the file again; nothing was sent" in wrong.output
    file.write_text("SKU,quantity\n")
    assert "column 'on_hand' is missing" in (await run(hub, "sources", "stock", "east", "-f", str(file))).output
    none = await run(hub, "sources", "stock", "east", "--uncovered")
    assert none.output == "All that is promised is on hand.\n"


async def test_rt16_an_invoice_against_the_estimates(hub: ConsoleUnderTest, tmp_path: Path) -> None:
    await place(hub, order("1009", ("MUG", 2)), "routed")
    invoice = tmp_path / "invoice.csv"
    invoice.write_text("source,number,total,currency\neast,1009,16.20,USD\neast,4711,1.00,USD\n")
    shown = await run(hub, "routing", "actuals", str(invoice))
    assert shown.exit_code == 0, shown.output
    assert "1 of 2 name no FR of ours: east 4711" in shown.output
    assert re.search(r"east\W+1\W+12\.20\W+16\.20\W+\+4\.00\W+\+32\.8%", shown.output)
    assert "default: group main" in shown.output
    assert "1 decisions cost 16.20 USD as shipped; the cheapest plans would have cost 14.20, 2.00 less." in shown.output
    assert re.search(r"1009\W+east\W+west\W+16\.20\W+14\.20\W+2\.00", shown.output)
    invoice.write_text("source,number,total,currency\neast,1009,much,usd\n")
    wrong = await run(hub, "routing", "actuals", str(invoice))
    assert "total: 'much' is no amount" in wrong.output
    assert "currency: 'usd' is no currency" in wrong.output
