"""What an audit compares: an order as its channel shows it against our copy, by line and quantity (IN-14; pure).

Other code than `normalize` on purpose: a mistake there must not hide itself.
"""

from typing import Any

from waybill_platforms.model.orders import ChannelOrder


def heal_of(order: ChannelOrder, before: Any | None, after: Any | None, *, fresh: bool) -> str:
    """`missing`, `changed` (in content or holds), or nothing; what no pull was due to bring is `fresh`."""
    if after is None:
        return ""
    if before is None:
        return "fresh" if fresh else "missing"
    if (before["standing"], before["version"]) == (after["standing"], after["version"]):
        return ""
    return "fresh" if fresh else "changed"


def unlike(order: ChannelOrder, ours: Any | None) -> str:
    """What differs between the channel's lines and ours; empty when nothing does, or it is not here to differ."""
    if ours is None or ours["standing"] in ("excluded", "canceled"):
        return ""
    theirs = {line.line_id: line for line in order.lines}
    here = {line["line_id"]: line for line in ours["lines"]}
    if len(theirs) != len(order.lines):  # held as invalid: its lines cannot be told apart
        return ""
    missing, extra = sorted(theirs.keys() - here.keys()), sorted(here.keys() - theirs.keys())
    if missing or extra:
        return f"lines only there: {', '.join(missing) or 'none'}; only here: {', '.join(extra) or 'none'}"[:500]
    for line_id, line in theirs.items():
        left_before = ours["baseline"].get(line_id, 0)
        wanted = (max(line.quantity, 0), max(line.canceled, 0) + left_before)
        has = (here[line_id]["quantity"], here[line_id]["canceled"] - here[line_id].get("killed", 0))
        if wanted != has:
            return f"line {line_id}: ordered and canceled are {wanted} there, {has} here"[:500]
    return ""
