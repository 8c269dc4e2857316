"""Between our words and those of docs/http-source.openapi.yaml. Pure."""

from datetime import UTC, datetime

from pydantic import ValidationError

from waybill_platforms.errors import explain
from waybill_platforms.http_source.wire import WireProblem, WireRequest, WireShipment, WireShipmentPage
from waybill_platforms.model.requests import SourceRequest, Submitted
from waybill_platforms.model.shipments import ShipmentPage, ShipmentStatus, SourceShipment, SourceShipmentLine

ACKNOWLEDGED = {"received": False, "acknowledged": True, "shipped": True, "canceled": False}
"""A request's state -> has the source said that it will ship it. Another state counts as received."""
SHIPMENT_STATUS: dict[str, ShipmentStatus] = {"shipped": "shipped", "canceled": "canceled"}


def request_body(request: SourceRequest) -> dict[str, object]:
    """The body of `POST /requests`; the same request always gives the same body."""
    return {
        "reference": request.reference,
        "order_number": request.order_number,
        "currency": request.currency,
        "shipping_method": request.shipping_method,
        "ship_to": request.ship_to.model_dump(),
        "lines": [
            {"line_ref": line.line_ref, "sku": line.sku, "quantity": line.quantity, "title": line.title}
            for line in request.lines
        ],
    }


def submitted(wire: WireRequest) -> Submitted:
    lines = wire.lines
    return Submitted(
        platform_id=wire.id,
        reference=wire.reference,
        acknowledged=ACKNOWLEDGED.get(wire.state, False),
        lines=None if lines is None else tuple((line.line_ref, line.sku, line.quantity) for line in lines),
        canceled=wire.state == "canceled",
        canceled_lines=tuple((line.line_ref, line.canceled) for line in lines or () if line.canceled > 0),
    )


def shipment(wire: WireShipment) -> SourceShipment:
    return SourceShipment(
        id=wire.id,
        reference=wire.reference,
        platform_id=wire.request_id,
        status=SHIPMENT_STATUS.get(wire.status, "unknown"),
        lines=tuple(SourceShipmentLine(line.line_ref, line.sku, line.quantity) for line in wire.lines),
        carrier=wire.carrier,
        tracking_numbers=tuple(dict.fromkeys(wire.tracking_numbers)),
        tracking_url=wire.tracking_url or None,
        shipped_at=wire.shipped_at.astimezone(UTC),
        updated_at=wire.updated_at.astimezone(UTC),
    )


def shipment_page(wire: WireShipmentPage) -> ShipmentPage:
    """Each shipment on its own: what cannot be read is named in `problems`, its neighbours go on."""
    shipments, problems = [], []
    for raw in wire.shipments:
        try:
            shipments.append(shipment(WireShipment.model_validate(raw)))
        except ValidationError as error:
            problems.append(f"shipment {raw.get('id', '(no id)')}: {explain(error)}")
    return ShipmentPage(tuple(shipments), wire.next or None, tuple(problems))


def described(body: bytes) -> tuple[str | None, str]:
    """A problem's code and one line for people: what, and which fields. Empty when the body is no problem."""
    try:
        problem = WireProblem.model_validate_json(body)
    except ValidationError:
        return None, ""
    fields = "; ".join(f"{error.field}: {error.message}" for error in problem.errors)
    return problem.code, " – ".join(part for part in (problem.detail or problem.title, fields) if part)


def moment(value: datetime) -> str:
    """RFC 3339 in UTC, as the query parameter `since` wants it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
