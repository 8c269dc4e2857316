"""Orders, rules and configuration in short, for the tests of order-ingest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from order_ingest.rules import ChannelRules
from order_ingest.seen import Seen, seen
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel
from waybill_contracts.values import Address, PaymentState
from waybill_platforms.model.orders import ChannelLine, ChannelOrder

START = datetime(2026, 11, 1, tzinfo=UTC)
MAPPED = {
    "skus": {"map": {"S1": "SKU-1", "PACK-6": [{"sku": "SKU-2", "quantity": 6}]}, "services": ["GIFTWRAP"]},
    "shipping_methods": {"map": {"Standard": "ground"}},
}


def line(line_id: str = "l1", sku: str = "S1", quantity: int = 2, **changes: Any) -> ChannelLine:
    plain = ChannelLine(line_id, sku, "A thing", quantity, 0, None, Decimal("9.90"), True)
    return replace(plain, **changes)


def order(order_id: str = "o1", *, minute: int = 0, **changes: Any) -> ChannelOrder:
    """An order that goes on by itself and is like no other; `minute` is when it was updated."""
    plain = ChannelOrder(
        id=order_id, number=f"#{order_id}", updated_at=START + timedelta(minutes=60 + minute),
        placed_at=START + timedelta(minutes=30), currency="EUR", payment=PaymentState.PAID, fulfillment="unfulfilled",
        canceled=False, raw_status="PAID/UNFULFILLED", total=Decimal("19.80"), email="zoe@example.org", note="",
        tags=(), shipping_method="Standard", reference=None, lines=(line(),),
        addresses=(Address(name="Zoë Łukasik", line1=f"Rue de l'Église 5, {order_id}", city="Liège", country="BE"),),
    )  # fmt: skip
    return replace(plain, **changes)


def channel(channel_id: str = "shop", platform: str = "shopify", **settings: Any) -> Channel:
    url = {} if platform == "events" else {"url": "http://127.0.0.1:1/shop"}
    return Channel.model_validate({"id": channel_id, "platform": platform, **url, **MAPPED, **settings})


def rules(*, version: int = 1, known: Sequence[str] = (), own: Sequence[str] = (), **settings: Any) -> ChannelRules:
    return ChannelRules(
        store="acme", channel=channel(**settings), starts_at=START, version=version,
        known_skus=frozenset(known), known_methods=frozenset(known), own_references=frozenset(own),
    )  # fmt: skip


def configured(of: Channel | None = None, *, version: int = 1, credentials: int = 1) -> ChannelConfigured:
    return ChannelConfigured(
        at=START, sequence=version, store="acme", channel=of or channel(), starts_at=START,
        credential_version=credentials,
    )  # fmt: skip


def sighting(of: ChannelOrder, *, second: int = 0, via: str = "pull") -> Seen:
    """`second` is when it was read, after it was updated."""
    return seen("shop", of, read_at=of.updated_at + timedelta(seconds=second), via=via)
