"""`waybill failures`: one cause, so many orders, one action."""

from typing import Any

from console.cli.client import call, print_json, print_table
from console.cli.options import Json


def failures(as_json: Json = False) -> None:
    """What waits for a person, by cause, and what mends it for all.

    Example: waybill failures
    """
    items = call("GET", "/failures")["items"]
    if as_json:
        print_json(items)
        return
    rows = [[f["orders"], _cause(f), _where(f), f["since"][:16], f["action"], _examples(f)] for f in items]
    names = ["orders", "cause", "where", "since", "what mends it", "e.g."]
    print_table("Failures by cause", names, rows, "Nothing waits for a person.")


def _cause(failure: dict[str, Any]) -> str:
    said = failure.get("value") or failure["message"]
    return f"{failure['code']}: {said}" if said else str(failure["code"])


def _where(failure: dict[str, Any]) -> str:
    return str(failure.get("channel") or failure.get("source") or "")


def _examples(failure: dict[str, Any]) -> str:
    return ", ".join(one["number"] for one in failure["examples"][:3])
