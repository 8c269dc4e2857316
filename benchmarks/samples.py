"""Ordinary data: an order as a channel shows it, and the fact that order-ingest tells of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from order_ingest.rules import ChannelRules
from waybill_common.ids import stable_id
from waybill_common.outbox import Message
from waybill_common.telemetry import new_traceparent
from waybill_contracts.configuration import Channel
from waybill_contracts.envelope import encode
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Address, Component, Order, OrderLine, OrderState, PaymentState
from waybill_platforms.model.orders import ChannelLine, ChannelOrder

START = datetime(2026, 11, 1, tzinfo=UTC)
ADDRESS = Address(
    name="Zoë Łukasik", line1="Rue de l'Église 5", city="Liège", postal_code="4000", country="BE", phone="+32 4 123 45"
)
LINES = 3


def channel_order(number: int) -> ChannelOrder:
    lines = tuple(
        ChannelLine(f"{number}-{at}", f"SKU-{at}", "A thing of good quality", at + 1, 0, None, Decimal("9.90"), True)
        for at in range(LINES)
    )
    return ChannelOrder(
        id=f"o{number}", number=f"#{number}", updated_at=START + timedelta(seconds=number), placed_at=START,
        currency="EUR", payment=PaymentState.PAID, fulfillment="unfulfilled", canceled=False,
        raw_status="PAID/UNFULFILLED", total=Decimal("59.40"), email="zoe@example.org", note="", tags=("b2b",),
        addresses=(ADDRESS.model_copy(update={"line2": f"apt {number}"}),), shipping_method="Standard", reference=None,
        lines=lines,
    )  # fmt: skip


def channel_rules() -> ChannelRules:
    skus = {"map": {f"SKU-{at}": f"SKU-{at}" for at in range(LINES)}}
    channel = Channel.model_validate(
        {
            "id": "shop", "platform": "shopify", "url": "http://127.0.0.1:1/shop", "skus": skus,
            "shipping_methods": {"map": {"Standard": "ground"}},
        }
    )  # fmt: skip
    return ChannelRules(
        store="acme", channel=channel, starts_at=START - timedelta(days=1), version=1,
        known_skus=frozenset(), known_methods=frozenset(), own_references=frozenset(),
    )  # fmt: skip


def order_fact(number: int) -> Message:
    """What order-ingest tells of such an order, as it goes to Kafka."""
    lines = tuple(
        OrderLine(
            line_id=f"{number}-{at}", channel_sku=f"SKU-{at}", title="A thing of good quality", quantity=at + 1,
            unit_price=Decimal("9.90"), components=(Component(sku=f"SKU-{at}", quantity=1),),
        )
        for at in range(LINES)
    )  # fmt: skip
    order = Order(
        order_id=str(stable_id("order", str(number))), store="acme", channel="shop", channel_order_id=f"o{number}",
        number=f"#{number}", version=1, sequence=1, state=OrderState.IMPORTED, placed_at=START, currency="EUR",
        payment=PaymentState.PAID, total=Decimal("59.40"), email="zoe@example.org", tags=("b2b",),
        addresses=(ADDRESS,), channel_shipping_method="Standard", shipping_method="ground", lines=lines,
    )  # fmt: skip
    fact = OrderImported(at=START, sequence=1, order=order, via="pull")
    return Message(*encode(fact, source="order-ingest", traceparent=new_traceparent()))
