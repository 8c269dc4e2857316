"""Shipments that a source posts by itself, and webhooks as hints (SP-1): the same records as by the poll, once."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import APIRouter, FastAPI
from poller_harness import Stage, order_of, source_of, submitted
from pydantic import SecretStr

from shipment_poller.posted_routes import posted_routes
from shipment_poller.take_posted import Posted
from waybill_common.http import answer_refusals
from waybill_common.logs import make_log
from waybill_platforms.errors import SignatureRefused
from waybill_platforms.http_source.pushed import PushedShipments
from waybill_platforms.model.deliveries import Delivery
from waybill_platforms.model.shipments import SourceShipment
from waybill_platforms.ports import SourceConnection

SECRET = "hook secret"
HEADERS = {"authorization": f"Bearer {SECRET}"}


async def _nothing() -> None: ...


def _body(*shipments: SourceShipment) -> bytes:
    return orjson.dumps(
        {
            "shipments": [
                {
                    "id": one.id, "reference": one.reference, "status": one.status, "carrier": one.carrier,
                    "lines": [{"line_ref": x.line_ref, "sku": x.sku, "quantity": x.quantity} for x in one.lines],
                    "tracking_numbers": list(one.tracking_numbers), "tracking_url": one.tracking_url,
                    "shipped_at": one.shipped_at.isoformat(), "updated_at": one.updated_at.isoformat(),
                }
                for one in shipments
            ]
        }
    )  # fmt: skip


def _posted(stage: Stage, **ports: Any) -> Posted:
    ports = ports or {"receiver": PushedShipments(SecretStr(SECRET))}
    connection = SourceConnection("east", None, stage.supplier, stage.supplier.features, _nothing, **ports)  # type: ignore[arg-type]
    return Posted(stage.pool, stage.tools, SimpleNamespace(source=lambda *_: connection), make_log("test", "ERROR"))


async def _submit(stage: Stage, order_id: str = "o1") -> None:
    order = order_of(order_id)
    stage.shop.wanted[order.channel_order_id] = {"l1": 2}
    await stage.take(submitted(order))
    await stage.told()


async def test_sp_1_a_posted_shipment_is_recorded_at_once_and_the_list_that_repeats_it_changes_nothing(
    stage: Stage,
) -> None:
    await _submit(stage)
    shipment = stage.supplier.ship("s1", "E-o1", {"l1": 2})
    answer = await _posted(stage).take("east", HEADERS, _body(shipment))
    assert answer == {"taken": 1, "news": 1, "kept_for_later": 0, "problems": []}
    assert await stage.names() == ["ShipmentRecorded", "OrderShipped"]
    await stage.look()
    await stage.settle()
    assert await stage.names() == ["ShipmentSynced"]
    assert (await _posted(stage).take("east", HEADERS, _body(shipment)))["news"] == 0
    assert stage.shop.calls["create"] == 1


async def test_sp_1_by_post_and_by_poll_at_the_same_moment_it_is_one(stage: Stage) -> None:
    posted = _posted(stage)
    for number in range(15):
        await _submit(stage, f"o{number}")
        shipment = stage.supplier.ship(f"s{number}", f"E-o{number}", {"l1": 2}, [f"N{number}"])
        await asyncio.gather(
            stage.look(), posted.take("east", HEADERS, _body(shipment)), posted.take("east", HEADERS, _body(shipment))
        )
    await stage.settle()
    kinds = await stage.column("select headers ->> 'ce_type' from facts")
    assert kinds.count("waybill.shipment.recorded.v1") == kinds.count("waybill.shipment.synced.v1") == 15
    assert stage.shop.calls["create"] == 15


async def test_sp_5_the_newest_word_counts_whichever_way_it_comes_first(stage: Stage) -> None:
    await _submit(stage)
    old = stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["OLD"])
    new = stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["NEW"])
    posted = _posted(stage)
    await posted.take("east", HEADERS, _body(new))
    await posted.take("east", HEADERS, _body(old))
    stage.supplier.shipments["s1"] = old  # the list lags behind
    await stage.look()
    await stage.settle()
    assert [one.tracking_numbers for one in stage.shop.standing("c-o1")] == [("NEW",)]


async def test_sp_1_what_is_posted_before_its_request_is_known_is_kept_and_applied_later(stage: Stage) -> None:
    shipment = stage.supplier.ship("s1", "E-o1", {"l1": 2})
    answer = await _posted(stage).take("east", HEADERS, _body(shipment))
    assert (answer["news"], answer["kept_for_later"]) == (0, 1)
    await _submit(stage)
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}


async def test_sp_1_a_post_moves_no_cursor_so_that_nothing_before_it_is_skipped(stage: Stage) -> None:
    await _submit(stage)
    await _submit(stage, "o2")
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["A"])
    newer = stage.supplier.ship("s2", "E-o2", {"l1": 2}, ["B"])
    await _posted(stage).take("east", HEADERS, _body(newer))
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}


async def test_sp_1_a_posted_shipment_that_cannot_be_read_is_named_and_its_neighbour_taken(stage: Stage) -> None:
    await _submit(stage)
    body = orjson.loads(_body(stage.supplier.ship("s1", "E-o1", {"l1": 2})))
    body["shipments"].append({"id": "s2"})
    answer = await _posted(stage).take("east", HEADERS, orjson.dumps(body))
    assert answer["taken"] == 1
    assert answer["problems"][0].startswith("shipment s2: ")
    assert "unreadable_shipments/east" in await stage.alerts()


async def test_nothing_is_taken_without_the_right_secret(stage: Stage) -> None:
    await _submit(stage)
    body = _body(stage.supplier.ship("s1", "E-o1", {"l1": 2}))
    with pytest.raises(SignatureRefused):
        await _posted(stage).take("east", {"authorization": "Bearer guessed"}, body)
    assert await stage.column("select count(*) from shipments") == [0]


class Hints:
    """A platform's webhooks."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def read(self, headers: Any, body: bytes) -> Delivery:
        return Delivery("d1", "fulfillments/create", self.kind)  # type: ignore[arg-type]


