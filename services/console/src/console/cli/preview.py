"""A preview as a buyer of goods reads it: what goes where for how much, what is next best, and what to mend."""

from typing import Any

from console.cli.amounts import cents
from console.cli.client import out, print_table


def show_preview(answer: dict[str, Any]) -> None:
    """The order's own group in full, the others in a line each."""
    missing = answer["missing"]
    say(f"Order {answer['number']} of {answer['channel']}: {_units(missing) or 'nothing'} to be asked for.")
    for stop in answer["stops"]:
        word = "Nothing is left to do" if stop["reason"] == "nothing_to_ship" else "It does not go on"
        say(f"{word}: {stop['sentence']}." + _mend(stop))
    if not missing:
        return
    say(f"Group {answer['group']} ({answer['chosen_by']})." if answer["group"] else f"No group: {answer['chosen_by']}.")
    for group in answer["groups"]:
        if group["chosen"]:
            _plan(group)
    for group in answer["groups"]:
        if not group["chosen"]:
            _in_short(group)


def _plan(group: dict[str, Any]) -> None:
    if group["cost"] is None:
        say("It cannot go now:")
    else:
        proved = "the least that it can cost, proved" if group["proved"] else "the best that was found in time"
        say(f"It would cost {cents(group['cost'])} {group['currency']}: {proved}.")
    for lack in group["unfulfilled"]:
        say(
            f"  {lack['quantity']} × {lack['sku']} (line {lack['line_id']}) stay behind: {lack['sentence']}."
            + _mend(lack)
        )
    _requests(group)
    second = group["runner_up"]
    if second:
        say(
            f"Next best: {' and '.join(second['sources'])} for {cents(second['cost'])} {group['currency']}, "
            f"{cents(second['more'])} more."
        )
    for item in group["not_in_plan"]:
        say(f"  {item['sentence']}.")
    blocks: dict[tuple[str, str, str], list[str]] = {}
    for b in group["roadblocks"]:
        blocks.setdefault((b["source"], b["sentence"], b["fix"]), []).append(b["sku"])
    rows = [[source, _skus(skus), sentence, fix] for (source, sentence, fix), skus in blocks.items()]
    if rows:
        print_table("Roadblocks", ["source", "for", "what stands in the way", "what to do"], rows, "")


def _skus(skus: list[str]) -> str:
    """Each SKU once; a roadblock that names none is for all of them."""
    return ", ".join(dict.fromkeys(skus)) if all(skus) else "all of it"


def _requests(group: dict[str, Any]) -> None:
    rows = [
        [
            fr["source"],
            fr["number"] or "",
            _units(fr["lines"]),
            *(cents(fr[part]) for part in ("items", "fee", "shipping", "cost")),
            group["currency"],
        ]
        for fr in group["frs"]
    ]
    if rows:
        names = ["source", "FR", "units", "items", "fee", "shipping", "total", ""]
        print_table("Fulfillment requests", names, rows, "")


def _in_short(group: dict[str, Any]) -> None:
    if group.get("cost"):
        where = " and ".join(dict.fromkeys(fr["source"] for fr in group["frs"]))
        say(f"In group {group['group']} it would ship from {where} for {cents(group['cost'])} {group['currency']}.")
    elif group["unfulfilled"]:
        why = "; ".join(dict.fromkeys(lack["sentence"] for lack in group["unfulfilled"]))
        say(f"In group {group['group']} it could not go: {why}.")


def _mend(item: dict[str, Any]) -> str:
    return f" What to do: {item['fix']}." if item["fix"] else ""


def _units(lines: list[dict[str, Any]]) -> str:
    return ", ".join(f"{line['quantity']} × {line['sku']}" for line in lines)


def say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
