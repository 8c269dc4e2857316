"""IN-5 whole: `waybill orders import` and `place`, through the console to order-ingest and into the database."""

import asyncio
import csv
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ingest_harness import Live, ingest
from ingest_samples import MAPPED, channel, configured
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import console.app
from console.cli.program import app
from console.messages import Notices
from console.settings import ConsoleSettings
from waybill_common.service import Definition, running

KEY = "wb_key_of_the_import_tests"
SETTINGS: dict[str, Any] = {
    "skus": {"map": {"S1": "SKU-1", "S2": "SKU-2"}, "services": ["POST", "D", "gift_*"]},
    "file": {"columns": {"number": "InvoiceNo", "sku": "StockCode", "quantity": "Quantity", "country": "Country"}},
}
MAP = "number=InvoiceNo,sku=StockCode,quantity=Quantity,country=Country"
HEADER = ["InvoiceNo", "StockCode", "Quantity", "Country"]
DIRTY = [
    ["1", "S1", "6.0", "United Kingdom"],
    ["C2", "S1", "-1.0", "United Kingdom"],
    ["3", "S1", "2", "Germany"],
    ["3", "POST", "1", "Germany"],
    ["4", "gift_0001_40", "1", "EIRE"],
    ["5", "UNKNOWN", "1", "France"],
    ["6", "S2", "2", "Channel Islands"],
    ["7", "S2", "1", "Spain"],
    ["7", "S1", "-1", "Spain"],
    ["8", "S2", "0", "Spain"],
    ["9", "D", "-1", "Spain"],
    ["9", "S2", "1", "Spain"],
    ["1", "S2", "1", "United Kingdom"],
]


@dataclass
class Desk:
    """A console and an order-ingest that run, and a folder with files."""

    live: Live
    url: str
    folder: Path

    async def waybill(self, *words: str) -> Result:
        env = {"WAYBILL_URL": self.url, "WAYBILL_API_KEY": KEY, "COLUMNS": "200", "TERM": "dumb"}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=env)

    async def imported(self, file: Path, *words: str) -> dict[str, int]:
        """The last line of `orders import --json`, without the seconds."""
        result = await self.waybill("orders", "import", str(file), "--channel", "web", "--json", *words)
        assert result.exit_code == 0, result.output
        summary = json.loads(result.output.strip().splitlines()[-1])
        assert set(summary) == {
            "rows", "orders", "imported", "unchanged", "held", "excluded", "rejected", "seconds"
        }  # fmt: skip
        assert summary.pop("seconds") >= 0
        parts = ("imported", "unchanged", "held", "excluded", "rejected")
        assert summary["orders"] == sum(summary[part] for part in parts)
        return dict(summary)

    def file(self, rows: list[list[str]], name: str = "orders.csv") -> Path:
        path = self.folder / name
        opener = gzip.open if name.endswith(".gz") else open
        with opener(path, "wt", newline="", encoding="utf-8") as to:
            csv.writer(to).writerows([HEADER, *rows])
        return path


@pytest.fixture
async def desk(database_url: str, kafka: str, shelf: Any, tmp_path: Path) -> AsyncIterator[Desk]:
    async with ingest(database_url, kafka, shelf) as live:
        await live.publish(configured(), configured(channel("web", "events", **SETTINGS)))
        await live.until_value("select count(*) from channels", 2)
        settings = ConsoleSettings(
            database_url=database_url, kafka=kafka, secret_key=SecretStr("a-secret"), console_port=0,
            admin_key=SecretStr(KEY),
            order_ingest_url=f"http://127.0.0.1:{live.run.port}",
        )  # fmt: skip
        definition = Definition("console", "console", "console", console.app.build, 0, Notices())
        async with running(definition, settings) as run:
            yield Desk(live, f"http://127.0.0.1:{run.port}", tmp_path)


async def standing(desk: Desk) -> dict[str, tuple[str, str]]:
    """number -> (standing, its reasons)."""
    rows = await desk.live.pool.fetch("select number, standing, reason, body from orders")
    return {
        row["number"]: (
            row["standing"],
            row["reason"] or ",".join(sorted({hold["reason"] for hold in row["body"]["holds"]})),
        )
        for row in rows
    }


