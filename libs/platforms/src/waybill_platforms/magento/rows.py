"""Which rows of an order are shipped, and how many pieces of each are open. Pure.

Magento lists parents and children side by side and repeats the SKU; for the row that is only a dummy it accepts *any*
quantity without a word. So exactly one of both is a line: the parent of a configurable, the parent of a bundle that is
shipped together, the children of a bundle that is shipped separately.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from waybill_platforms.magento.wire import Row

BUNDLE = "bundle"
Separately = Mapping[int, bool]
"""Product id of a bundle -> is it shipped separately; one that is missing here could not be read."""


def bundles(rows: Iterable[Row]) -> set[int]:
    """Products of which it has to be known how they are shipped: an order's row does not say it."""
    rows = list(rows)
    parents = {row.parent_item_id for row in rows}
    return {
        row.product_id
        for row in rows
        if row.product_type == BUNDLE and row.item_id in parents and row.product_id is not None
    }


def lines(rows: Sequence[Row], separately: Separately, problems: list[str]) -> list[Row]:
    """The rows that are shipped, in the order of the list. A bundle of unknown kind is named in `problems`."""
    parents = {row.item_id: row for row in rows}
    with_children = {row.parent_item_id for row in rows if row.parent_item_id is not None}
    shipped_apart = {
        item_id for item_id in with_children if item_id in parents and _apart(parents[item_id], separately, problems)
    }
    chosen = []
    for row in rows:
        if row.parent_item_id in parents:
            if row.parent_item_id in shipped_apart:
                chosen.append(row)
        elif row.item_id not in shipped_apart:
            chosen.append(row)
    return chosen


def _apart(parent: Row, separately: Separately, problems: list[str]) -> bool:
    if parent.product_type != BUNDLE:
        return False
    known = None if parent.product_id is None else separately.get(parent.product_id)
    if known is None:
        problems.append(
            f"items.{parent.item_id}: bundle {parent.sku!r} is no product there any more, so whether it is shipped "
            "as one or in parts cannot be read"
        )
    return bool(known)


def pieces(value: Decimal | None, name: str, problems: list[str]) -> int:
    """Whole pieces; a part of one is named in `problems` and rounded down."""
    if value is None:
        return 0
    if value != int(value):
        problems.append(f"{name}: {value} is no whole number of pieces")
    return int(value)


def unshipped(row: Row) -> int:
    """Pieces that are neither shipped, refunded nor canceled; never less than none.

    Newer versions count a refunded piece that had shipped only once; the smaller number is the safe one.
    """
    gone = (row.qty_shipped or 0) + (row.qty_refunded or 0) + (row.qty_canceled or 0)
    return max(int(row.qty_ordered - gone), 0)
