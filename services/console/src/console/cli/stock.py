"""`waybill sources stock`: what a source has, and counts sent from a file (RT-1, RT-6)."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.amounts import exact
from console.cli.client import call, out, print_json, print_table
from console.cli.options import Json, Limit
from console.cli.tables import Cell, amount, read_table, whole

AT_ONCE = 1000


def _moment(text: str) -> str:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time: write 2026-11-27T08:00:00Z") from None
    if read.tzinfo is None:
        raise ValueError("has no time zone: write 2026-11-27T08:00:00Z")
    return read.isoformat()


COLUMNS: dict[str, Cell] = {"sku": str, "on_hand": whole, "unit_cost": amount, "weight_g": whole, "counted_at": _moment}


def stock(
    source: Annotated[str, typer.Argument(help="a source's id")],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="counts to send: CSV with sku, on_hand, unit_cost, weight_g, counted_at"),
    ] = None,
    uncovered: Annotated[bool, typer.Option("--uncovered", help="only what is promised and not there")] = False,
    limit: Limit = 500,
    as_json: Json = False,
) -> None:
    """Show what a source has, or send counts from a file. Example: waybill sources stock east --file counts.csv"""
    if file is not None:
        _send(source, file, as_json)
        return
    if uncovered:
        _uncovered(source, limit, as_json)
        return
    items = _levels(source, limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [s["sku"], s["on_hand"], s["reserved"], s["on_hand"] - s["reserved"], s["uncovered"] or "",
         exact(s["unit_cost"]), s["weight_g"], (s["counted_at"] or "")[:16]]
        for s in items
    ]  # fmt: skip
    names = ["SKU", "on hand", "reserved", "free", "uncovered", "unit cost", "grams", "counted at"]
    print_table(f"Stock of {source}", names, rows, f"Nothing is known of {source}'s stock yet.")


def _levels(source: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None and len(items) < limit:
        page = call("GET", f"/sources/{source}/stock", params={"after": after, "limit": min(limit - len(items), 5000)})
        items += page["items"]
        after = page["next"]
    return items


def _send(source: str, file: Path, as_json: bool) -> None:
    rows = read_table(file, COLUMNS, ("sku", "on_hand"))
    taken, older = 0, []
    for at in range(0, len(rows), AT_ONCE):
        answer = call("POST", f"/sources/{source}/stock", json={"levels": rows[at : at + AT_ONCE]})
        taken += answer["taken"]
        older += answer["older"]
    if as_json:
        print_json({"source": source, "rows": len(rows), "taken": taken, "older": older})
        return
    out.print(f"{taken} counts taken.", highlight=False)
    if older:
        text = f"{len(older)} are older than what is known, and changed nothing: {', '.join(older[:10])}"
        out.print(text, markup=False, highlight=False, soft_wrap=True)


def _uncovered(source: str, limit: int, as_json: bool) -> None:
    items = [
        item for item in call("GET", "/stock/uncovered", params={"limit": 5000})["items"] if item["source"] == source
    ]
    if as_json:
        print_json(items[:limit])
        return
    rows = [[u["sku"], u["number"], u["line_id"], u["uncovered"]] for u in items[:limit]]
    names = ["SKU", "FR", "line", "units not there"]
    print_table(f"Promised by {source} and not on hand, newest first", names, rows, "All that is promised is on hand.")
