"""Sources that do what no document says they may: each gets its request once, and we know what became of it.

(FP-5, FP-6.) They are spoken to by the real client of the HTTP source. Acknowledged twice, acknowledged after a cancel,
canceled after a shipment, and a part canceled later: test_source_progress.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from aiohttp import web

from waybill_platforms.http import NoBudget
from waybill_platforms.http_source.client import open_supplier
from waybill_platforms.http_source.settings import HttpSourceSettings

AT = "2026-11-22T09:30:00Z"


@dataclass
class Supplier:
    """Answers what it is told to; keeps what it was asked, by reference."""

    answer: Callable[[Supplier, dict[str, Any]], Any] = lambda supplier, body: supplier.stored(body)
    posts: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stored(self, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A Request as the document wants it."""
        lines = [{**line, "canceled": 0} for line in body["lines"]]
        told = {"id": f"r-{body['reference']}", "reference": body["reference"], "state": "acknowledged"}
        self.kept[body["reference"]] = {**told, "lines": lines, "created_at": AT, "updated_at": AT, **changes}
        return self.kept[body["reference"]]

    async def post(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posts.append(body)
        return web.json_response(self.answer(self, body))

    async def find(self, request: web.Request) -> web.Response:
        known = self.kept.get(request.query["reference"])
        return web.json_response({"requests": [known] if known else []})


@pytest_asyncio.fixture
async def supplier(stage: Any) -> AsyncIterator[Supplier]:
    made = Supplier()
    app = web.Application()
    app.router.add_post("/requests", made.post)
    app.router.add_get("/requests", made.find)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = HttpSourceSettings(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    connection = open_supplier("east", settings, NoBudget())

    async def opened(known: Any) -> Any:
        return connection

    stage.open = opened
    yield made
    await connection.aclose()
    await runner.cleanup()


async def test_fp6_a_part_is_accepted_and_the_rest_is_told_by_line(stage: Any, kit: Any, supplier: Supplier) -> None:
    def a_part(own: Supplier, body: dict[str, Any]) -> dict[str, Any]:
        lines = [{**line, "canceled": 1} for line in body["lines"]]
        return own.stored(body, lines=lines)

    supplier.answer = a_part
    await stage.deliver(kit.created())
    await stage.send()
    facts = dict(await stage.told("f1"))
    assert facts["fr.submitted"]["state"] == "ACKNOWLEDGED"
    assert facts["fr.canceled"]["lines"] == [{"line_id": "l1", "sku": "SKU-1", "quantity": 1}]


async def test_fp6_renamed_skus_are_told_apart_by_line_also_when_the_answer_was_lost(
    stage: Any, kit: Any, supplier: Supplier
) -> None:
    def renamed(own: Supplier, body: dict[str, Any]) -> Any:
        own.stored(body, lines=[{**line, "sku": "THEIRS-7", "canceled": 1} for line in body["lines"]])
        return {"id": 7}  # nobody can read this: the request is read back

    supplier.answer = renamed
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["platform_id"], len(supplier.posts)) == ("ACKNOWLEDGED", "r-E-f1", 1)
    assert dict(await stage.told("f1"))["fr.canceled"]["lines"] == [{"line_id": "l1", "sku": "SKU-1", "quantity": 1}]


async def test_fp5_a_200_with_an_error_inside_is_no_success_and_its_words_are_kept(
    stage: Any, kit: Any, supplier: Supplier
) -> None:
    supplier.answer = lambda own, body: {"error": "customer account is blocked"}
    await stage.deliver(kit.created())
    for _ in range(10):
        await stage.send()
        await stage.pass_time(200)
    row = await stage.fr()
    assert (row["state"], row["attempts"], len(supplier.posts)) == ("FAILED", 4, 4)
    assert "each time" in row["reason"]["message"]
    assert "customer account is blocked" in str(await exchanges(stage))  # in the transaction record
    supplier.answer = lambda own, body: own.stored(body)  # they mended it
    await stage.act(["f1"], kit.resend(stage))
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_fp5_a_200_with_an_error_inside_after_the_work_was_done_is_found_not_doubled(
    stage: Any, kit: Any, supplier: Supplier
) -> None:
    def did_it_and_complains(own: Supplier, body: dict[str, Any]) -> Any:
        own.stored(body)
        return {"ok": False, "error": "mail server is away"}

    supplier.answer = did_it_and_complains
    await stage.deliver(kit.created())
    await stage.send()
    assert ((await stage.fr())["state"], len(supplier.posts)) == ("ACKNOWLEDGED", 1)


async def test_fp5_an_answer_about_another_request_is_not_believed(stage: Any, kit: Any, supplier: Supplier) -> None:
    def mixed_up(own: Supplier, body: dict[str, Any]) -> Any:
        own.stored(body)
        return own.stored({**body, "reference": "E-other"})

    supplier.answer = mixed_up
    await stage.deliver(kit.created())
    await stage.send()
    assert ((await stage.fr())["state"], (await stage.fr())["platform_id"]) == ("ACKNOWLEDGED", "r-E-f1")


async def exchanges(stage: Any) -> list[Any]:
    return [fact for kind, fact in await stage.told() if kind == "exchange.recorded"]
