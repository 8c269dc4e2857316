"""`waybill orders rerun`: what would today's mappings and rules make of an order? (OP-13)"""

from typing import Any

from console.cli.client import call, out, print_json, print_table
from console.cli.options import Json


def rerun_order(order_id: str, as_json: Json) -> None:
    """Asks, and says what would be otherwise."""
    found = call("GET", f"/orders/{order_id}/rerun")
    if as_json:
        print_json(found)
        return
    if not found["differs"]:
        out.print(f"{found['number']}: today's mappings and rules would make the same of it. Nothing was changed.")
        return
    then, now = found["then"], found["now"]
    rows = [[name.replace("_", " "), _word(then[name]), _word(now[name])] for name in found["differs"] if name in then]
    rows += [
        [
            "routing",
            f"{_sources(d['from'])} {d['cost_then'] or ''}",
            f"{_sources(d['to'])} {d['cost_now'] or d['reason']}",
        ]
        for d in found["routing"]
        if d["kind"] not in ("same", "skipped") or d["cost_then"] != d["cost_now"]
    ]
    print_table(f"{found['number']}, run again", ["", "then", "today"], rows, "")
    out.print("Nothing was changed: this only says what would be.")


def _sources(names: list[str]) -> str:
    return " + ".join(names) or "nowhere"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_part(part) for part in value) or "none"
    return str(value or "none")


def _part(part: dict[str, Any]) -> str:
    """A hold by its reason and value, a line by what it is made of."""
    if "reason" in part:
        return f"{part['reason']}" + (f" ({part['value']})" if part.get("value") else "")
    made = " + ".join(f"{one['quantity']} x {one['sku']}" for one in part["components"])
    return f"{part['channel_sku']} = {made or ('a service' if part['service'] else 'not mapped')}"
