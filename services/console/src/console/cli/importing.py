"""`waybill orders import FILE` and `waybill orders place`: orders that a person hands in (IN-5)."""

import csv
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from console.cli.acting import Wait, act, show
from console.cli.client import call_patiently, err, fail, misused, out, print_table
from console.cli.options import Json
from console.cli.spool import Spool, UnreadableFile

_ORDERS, _ROWS, _SIZE = 500, 10_000, 1024 * 1024
"""What goes in one chunk: orders, rows, characters. One larger order goes alone."""
_OUTCOMES = ("imported", "unchanged", "held", "excluded", "rejected")
_ERROR = ("row", "field", "value", "fix", "problem", "number", "column")


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, plain or gzipped; one row a line", exists=True, dir_okay=False)],
    channel: Annotated[str, typer.Option(help="the channel that the orders belong to (platform events)")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=COLUMN,...; required: number, sku, quantity, country", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Import orders from a file. Good orders are imported although others are bad; the same file again changes nothing.

    Rows that keep an order out are written beside the file, with field, value and fix. Columns are those of
    the channel's saved mapping (`file.columns`) where --map does not say.

    Example: waybill orders import orders.csv.gz --channel acme-files
    --map number=InvoiceNo,sku=StockCode,quantity=Quantity,country=Country --dry-run
    """
    began = time.monotonic()
    try:
        with Spool(file) as spool, _bar(quiet=as_json) as progress:
            head = {"channel": channel, "columns": spool.head(), "map": _pairs(mapping or []), "dry_run": dry_run}
            columns = _send({**head, "rows": []})["columns"]
            _read(spool, columns["number"], progress)
            report = Report(_beside(file))
            _import(spool, head, report, progress)
    except UnreadableFile as error:
        fail(str(error), "give a CSV file in UTF-8 with a heading, also gzipped: `waybill orders import --help`")
    report.close()
    summary = {"rows": spool.rows, **report.counts(), "seconds": round(time.monotonic() - began, 3)}
    _say(summary, report, dry_run=dry_run, as_json=as_json)


_BY_MAPPING = "once imported, waybill failures names each with its fix; mended, all of them go on"
_BY_JUDGEMENT = "waybill orders list --hold {}, then waybill orders release or cancel"
_NOTHING = "nothing: there is nothing in it to ship"
_STEPS = {
    "unmapped_sku": _BY_MAPPING,
    "unmapped_shipping_method": _BY_MAPPING,
    "awaiting_payment": "goes on when a later file says paid, or when import.deferred lists its state",
    "on_hold_at_channel": "goes on when its channel releases it",
    "invalid": "waybill orders explain NUMBER names every field; correct it and import the file again",
    "cancellation": "nothing: it only takes goods back",
    "nothing_to_ship": _NOTHING,
    "canceled": _NOTHING,
    "payment_refunded": _NOTHING,
}
_FILTERED = "the channel's filter leaves it out (import.payment, import.fulfillment); waybill orders explain NUMBER"


def next_step(reason: str) -> str:
    """What mends a hold or an exclusion, in one line."""
    if reason in ("duplicate_suspected", "fraud_risk", "on_hold_by_rule", "on_hold_by_person"):
        return _BY_JUDGEMENT.format(reason)
    return _STEPS.get(reason, _FILTERED)


class Report:
    """Adds up what became of the orders, and writes errors beside the file as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors = 0
        self.reasons: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        self._file: Any = None
        path.unlink(missing_ok=True)  # of an earlier run

    def add(self, answer: dict[str, Any]) -> None:
        self._total.update({name: answer[name] for name in ("orders", *_OUTCOMES)})
        self.reasons.update(answer["reasons"])
        if answer["errors"] and self._file is None:
            self._file = self.path.open("w", newline="", encoding="utf-8")
            csv.writer(self._file).writerow(_ERROR)
        for error in answer["errors"]:
            csv.writer(self._file).writerow([error[name] for name in _ERROR])
        self.errors += len(answer["errors"])

    def counts(self) -> dict[str, int]:
        return {name: self._total[name] for name in ("orders", *_OUTCOMES)}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _beside(file: Path) -> Path:
    """Where errors go; into the present folder where the file's own may not be written to."""
    folder = file.parent if os.access(file.parent, os.W_OK) else Path()
    return folder / f"{file.name}.errors.csv"


def _read(spool: Spool, number_column: str, progress: Progress) -> None:
    task = progress.add_task("reading", total=spool.size, unit="")
    spool.read(number_column, lambda done: progress.update(task, completed=done))
    progress.update(task, completed=spool.size, visible=False)


def _import(spool: Spool, head: dict[str, Any], report: Report, progress: Progress) -> None:
    task: TaskID = progress.add_task(
        "importing" if not head["dry_run"] else "trying", total=spool.orders, unit="orders/s"
    )
    began = time.monotonic()
    for orders, rows in spool.chunks(_ORDERS, _ROWS, _SIZE):
        report.add(_send({**head, "rows": rows}))
        progress.advance(task, orders)
        rate = progress.tasks[task].completed / max(time.monotonic() - began, 0.001)
        progress.update(task, unit=f"{rate:,.0f} orders/s")


def _send(chunk: dict[str, Any]) -> Any:
    """A chunk that was lost on the way is sent again: it changes nothing twice."""
    return call_patiently("POST", "/orders:import", json=chunk)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, disable=quiet, transient=True) as progress:
        yield progress


