"""Actual costs as they are sent from a file, and their report as a buyer of goods reads it (RT-16)."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.cli.amounts import cents
from console.cli.client import call, err, out, print_table
from console.cli.tables import Cell, amount, read_table

AT_ONCE = 1000


def _currency(text: str) -> str:
    if len(text) != 3 or not text.isalpha() or not text.isupper():
        raise ValueError("is no currency: write USD, EUR, ...")
    return text


COLUMNS: dict[str, Cell] = {"source": str, "number": str, "total": amount, "currency": _currency}


def send_charges(file: Path) -> str:
    """The batch under which the file's charges are stored: the same file gives the same one."""
    rows = read_table(file, COLUMNS, tuple(COLUMNS))
    batch = f"{file.name}@{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    unknown: list[dict[str, str]] = []
    for at in range(0, len(rows), AT_ONCE):
        body = {"batch": batch, "charges": rows[at : at + AT_ONCE]}
        unknown += call("POST", "/routing/actuals", json=body)["unknown"]
    if unknown:
        names = ", ".join(f"{charge['source']} {charge['number']}" for charge in unknown[:10])
        err.print(f"{len(unknown)} of {len(rows)} name no FR of ours: {names}", markup=False, soft_wrap=True)
    return batch


def show_actuals(report: dict[str, Any], limit: int) -> None:
    """Differences by source and rule, then what true prices would have changed."""
    for title, lines in (("By source", report["by_source"]), ("By rule", report["by_rule"])):
        rows = [
            [
                x["name"],
                x["frs"],
                cents(x["estimated"]),
                cents(x["charged"]),
                cents(x["difference"], sign=True),
                _share(x["share"]),
                cents(x["each_fr"], sign=True),
                x["currency"],
            ]
            for x in lines
        ]
        names = [title, "FRs", "estimated", "charged", "difference", "share", "each FR", ""]
        print_table(f"{title}: charged against estimated", names, rows, "No charge can be compared.")
    cheapest = report["cheapest"]
    for cost in cheapest["costs"]:
        say(
            f"At true prices {cheapest['decisions']} decisions cost {cents(cost['as_shipped'])} {cost['currency']} "
            "as shipped; "
            f"the cheapest plans would have cost {cents(cost['cheapest'])}, {cents(cost['saves'])} less."
        )
    rows = [
        [
            o["number"],
            " + ".join(o["from"]),
            " + ".join(o["to"]),
            cents(o["as_shipped"]),
            cents(o["cheapest"]),
            cents(o["saves"]),
        ]
        for o in cheapest["orders"][:limit]
    ]
    if rows:
        title = f"{cheapest['moved']} orders would have shipped from elsewhere"
        print_table(title, ["order", "from", "to", "as shipped", "cheapest", "saves"], rows, "")
    if report["not_compared"]:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in report["not_compared"].items())
        say(f"Not compared: {reasons}.")


def _share(text: str | None) -> str:
    return "" if text is None else f"{Decimal(text):+.1%}"


def say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
