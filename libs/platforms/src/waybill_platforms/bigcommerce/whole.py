"""An order with its lines and addresses, as its consignments tell them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from waybill_platforms.bigcommerce import wire


@dataclass(frozen=True, slots=True)
class Whole:
    """An order with its lines (by id) and the addresses that they go to."""

    head: wire.Order
    places: tuple[wire.Place, ...]
    lines: tuple[wire.Line, ...]


def included(head: wire.Order) -> Whole | None:
    """What the consignments say; None when they are only a link, or name lines by links. Pure."""
    given = head.consignments
    if not isinstance(given, dict) or not {"shipping", "pickups", "downloads", "email"} & given.keys():
        return None
    places: list[wire.Place] = []
    lines: list[wire.Line] = []
    try:
        for consignment in given.get("shipping") or ():
            place, its_lines = _shipping(consignment)
            places.append(place)
            lines += its_lines
        for consignment in _others(given):
            lines += _lines(consignment)
    except (ValidationError, TypeError, AttributeError):
        return None
    return Whole(head, tuple(places), by_id(lines))


def _shipping(consignment: dict[str, Any]) -> tuple[wire.Place, list[wire.Line]]:
    """Its address under the id that shipments want: the one that its lines name."""
    lines, place = _lines(consignment), wire.Place.model_validate(consignment)
    lines = [
        line if line.order_address_id else line.model_copy(update={"order_address_id": place.id}) for line in lines
    ]
    return (place.model_copy(update={"id": lines[0].order_address_id}) if lines else place), lines


def _others(given: dict[str, Any]) -> list[Any]:
    email = given.get("email")
    gifts = email.get("gift_certificates") if isinstance(email, dict) else None
    return [*(given.get("pickups") or ()), *(given.get("downloads") or ()), *(gifts or ())]


def _lines(consignment: dict[str, Any]) -> list[wire.Line]:
    return [wire.Line.model_validate(line) for line in consignment.get("line_items") or ()]


def by_id(lines: Sequence[wire.Line]) -> tuple[wire.Line, ...]:
    return tuple(sorted(lines, key=lambda line: line.id))


def cut(head: wire.Order, lines: Sequence[wire.Line]) -> bool:
    """Fewer pieces than the order counts: its own list has pages, this one may end with its first."""
    return head.items_total is not None and sum(line.quantity for line in lines) < head.items_total
