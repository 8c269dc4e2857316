"""A dry run as it is watched and read: progress while it goes on, then what would differ, in words."""

import json
import os
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from rich.progress import Progress

from console.cli.amounts import cents
from console.cli.client import err, fail, misused, out, print_table, refused, silent, url

_AGO = re.compile(r"^(\d+)([mhd])$")
_UNIT = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def moment(text: str) -> datetime:
    """`now`, `7d` ago, or a date with or without time (UTC unless it says)."""
    now = datetime.now(UTC)
    ago = _AGO.match(text)
    if text == "now":
        return now
    if ago:
        return now - int(ago[1]) * _UNIT[ago[2]]
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        misused(f"{text!r} is no time", "7d, 12h, 30m, now, or 2026-11-01T08:00")
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def simulated(asked: dict[str, Any], *, progress: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(summary, the decisions that would differ)."""
    headers = {
        "Authorization": f"Bearer {os.environ.get('WAYBILL_API_KEY', '')}",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    changes: list[dict[str, Any]] = []
    try:
        with (
            Progress(console=err, disable=not progress, transient=True) as bar,
            httpx.stream(
                "POST", f"{url()}/api/v1/routing:simulate", json=asked, headers=headers, timeout=httpx.Timeout(600.0)
            ) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                refused(answer)
            task = bar.add_task("decisions planned again", total=None)
            for line in answer.iter_lines():
                said = json.loads(line)
                if "change" in said:
                    changes.append(said["change"])
                elif "progress" in said:
                    bar.update(task, completed=said["progress"]["done"], total=said["progress"]["of"])
                else:
                    return said["summary"], changes
    except httpx.HTTPError as error:
        silent(error)
    fail("the dry run broke off before its end", "look at the router's log, and try a shorter window")
    raise AssertionError


def show_summary(name: str, summary: dict[str, Any], changes: list[dict[str, Any]], limit: int) -> None:
    say(
        f"{summary['decisions']} decisions of {summary['since'][:16]} to {summary['until'][:16]} UTC, "
        f"made again by {name} on the stock and costs of then. Nothing was changed."
    )
    say(f"  {summary['same'] - summary['same_but_repriced']} stay as they were.")
    for cost in summary["costs"]:
        say(f"  {_cost(cost)}")
    _orders("would ship from elsewhere", "moved", changes, limit)
    _orders("would have to wait (new holds)", "new_hold", changes, limit)
    _orders("that had to wait could have gone", "no_longer_held", changes, limit)
    if summary["same_but_repriced"]:
        say(f"  {summary['same_but_repriced']} ship from where they did, at another price.")
    if summary["skipped"]:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in summary["skipped"].items())
        say(f"  Not compared: {reasons}.")


def _cost(cost: dict[str, Any]) -> str:
    then, difference = Decimal(cost["then"]), Decimal(cost["difference"])
    share = f" ({abs(difference) / then:.1%})" if then else ""
    word = "the same" if not difference else f"{abs(difference):.2f} {'more' if difference > 0 else 'less'}{share}"
    return (
        f"Landed cost of the {cost['decisions']} that ship either way: {then:.2f} {cost['currency']} as decided, "
        f"{Decimal(cost['now']):.2f} by these rules: {word}."
    )


def _orders(words: str, kind: str, changes: list[dict[str, Any]], limit: int) -> None:
    """How many, and which: those with the greatest difference first."""
    found = [change for change in changes if change["kind"] == kind]
    say(f"  {len(found)} {words}.")
    found.sort(key=lambda change: -abs(Decimal(change["difference"] or 0)))
    waits = kind == "new_hold"
    rows = [
        [c["number"], " + ".join(c["from"]), *([c.get("why") or c["reason"]] if waits else _prices(c))]
        for c in found[:limit]
    ]
    if rows:
        names = ["order", "from", *(["why it would wait"] if waits else ["to", "then", "now", "difference", ""])]
        print_table(words if len(found) <= limit else f"{words}, the first {limit}", names, rows, "")


def _prices(change: dict[str, Any]) -> list[str]:
    then, now, difference = change["cost_then"], change["cost_now"], change["difference"]
    to = " + ".join(change["to"])
    return [to, cents(then), cents(now), cents(difference, sign=True), change["currency"] or ""]


def say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