def _say(summary: dict[str, Any], report: Report, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        detail = {"reasons": dict(report.reasons), "errors": report.errors, "dry_run": dry_run}
        detail["errors_file"] = str(report.path) if report.errors else None
        for line in (detail, summary):
            out.print(json.dumps(line), markup=False, highlight=False, soft_wrap=True)
        return
    title = f"{summary['rows']} rows, {summary['orders']} orders in {summary['seconds']:.1f} s"
    title += ", nothing changed (dry run)" if dry_run else ""
    print_table(title, ["outcome", "orders"], [[name, summary[name]] for name in _OUTCOMES], "")
    why = [[reason, count, next_step(reason)] for reason, count in report.reasons.most_common()]
    if why:
        print_table("Why held or excluded", ["reason", "orders", "next"], why, "")
    if report.errors:
        out.print(f"{report.errors} rows are wrong; what and how to mend them: {report.path}", soft_wrap=True)


def place(
    file: Annotated[Path | None, typer.Option("-f", help="the order as YAML or JSON; options add to it")] = None,
    channel: Annotated[str | None, typer.Option(help="a channel with platform events")] = None,
    number: Annotated[str | None, typer.Option(help="the order's number, unique within the channel")] = None,
    country: Annotated[str | None, typer.Option(help="destination, ISO 3166-1 alpha-2")] = None,
    line: Annotated[list[str] | None, typer.Option(help="SKU=QUANTITY, once for each line")] = None,
    shipping_method: Annotated[str | None, typer.Option(help="as the channel names it")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key: the same key places the order once")] = None,
    wait: Wait = None,
) -> None:
    """Place one order by hand.

    Example: waybill orders place --channel phone --number P-17 --country DE --line SKU-1=2
    """
    order: dict[str, Any] = {}
    if file is not None:
        try:
            order = yaml.safe_load(file.read_text())
        except (OSError, yaml.YAMLError) as error:
            fail(f"{file}: {error}", "name a YAML or JSON file that can be read")
        if not isinstance(order, dict):
            fail(f"{file}: this is no order", "write one as a mapping, as POST /orders in /api/openapi.json describes")
    said = {"channel": channel, "number": number, "shipping_method": shipping_method}
    order |= {name: value for name, value in said.items() if value is not None}
    if country:
        order["ship_to"] = {**order.get("ship_to", {}), "country": country}
    if line:
        order["lines"] = [{"sku": sku, "quantity": quantity} for sku, quantity in _pairs(line).items()]
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    show(act("/orders", order, wait, headers=headers))


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in (part for one in words for part in one.split(",") if part.strip()):
        name, sign, value = word.partition("=")
        if not sign or not name.strip() or not value.strip():
            misused(f"{word!r} is no pair", "NAME=VALUE, several separated by commas")
        pairs[name.strip()] = value.strip()
    return pairs