async def test_in5_a_dirty_file_ends_in_named_outcomes_and_the_same_file_again_changes_nothing(desk: Desk) -> None:
    file = desk.file(DIRTY)

    tried = await desk.imported(file, "--map", MAP, "--dry-run")
    assert await standing(desk) == {}
    first = await desk.imported(file, "--map", MAP)
    facts = await desk.live.pool.fetchval("select count(*) from facts where topic = 'orders.imported'")
    again = await desk.imported(desk.file(DIRTY, "again.csv.gz"))

    assert tried == first == {
        "rows": 13, "orders": 9, "imported": 3, "unchanged": 0, "held": 2, "excluded": 3, "rejected": 1,
    }  # fmt: skip
    assert await standing(desk) == {
        "1": ("imported", ""),
        "C2": ("excluded", "cancellation"),
        "3": ("imported", ""),
        "4": ("excluded", "nothing_to_ship"),
        "5": ("held", "unmapped_sku"),
        "7": ("held", "invalid"),
        "8": ("excluded", "nothing_to_ship"),
        "9": ("imported", ""),
    }
    assert again == {**first, "imported": 0, "held": 0, "excluded": 0, "unchanged": 8}
    assert await desk.live.pool.fetchval("select count(*) from facts where topic = 'orders.imported'") == facts
    body = await desk.live.pool.fetchval("select body from orders where number = '1'")
    assert [(line["channel_sku"], line["quantity"]) for line in body["lines"]] == [("S1", 6), ("S2", 1)]


async def test_in5_errors_are_written_beside_the_file_and_a_mended_file_removes_them(desk: Desk) -> None:
    file = desk.file([["1", "S1", "x", "GB"], ["2", "S1", "1", "Nowhere"], ["3", "S1", "1", "GB"]])
    report = file.with_name("orders.csv.errors.csv")

    summary = await desk.imported(file)
    errors = list(csv.DictReader(report.open()))
    assert (summary["imported"], summary["rejected"]) == (1, 2)
    assert [(e["row"], e["field"], e["value"]) for e in errors] == [("2", "quantity", "x"), ("3", "country", "Nowhere")]
    assert all(error["fix"] for error in errors)

    mended = await desk.imported(desk.file([["1", "S1", "1", "GB"], ["2", "S1", "1", "NL"], ["3", "S1", "1", "GB"]]))
    assert (mended["imported"], mended["unchanged"], mended["rejected"]) == (2, 1, 0)
    assert not report.exists()


async def test_in13_a_file_with_other_quantities_is_an_edit(desk: Desk) -> None:
    await desk.imported(desk.file([["1", "S1", "1", "GB"], ["2", "S1", "1", "GB"]]))

    summary = await desk.imported(desk.file([["1", "S1", "3", "GB"], ["2", "S1", "1", "GB"]]))

    assert (summary["imported"], summary["unchanged"]) == (1, 1)
    row = await desk.live.pool.fetchrow("select version, body from orders where number = '1'")
    assert row is not None
    assert (row["version"], row["body"]["lines"][0]["quantity"]) == (2, 3)


async def test_in5_a_file_larger_than_a_chunk_keeps_scattered_rows_together(desk: Desk) -> None:
    numbers = [str(n) for n in range(1200)]
    rows = [[n, "S1", "1", "GB"] for n in numbers] + [[n, "S2", "2", "GB"] for n in numbers]

    summary = await desk.imported(desk.file(rows, "many.csv.gz"))

    assert (summary["rows"], summary["imported"]) == (2400, 1200)
    short = await desk.live.pool.fetchval("select count(*) from orders where jsonb_array_length(body -> 'lines') <> 2")
    assert short == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--channel", "nowhere"), "not configured"),
        (("--channel", "shop"), "shopify shop"),
        (("--channel", "web", "--map", "number=Rechnung"), "no column 'Rechnung'"),
        (("--channel", "web", "--map", "number"), "NAME=VALUE"),
    ],
)
async def test_in5_what_cannot_work_is_refused_in_one_sentence(desk: Desk, words: tuple[str, ...], told: str) -> None:
    refused = await desk.waybill("orders", "import", str(desk.file(DIRTY)), *words)

    assert refused.exit_code == (2 if told == "NAME=VALUE" else 1)
    assert told in refused.output


