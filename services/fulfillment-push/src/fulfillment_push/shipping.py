"""How much of an FR has shipped: an axis of its own beside the state (FP-1). Pure; sums of what was told."""

from collections import Counter
from collections.abc import Iterable

from fulfillment_push.fr import Fr
from waybill_contracts.fulfillment_submitted import FrShipping, FrState
from waybill_contracts.shipment_synced import ShipmentFact, ShipmentWithdrawn

Units = list[list[str | int]]
"""[line id, SKU, units] each; one line of an order may stand for several SKUs."""


def units_of(event: ShipmentFact) -> Units:
    """What this shipment holds of its FR; nothing when it was withdrawn."""
    if isinstance(event, ShipmentWithdrawn):
        return []
    return [[line.line_id, line.sku, line.quantity] for line in event.shipment.lines]


def count(fr: Fr, shipments: Iterable[Units]) -> None:
    """Takes the sum over all its shipments, and says what it amounts to."""
    total: Counter[tuple[str, str]] = Counter()
    for units in shipments:
        for line_id, sku, quantity in units:
            total[(str(line_id), str(sku))] += int(quantity)
    fr.shipped_total = dict(total)
    reckon(fr)


def reckon(fr: Fr) -> None:
    """`shipping` by what is asked, not canceled, and shipped. Needs the FR's request."""
    if not fr.shipped_total:
        fr.shipping = FrShipping.CANCELED if fr.state in (FrState.CANCELED, FrState.VOIDED) else FrShipping.AWAITING
        return
    wanted: Counter[tuple[str, str]] = Counter()
    for line in fr.request.lines:
        wanted[(line.line_id, line.sku)] += line.quantity
    wanted.subtract(fr.canceled_total)
    whole = all(fr.shipped_total.get(key, 0) >= units for key, units in wanted.items())
    fr.shipping = FrShipping.SHIPPED if whole else FrShipping.PARTIAL
