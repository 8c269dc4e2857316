"""`waybill failures`: one cause, so many orders, one action."""

from typing import Any

from console.cli.client import call, out, print_json
from console.cli.options import Json
from console.waiting import BY_A_PERSON

_COUNTED = ("missing_cost", "missing_weight", "no_stock")
_RULES = (
    "no_source_serves", "source_not_in_group", "single_fr_impossible", "max_frs_reached", "line_not_splittable",
    "mixed_currencies", "not_configured", "unmapped_sku", "unmapped_shipping_method", "number_too_long",
    "number_empty", "number_duplicate",
)  # fmt: skip
_CONFIGURED = "waybill export -f config.yaml, change it, then waybill apply -f config.yaml"

_MAPPINGS = {"unmapped_sku": "skus", "unmapped_shipping_method": "shipping-methods"}
_RELEASED_BY_HAND = ("duplicate_suspected", "fraud_risk", "on_hold_by_rule", "on_hold_by_person")
"""Holds that ask for a person's judgement; the others end with their cause, and a release of them is refused."""


def failures(as_json: Json = False) -> None:
    """What waits for a person, by cause, and what mends it for all: the cause with most orders first.

    Example: waybill failures
    """
    items = call("GET", "/failures")["items"]
    if as_json:
        print_json(items)
        return
    if not items:
        out.print("Nothing waits for a person.")
    for item in items:
        out.print(f"[bold]{item['orders']}[/bold] ", end="")
        for text in (_head(item), f"    {item['action']}", f"    By: {command(item)}", _examples(item), ""):
            out.print(text, markup=False, highlight=False, soft_wrap=True)


def command(failure: dict[str, Any]) -> str:
    """What a person types to mend it, or to look closer where that takes a decision."""
    kind, code = failure["kind"], failure["code"]
    if kind == "held" and code in _MAPPINGS:
        one = f"waybill channels mappings {failure['channel']} {_MAPPINGS[code]} --set {failure.get('value')!r}=OURS"
        return f"{one}; many at once: {_CONFIGURED}"
    if kind == "held" and code in _RELEASED_BY_HAND:
        return f"waybill orders list --hold {code}, then waybill orders release NUMBER --reason WHY"
    if kind == "held":
        return f"waybill orders list --hold {code} names them; they go on by themselves when that is mended"
    if kind == "unroutable" and code in BY_A_PERSON:
        return "waybill frs generate NUMBER ... --reason WHY"
    if kind == "unroutable" and code in _COUNTED:
        return f"waybill sources stock {failure.get('source', 'SOURCE')} --file counts.csv"
    if kind == "unroutable" and code in _RULES:
        return _CONFIGURED
    if kind == "unroutable":
        return f"waybill frs preview '{failure['examples'][0]['number']}' says what stands in the way"
    if kind == "fr_failed":
        return f"waybill frs resend --source {failure['source']} --reason WHY"
    if kind == "shipment_sync_failed":
        if code == "COURIER_NOT_MAPPED":
            return _CONFIGURED
        return f"waybill shipments resync --channel {failure['channel']} --cause {code}"
    return f"waybill orders timeline '{failure['examples'][0]['number']}' --exchanges shows what was said"


def _head(failure: dict[str, Any]) -> str:
    said = failure.get("value") or failure["message"]
    where = failure.get("channel") or failure.get("source")
    orders = "order" if failure["orders"] == 1 else "orders"
    return (
        f"{orders}: {failure['code']}{f' ({said})' if said else ''}{f' at {where}' if where else ''}, "
        f"since {failure['since'][:16]}"
    )


def _examples(failure: dict[str, Any]) -> str:
    return "    E.g. " + ", ".join(one["number"] for one in failure["examples"][:3])