async def test_in5_a_line_that_never_ends_is_refused_with_bounded_memory(desk: Desk) -> None:
    path = desk.folder / "bomb.csv.gz"
    with gzip.open(path, "wb") as to:
        to.write(b"InvoiceNo,StockCode,Quantity,Country\n")
        for _ in range(64):
            to.write(b"0" * 1024 * 1024)

    refused = await desk.waybill("orders", "import", str(path), "--channel", "web")

    assert refused.exit_code == 1
    assert "more than 1,048,576 characters" in refused.output


async def test_in5_a_chunk_that_is_too_large_is_refused_before_it_is_held(desk: Desk) -> None:
    async with httpx.AsyncClient(base_url=desk.url, headers={"Authorization": f"Bearer {KEY}"}) as http:
        answer = await http.post("/api/v1/orders:import", content=b" " * (9 * 1024 * 1024))

    assert answer.status_code == 413


async def test_in5_an_order_placed_by_hand_is_here_once_for_each_key(desk: Desk) -> None:
    async with httpx.AsyncClient(base_url=desk.url, headers={"Authorization": f"Bearer {KEY}"}) as http:
        order: dict[str, Any] = {
            "channel": "web", "number": "P-1", "ship_to": {"country": "DE"}, "lines": [{"sku": "S1", "quantity": 2}],
        }  # fmt: skip
        keyed = {"Idempotency-Key": "k-1"}
        first = await http.post("/api/v1/orders", json=order, headers=keyed)
        again = await http.post("/api/v1/orders", json=order, headers=keyed)
        other = await http.post("/api/v1/orders", json={**order, "number": "P-2"}, headers=keyed)
        wrong = await http.post("/api/v1/orders", json={**order, "ship_to": {"country": "Germany"}})
        raced = await asyncio.gather(
            *(http.post("/api/v1/orders", json={**order, "number": "P-3"}, headers={"Idempotency-Key": "k-3"})
              for _ in range(5))
        )  # fmt: skip

    assert (first.status_code, again.json()) == (201, first.json())
    assert other.status_code == 422
    assert "k-1" in other.json()["detail"]
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "ship_to.country")
    assert 201 in {answer.status_code for answer in raced} <= {201, 409}  # 409: the first is still under way
    assert await standing(desk) == {"P-1": ("imported", ""), "P-3": ("imported", "")}
    placed = await desk.waybill(
        "orders", "place", "--channel", "web", "--number", "P-4", "--country", "FR", "--line", "S1=2"
    )
    assert (placed.exit_code, json.loads(placed.stdout)["standing"]) == (0, "imported")


async def test_in15_the_command_line_says_why_an_order_is_not_here_and_where_one_is(desk: Desk) -> None:
    await desk.imported(desk.file([["5", "UNKNOWN", "1", "France"], ["C2", "S1", "-1", "France"]]))

    held = await desk.waybill("orders", "explain", "5", "--channel", "web")
    excluded = await desk.waybill("orders", "explain", "C2", "--channel", "web", "--json")
    unknown = await desk.waybill("orders", "explain", "77", "--channel", "web")

    assert "5 of web: held. unmapped_sku (UNKNOWN)" in held.output
    assert "Next: map 'UNKNOWN' in skus.map" in held.output
    assert json.loads(excluded.stdout)["reason"].startswith("cancellation")
    assert "not_published" in unknown.output


async def test_in11_apply_says_what_it_releases_before_and_after(desk: Desk) -> None:
    old = {"id": "web", "platform": "events", **MAPPED, **SETTINGS}
    new = {**old, "skus": {**SETTINGS["skus"], "map": {**SETTINGS["skus"]["map"], "UNKNOWN": "SKU-9"}}}
    before, after = desk.folder / "before.json", desk.folder / "after.json"
    before.write_text(json.dumps({"stores": [{"id": "acme", "channels": [old]}]}))
    after.write_text(json.dumps({"stores": [{"id": "acme", "channels": [new]}]}))
    await desk.waybill("apply", "-f", str(before), "--yes", "--wait", "0")
    await desk.imported(desk.file([["5", "UNKNOWN", "1", "France"], ["6", "S1", "1", "France"]]))

    shown = await desk.waybill("apply", "-f", str(after), "--dry-run")

    assert "web: releases 1 held orders, lets in 0 others (5); 0 go on waiting" in shown.output