async def _due_in(stage: Stage) -> float:
    sql = "select extract(epoch from due_at - now())::float8 from source_turns"
    return float((await stage.column(sql))[0])


async def test_sp_1_a_platforms_webhook_is_a_hint_and_a_hundred_of_them_are_one_turn(stage: Stage) -> None:
    await _submit(stage)
    await stage.pool.execute("update source_turns set due_at = now() + interval '15 minutes'")
    posted = _posted(stage, webhooks=Hints("fulfillment"))
    for _ in range(100):
        assert (await posted.take("east", {}, b""))["kind"] == "fulfillment"
    assert 0 < await _due_in(stage) <= 5
    asked = len(stage.supplier.asked)
    await stage.look()
    assert len(stage.supplier.asked) == asked + 1
    assert await _due_in(stage) > 60
    await _posted(stage, webhooks=Hints("ping")).take("east", {}, b"")
    assert await _due_in(stage) > 60


async def test_sp_1_a_hint_while_the_turn_is_under_way_makes_another_one_follow(stage: Stage) -> None:
    await _submit(stage)
    posted, real = _posted(stage, webhooks=Hints("fulfillment")), stage.supplier.list_shipments

    async def hinted(*given: Any) -> Any:
        stage.supplier.list_shipments = real  # type: ignore[method-assign]
        answer = await real(*given)
        await posted.take("east", {}, b"")
        return answer

    stage.supplier.list_shipments = hinted  # type: ignore[method-assign]
    asked = len(stage.supplier.asked)
    await stage.look()
    assert len(stage.supplier.asked) == asked + 2


async def test_the_route_says_what_is_wrong(stage: Stage) -> None:
    async def ask(posted: Posted, source: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        app, router = FastAPI(), APIRouter()
        answer_refusals(app)
        posted_routes(router, posted, ())
        app.include_router(router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://poller") as http:
            call = {"headers": headers, "body": base64.b64encode(body).decode()}
            answer = await http.post(f"/hooks/{source}", json=call)
        return answer.status_code, str(answer.json().get("detail", ""))

    posted = _posted(stage)
    assert await ask(posted, "nowhere", b"", HEADERS) == (404, "'nowhere' is no configured source")
    assert (await ask(posted, "east", b"{}", {}))[0] == 401
    status, detail = await ask(posted, "east", b"{}", HEADERS)
    assert status == 400
    assert "shipments: Field required" in detail
    silent = _posted(stage, stock=None)
    assert "does not post anything" in (await ask(silent, "east", b"{}", HEADERS))[1]
    await stage.take(replace_source(platform="manual", url=None))
    manual = Posted(stage.pool, stage.tools, SimpleNamespace(source=lambda *_: None), make_log("test", "ERROR"))
    assert (await ask(manual, "east", b"{}", HEADERS))[0] == 409


def replace_source(**given: Any) -> Any:
    return source_of(2, **given)


async def test_sp_1_a_list_that_moves_while_it_is_paged_loses_and_doubles_nothing(stage: Stage) -> None:
    """A shipment changes between two pages: it moves to the end, and its neighbours slide over the page's edge."""
    for number in range(6):
        await _submit(stage, f"o{number}")
        stage.supplier.ship(f"s{number}", f"E-o{number}", {"l1": 2}, [f"N{number}"])
    stage.supplier.page_size = 2
    real = stage.supplier.list_shipments

    async def moving(since: Any, requests: Any = (), page: str | None = None) -> Any:
        answer = await real(since, requests, page)
        if page is None:
            stage.supplier.clock += 1
            moved = replace(stage.supplier.shipments["s0"], tracking_numbers=("M",))
            stage.supplier.shipments["s0"] = replace(moved, updated_at=moved.updated_at.replace(minute=30))
        return answer

    stage.supplier.list_shipments = moving  # type: ignore[method-assign]
    await stage.look()  # who was seen twice gives it away, and the list is read once more
    await stage.settle()
    assert [len(stage.shop.standing(f"c-o{n}")) for n in range(6)] == [1] * 6
    assert stage.shop.standing("c-o0")[0].tracking_numbers == ("M",)


async def test_sp_1_a_list_that_never_stands_still_moves_no_cursor(stage: Stage) -> None:
    await _submit(stage)
    for number in range(4):
        stage.supplier.ship(f"s{number}", f"E-none{number}", {"l1": 2})
    stage.supplier.page_size = 2
    real = stage.supplier.list_shipments

    async def moving(since: Any, requests: Any = (), page: str | None = None) -> Any:
        answer = await real(since, requests, page)
        if page is None:
            first = answer.shipments[0]
            stage.supplier.clock += 1
            stage.supplier.ship(first.id, first.reference, {"l1": 2}, [f"M{stage.supplier.clock}"])
        return answer

    stage.supplier.list_shipments = moving  # type: ignore[method-assign]
    await stage.look()
    assert await stage.column("select cursor from source_turns") == [None]
    stage.supplier.list_shipments = real  # type: ignore[method-assign]
    await stage.look()
    assert await stage.column("select cursor from source_turns") != [None]
