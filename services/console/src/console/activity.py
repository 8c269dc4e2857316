"""What an event means to a person who reads one order's time line: a name and a sentence (OP-2). Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from waybill_contracts import fr_created as fr
from waybill_contracts import fulfillment_submitted as push
from waybill_contracts import orders_imported as orders
from waybill_contracts import shipment_synced as ship
from waybill_contracts.event import Event


class Activity(NamedTuple):
    """One thing that happened to one order."""

    order_id: str
    name: str
    title: str
    detail: dict[str, Any]
    fr_id: str | None = None
    shipment_id: str | None = None


def _because(reason: push.Reason | None) -> str:
    return f": {reason.message}" if reason else ""


def _units(lines: Any) -> str:
    return ", ".join(f"{line.quantity} × {line.sku}" for line in lines)


def _by(event: orders.OrderFact) -> str:
    return f" by {event.actor} ({event.why})" if event.actor else ""


SENTENCES: dict[type[Event], Callable[[Any], str]] = {
    orders.OrderImported: lambda e: f"Imported by {e.via}" + (", held" if e.order.holds else ""),
    orders.OrderChanged: lambda e: f"Changed at the channel ({', '.join(e.changed)}): version {e.order.version}",
    orders.OrderCanceled: lambda e: f"Canceled: {e.reason}" + _by(e),
    orders.OrderHeld: lambda e: "Held: " + (", ".join(h.reason.value for h in e.added) or "fewer reasons") + _by(e),
    orders.OrderReleased: lambda e: "Released: " + ", ".join(hold.reason.value for hold in e.removed) + _by(e),
    fr.OrderRouted: lambda e: f"Routed to {_sources(e)}, landed cost {_cost(e)}" + _too_late(e),
    fr.OrderUnroutable: lambda e: f"Not routed: {e.reason}" + (f" ({e.detail})" if e.detail else "") + _too_late(e),
    fr.FrCreated: lambda e: f"FR {e.fr.number} for {e.fr.source}: {_units(e.fr.lines)}",
    fr.FrConfirmed: lambda e: f"Applied: FR still right for version {e.order_version}",
    fr.FrVoidRequested: lambda e: f"FR is to be taken back: {_why_back(e)}",
    push.FrReceived: lambda e: f"FR {e.number} received for sending",
    push.FrProcessing: lambda e: f"FR {e.number} queued for {e.source}",
    push.FrSubmitted: lambda e: f"FR {e.number} submitted to {e.source}, {e.state.value.lower()}",
    push.FrAcknowledged: lambda e: f"FR {e.number} acknowledged by {e.source}",
    push.FrFailed: lambda e: f"FR {e.number} failed at {e.source}{_because(e.reason)}",
    push.FrOutcomeUnknown: lambda e: f"FR {e.number}: not known whether {e.source} has it{_because(e.reason)}",
    push.FrRecallRequested: lambda e: (
        f"Recall asked: FR {e.number} from {e.source}"
        + (": no answer within the hour" if e.recall is push.Recall.UNANSWERED else "")
    ),
    push.FrRecallRefused: lambda e: f"Too late: {e.source} ships FR {e.number} all the same{_because(e.reason)}",
    push.FrCanceled: lambda e: f"{e.source} canceled FR {e.number}{': ' + _units(e.lines) if e.lines else ''}",
    push.FrVoided: lambda e: f"FR {e.number} voided{_in_time(e)}",
    push.FrShippingChanged: lambda e: f"FR {e.number}: {e.shipping.value}",
    ship.FrWatched: lambda e: "Watching the source for shipments",
    ship.ShipmentRecorded: lambda e: f"{_decided(e)}{_shipper(e)} {_units(e.shipment.lines)} {_tracking(e)}",
    ship.ShipmentRefused: lambda e: f"Shipment refused{_because(e.reason)}",
    ship.ShipmentConflicted: lambda e: (
        f"{_decided(e)}Shipment {'set aside' if e.decided else 'in conflict'}{_because(e.reason)}"
    ),
    ship.ShipmentSynced: lambda e: f"Shown at the channel {_tracking(e)}{', found there' * e.adopted}{_rewritten(e)}",
    ship.ShipmentSyncFailed: lambda e: f"Requires shipment synchronization{_because(e.reason)}",
    ship.ShipmentWithdrawn: lambda e: f"Shipment withdrawn{_because(e.reason)}",
    ship.OrderShipped: lambda e: f"Order {e.fulfillment.value}",
}


def _why_back(event: Any) -> str:
    """The router's reason; of a replacement, whose parcel left after all."""
    one = event.instead
    return f"FR {one.number} at {one.source} shipped after all" if one else str(event.reason)


def _decided(event: Any) -> str:
    """What a person chose for a parcel that left although its FR was over, and why."""
    if event.decided is None:
        return ""
    keeps = event.decided.choice is ship.Choice.KEEP_STOPPED
    chose = "this parcel counts, its replacement stays stopped" if keeps else "its replacement ships all the same"
    return f"{event.decided.by.actor} decided ({event.decided.by.reason}): {chose}. "


def _too_late(event: Any) -> str:
    """What an edit or a cancellation came too late for, with what had left already (IN-13)."""
    return "".join(
        f". Too late for version {event.order_version} ({one.reason}): {_units(one.lines)} of FR {one.number} had left "
        f"{one.source}"
        for one in event.too_late
    )


def _in_time(event: Any) -> str:
    """A void ends a change in time: before it was sent, or because its source gave it back."""
    if event.recall is push.Recall.ACCEPTED:
        return f" in time: {event.source} gave it back"
    return f" in time: {event.source} was not sent it" if event.outcome is push.Outcome.NONE else ""


def _tracking(event: Any) -> str:
    numbers = ", ".join(event.shipment.tracking_numbers) or "no tracking number"
    return f"({event.shipment.carrier} {numbers})"


def _shipper(event: Any) -> str:
    person = event.shipment.by_hand
    return f"{person.actor} entered ({person.reason}):" if person else f"{event.shipment.source} shipped"


def _rewritten(event: Any) -> str:
    return "".join(f"; {note}" for note in event.notes)


def _sources(event: Any) -> str:
    plan = event.decision.chosen
    return ", ".join(request.source for request in plan.requests) if plan else "nobody"


def _cost(event: Any) -> str:
    plan = event.decision.chosen
    return f"{plan.cost.normalize():f} {event.decision.currency}" if plan else "0"


def activity_of(event: Event) -> Activity | None:
    """None for what is not about an order."""
    sentence = SENTENCES.get(type(event))
    if sentence is None:
        return None
    name = event.TYPE.removeprefix("waybill.").rsplit(".v", 1)[0].replace(".", "_")
    shipment = getattr(event, "shipment", None)
    fr_id = getattr(event, "fr_id", None) or (shipment.fr_id if shipment else None)
    return Activity(event.key, name, sentence(event), _detail(event), fr_id, shipment.shipment_id if shipment else None)


def _detail(event: Event) -> dict[str, Any]:
    """The event without the order's whole copy, which `orders` holds already."""
    told = event.model_dump(mode="json", exclude={"order", "at", "sequence"})
    detail = {name: value for name, value in told.items() if value is not None}
    order = getattr(event, "order", None)
    if order is not None:
        detail["version"] = order.version
        detail["holds"] = [hold.model_dump(mode="json") for hold in order.holds]
    return detail
