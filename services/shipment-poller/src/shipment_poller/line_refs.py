"""A source's shipment line belongs to a line of the request by the reference we sent (DESIGN section 9).

The reference is the channel's line id; where one order line became several request lines (a kit's components) the
second and further ones are `line_id#2`, `line_id#3`, in the order of the request. Only a source that keeps no
references (Magento's carts, say) is read by SKU: its pieces are dealt out to the request's lines of that SKU, in their
order, to each as many as are left of it; so a SKU that repeats is never counted twice. Pure.
"""

from collections.abc import Mapping, Sequence

from shipment_poller.model import SaidLine
from waybill_contracts.values import RequestLine, ShipmentLine

Pieces = dict[tuple[str, str], int]
"""By (line id, our SKU)."""


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


def match(
    asked: Sequence[RequestLine], said: Sequence[SaidLine], left: Mapping[tuple[str, str], int] | None = None
) -> tuple[ShipmentLine, ...]:
    """The lines in our words, one for each (line, SKU); lines of no quantity are left out. Raises LineUnknown.

    `left` is what earlier shipments left of the request (all of it when None).
    """
    known = references(asked)
    units: Pieces = {}
    for line in said:
        if line.quantity < 0:
            raise LineUnknown(f"line {line.line_ref!r} has quantity {line.quantity}: it must be 0 or more")
        if line.line_ref is None:
            _deal(asked, line, _whole(asked) if left is None else left, units)
            continue
        found = known.get(line.line_ref)
        if found is None:
            raise LineUnknown(
                f"line_ref {line.line_ref!r} ({line.quantity} × {line.sku!r}) is not in the request; "
                f"its lines are {', '.join(known)}"
            )
        units[found.line_id, found.sku] = units.get((found.line_id, found.sku), 0) + line.quantity
    return tuple(ShipmentLine(line_id=line, sku=sku, quantity=n) for (line, sku), n in units.items() if n)


def _deal(asked: Sequence[RequestLine], said: SaidLine, left: Mapping[tuple[str, str], int], units: Pieces) -> None:
    """What is more than was asked stays with the last of the lines, so that it is refused as too much."""
    lines = [line for line in asked if (line.source_sku or line.sku).lower() == said.sku.lower()]
    if not lines:
        skus = ", ".join(dict.fromkeys(line.source_sku or line.sku for line in asked))
        raise LineUnknown(f"{said.quantity} × {said.sku!r}, line_ref None, is not in the request; its SKUs are {skus}")
    rest = said.quantity
    for line in lines:
        key = line.line_id, line.sku
        taken = min(max(left.get(key, 0) - units.get(key, 0), 0), rest)
        units[key] = units.get(key, 0) + taken
        rest -= taken
    units[lines[-1].line_id, lines[-1].sku] += rest


def _whole(asked: Sequence[RequestLine]) -> Pieces:
    left: Pieces = {}
    for line in asked:
        left[line.line_id, line.sku] = left.get((line.line_id, line.sku), 0) + line.quantity
    return left
