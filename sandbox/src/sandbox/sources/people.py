"""What the people of a source do while a run is under way: ship, give up, cancel and correct shipments."""

from typing import TYPE_CHECKING

from sandbox.shops import Given, NotPossible
from sandbox.sources import sending, shipping
from sandbox.sources.model import Part, Request, Shipment

if TYPE_CHECKING:
    from sandbox.sources.source import Source


def ship_now(source: "Source", wanted: str | None) -> list[str]:
    """Ship what is planned, of the `wanted` reference or of all; the ids of the shipments made.

    A wanted one that was given back leaves all the same: it was packed already.
    """
    made = []
    for request in list(source.requests.values()):
        if wanted == request.reference and request.state == "canceled":
            request.parts = [Part(source.now(), [(place, line.quantity) for place, line in enumerate(request.lines)])]
        while request.parts and wanted in {None, request.reference}:
            shipment = sending.send(source, request, request.parts.pop(0))
            made += [shipment.id] if shipment else []
    return made


def give_up(source: "Source", request: Request, given: Given) -> None:
    """The source gives up `lines: [{line_ref, quantity}]`, or the whole request."""
    places = {line.line_ref: number for number, line in enumerate(request.lines)}
    if "lines" in given:
        pieces = [(places[one["line_ref"]], int(one["quantity"])) for one in given["lines"]]
    else:
        pieces = [(number, line.quantity) for number, line in enumerate(request.lines)]
    source.withdraw(request, pieces)


def act_on_shipment(source: "Source", shipment: Shipment, action: str, given: Given) -> None:
    """`cancel`; `correct` (carrier, tracking_numbers, tracking_url); `replace`: cancel it and make a new one."""
    if action not in {"cancel", "correct", "replace"}:
        raise NotPossible(f"{action!r} is unknown; there are cancel, correct, replace")
    if action == "correct":
        for name in ("carrier", "tracking_numbers", "tracking_url"):
            setattr(shipment, name, given.get(name, getattr(shipment, name)))
        source.change(shipment, "shipment_corrected")
        return
    shipment.status = "canceled"
    source.change(shipment, "shipment_canceled")
    if action == "replace":
        sending.send_again(source, shipment, shipping.carrier(source.name, f"{shipment.id}/again"))
