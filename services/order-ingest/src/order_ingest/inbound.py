"""An order that upstream published, in the words of a channel's order (IN-4; pure)."""

from decimal import Decimal

from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_platforms.model.orders import ChannelLine, ChannelOrder

VIA = "event"


def as_channel_order(event: OrderSubmitted) -> ChannelOrder:
    """Lines without an id are known by their position from 1; upstream says nothing of what has left already."""
    return ChannelOrder(
        id=event.order_ref or event.number,
        number=event.number,
        updated_at=event.updated_at or event.at,
        placed_at=event.placed_at,
        currency=event.currency,
        payment=event.payment,
        fulfillment="canceled" if event.canceled else "unfulfilled",
        canceled=event.canceled,
        raw_status=f"{event.payment}/{'canceled' if event.canceled else 'open'}",
        total=sum((line.unit_price * line.quantity for line in event.lines), Decimal(0)),
        email=event.email,
        note=event.note,
        tags=event.tags,
        addresses=(event.ship_to,),
        shipping_method=event.shipping_method,
        reference=None,
        fraud_risk=event.fraud_risk,
        lines=tuple(_line(line, position) for position, line in enumerate(event.lines, start=1)),
    )


def _line(line: SubmittedLine, position: int) -> ChannelLine:
    return ChannelLine(
        line_id=line.line_id or str(position),
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        canceled=line.canceled,
        fulfillable=None,
        unit_price=line.unit_price,
        requires_shipping=True,
    )
