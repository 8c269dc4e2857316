"""A source's shipment line belongs to a line of the request by the reference we sent, never by SKU (DESIGN section 9).

The reference is the channel's line id; where one order line became several request lines (a kit's components) the
second and further ones are `line_id#2`, `line_id#3`, in the order of the request. Pure.
"""

from collections.abc import Sequence

from shipment_poller.model import SaidLine
from waybill_contracts.values import RequestLine, ShipmentLine


class LineUnknown(ValueError):
    """The source names a line that we did not ask for; the text names it."""


def references(asked: Sequence[RequestLine]) -> dict[str, RequestLine]:
    """Reference -> line of the request, exactly as it was submitted."""
    found: dict[str, RequestLine] = {}
    counts: dict[str, int] = {}
    for line in asked:
        counts[line.line_id] = count = counts.get(line.line_id, 0) + 1
        found[line.line_id if count == 1 else f"{line.line_id}#{count}"] = line
    return found


def match(asked: Sequence[RequestLine], said: Sequence[SaidLine]) -> tuple[ShipmentLine, ...]:
    """The lines in our words, one for each (line, SKU); lines of no quantity are left out. Raises LineUnknown."""
    known = references(asked)
    units: dict[tuple[str, str], int] = {}
    for line in said:
        found = known.get(line.line_ref or "")
        if found is None:
            raise LineUnknown(
                f"line_ref {line.line_ref!r} ({line.quantity} × {line.sku!r}) is not in the request; "
                f"its lines are {', '.join(known)}"
            )
        if line.quantity < 0:
            raise LineUnknown(f"line {line.line_ref!r} has quantity {line.quantity}: it must be 0 or more")
        units[found.line_id, found.sku] = units.get((found.line_id, found.sku), 0) + line.quantity
    return tuple(ShipmentLine(line_id=line, sku=sku, quantity=n) for (line, sku), n in units.items() if n)
