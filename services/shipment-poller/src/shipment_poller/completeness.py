"""How much of an order has left, by line and quantity (SP-4); sums of what is recorded, never counters. Pure.

The channel counts pieces, sources count units: a kit's piece has left when each of its components has. Pieces are given
to the shipments in the order in which they came, so that their sum is always the whole pieces shipped so far.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from waybill_contracts.values import (
    FulfillmentRequest,
    FulfillmentStatus,
    Order,
    OrderLine,
    OrderState,
    ShipmentLine,
    SyncStatus,
)

Recipe = Mapping[str, int]
"""SKU -> units of it in one piece of the line."""


@dataclass(frozen=True, slots=True)
class Part:
    """One shipment that counts: taken, with its label, not withdrawn."""

    shipment_id: str
    lines: Sequence[ShipmentLine]


def recipes(order: Order, frs: Iterable[FulfillmentRequest]) -> dict[str, Recipe]:
    """How a piece of each line is made up. What was requested counts before what the order says by now."""
    found: dict[str, dict[str, int]] = {}
    for fr in frs:
        for asked in fr.lines:
            found.setdefault(asked.line_id, {})[asked.sku] = asked.per_piece
    for line in order.lines:
        now = {component.sku: component.quantity for component in line.components}
        requested = found.get(line.line_id)
        if now and (requested is None or requested.keys() <= now.keys()):
            found[line.line_id] = now
    return dict(found)


def pieces(recipe: Recipe, units: Mapping[str, int]) -> int:
    """Whole pieces in `units` (SKU -> units)."""
    return min((units.get(sku, 0) // per_piece for sku, per_piece in recipe.items()), default=0)


def allocate(parts: Sequence[Part], made_of: Mapping[str, Recipe]) -> dict[str, dict[str, int]]:
    """Shipment id -> line id -> pieces (above 0) that this shipment completes; parts in the order they came."""
    units: dict[str, dict[str, int]] = {}
    given: dict[str, int] = {}
    shares: dict[str, dict[str, int]] = {}
    for part in parts:
        share = shares.setdefault(part.shipment_id, {})
        for line in part.lines:
            shipped = units.setdefault(line.line_id, {})
            shipped[line.sku] = shipped.get(line.sku, 0) + line.quantity
        for line_id in {line.line_id for line in part.lines}:
            whole = pieces(made_of.get(line_id, {}), units[line_id])
            if whole > given.get(line_id, 0):
                share[line_id] = whole - given.get(line_id, 0)
                given[line_id] = whole
    return shares


def status(order: Order, shares: Iterable[Mapping[str, int]]) -> FulfillmentStatus:
    """The order's first axis. Shipped means: for every line that ships, shipped >= ordered − canceled."""
    shipped: dict[str, int] = {}
    for share in shares:
        for line_id, count in share.items():
            shipped[line_id] = shipped.get(line_id, 0) + count
    ships = [line for line in order.lines if not line.service]
    open_pieces = sum(_open(order, line, shipped) for line in ships)
    if not any(shipped.values()):
        nothing_wanted = order.state is OrderState.CANCELED or (bool(ships) and open_pieces == 0)
        return FulfillmentStatus.CANCELED if nothing_wanted else FulfillmentStatus.UNFULFILLED
    return FulfillmentStatus.PARTIAL if open_pieces else FulfillmentStatus.SHIPPED


def _open(order: Order, line: OrderLine, shipped: Mapping[str, int]) -> int:
    if order.state is OrderState.CANCELED:
        return 0
    return max(line.wanted - shipped.get(line.line_id, 0), 0)


_WORST = (SyncStatus.FAILED, SyncStatus.PENDING, SyncStatus.SYNCED, SyncStatus.NOT_NEEDED)


def worst(syncs: Iterable[SyncStatus]) -> SyncStatus:
    """The order's second axis: the worst of its fulfillments; none of them: not needed."""
    present = set(syncs)
    return next((sync for sync in _WORST if sync in present), SyncStatus.NOT_NEEDED)
