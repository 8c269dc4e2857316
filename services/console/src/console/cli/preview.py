"""A preview as a buyer of goods reads it: what goes where for how much, what is next best, and what to mend."""

from typing import Any

from console.cli.client import out, print_table


def show_preview(answer: dict[str, Any]) -> None:
    """The order's own group in full, the others in a line each."""
    missing = answer["missing"]
    say(f"Order {answer['number']} of {answer['channel']}: {_units(missing) or 'nothing'} to be asked for.")
    for stop in answer["stops"]:
        say(f"It does not go on: {stop['sentence']}." + _mend(stop))
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
        say(f"It would cost {group['cost']} {group['currency']}: {proved}.")
    for lack in group["unfulfilled"]:
        say(
            f"  {lack['quantity']} × {lack['sku']} (line {lack['line_id']}) stay behind: {lack['sentence']}."
            + _mend(lack)
        )
    rows = [
        [fr["source"], fr["number"] or "", _units(fr["lines"]), fr["items"], fr["fee"], fr["shipping"], fr["cost"]]
        for fr in group["frs"]
    ]
    if rows:
        print_table("Fulfillment requests", ["source", "FR", "units", "items", "fee", "shipping", "together"], rows, "")
    second = group["runner_up"]
    if second:
        say(
            f"Next best: {' and '.join(second['sources'])} for {second['cost']} {group['currency']}, "
            f"{second['more']} more."
        )
    for item in group["not_in_plan"]:
        say(f"  {item['sentence']}.")
    blocks = [[b["source"], b["line_id"] or "all", b["sentence"], b["fix"]] for b in group["roadblocks"]]
    if blocks:
        print_table("Roadblocks", ["source", "line", "what stands in the way", "what to do"], blocks, "")


def _in_short(group: dict[str, Any]) -> None:
    if group.get("cost"):
        where = " and ".join(dict.fromkeys(fr["source"] for fr in group["frs"]))
        say(f"In group {group['group']} it would ship from {where} for {group['cost']} {group['currency']}.")
    elif group["unfulfilled"]:
        why = "; ".join(dict.fromkeys(lack["sentence"] for lack in group["unfulfilled"]))
        say(f"In group {group['group']} it could not go: {why}.")


def _mend(item: dict[str, Any]) -> str:
    return f" What to do: {item['fix']}." if item["fix"] else ""


def _units(lines: list[dict[str, Any]]) -> str:
    return ", ".join(f"{line['quantity']} × {line['sku']}" for line in lines)


def say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
