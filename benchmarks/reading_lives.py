"""Lives of orders as the services tell them, one kind after another: what the read model is filled with.

A life is a function of its names alone, so that a copy with other names must equal that life told for real
(`tests/benchmarks/test_reading.py`). All its moments lie within one hour, which the copy moves.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from waybill_contracts.envelope import Received, event_id
from waybill_contracts.registry import EVENTS

Told = tuple[str, str, int, dict[str, Any]]
"""Service, type of the event, its minute, its fields."""

FIRST = ("Zoë", "Ada", "Kim", "José", "Lena", "Omar", "Yuki", "Ines", "Ravi", "Maja")
LAST = ("Smith", "Müller", "Łukasik", "García", "Ito", "Okafor", "Rossi", "Novák", "Haddad", "Berg", "Singh", "Dubois")
CHANNELS = ("acme-shop", "acme-eu", "bolt-shop")
SOURCES = ("east", "west", "leeds", "lodz")


class Names(NamedTuple):
    """What tells one order from another: its number, and the thousand of SKUs and customers that it shares.

    `channel` empty: by its slot.
    """

    number: str
    shared: str
    hour: datetime
    channel: str = ""


class Life:
    """The events of one order. `slot` settles what it is about: customer, channel, source, SKUs."""

    def __init__(self, slot: int, names: Names) -> None:
        self._slot, self._names = slot, names
        self._source = SOURCES[slot % len(SOURCES)]
        self._order_id, self._fr_id = f"order-{names.number}", f"fr-{names.number}"

    def received(self, told: Told, sequence: int) -> Received:
        service, kind, minute, fields = told
        at = self._names.hour + timedelta(minutes=minute)
        event = EVENTS[f"waybill.{kind}.v1"].model_validate({"sequence": sequence, "at": at, **fields})
        return Received(
            event, event_id(service, event), f"waybill/{service}", "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
        )

    def order(self, state: str = "imported", sequence: int = 1, holds: tuple[Any, ...] = ()) -> dict[str, Any]:
        first, last = FIRST[self._slot % len(FIRST)], LAST[self._slot % len(LAST)]
        channel = self._names.channel or CHANNELS[self._slot % len(CHANNELS)]
        return {
            "order_id": self._order_id, "store": channel.split("-")[0], "channel": channel, "state": state,
            "channel_order_id": f"gid://shopify/Order/55{self._names.number}", "number": f"#{self._names.number}",
            "version": 1, "sequence": sequence, "holds": holds, "placed_at": self._names.hour, "currency": "EUR",
            "payment": "paid", "total": "59.40", "email": f"{first}.{last}.{self._names.shared}@mail.example",
            "addresses": [{"name": f"{first} {last}", "line1": "Rue de l'Église 5", "city": "Liège", "country": "BE"}],
            "channel_shipping_method": "Standard", "shipping_method": "ground",
            "lines": [self._line(at) for at in range(1 + self._slot % 3)],
        }  # fmt: skip

    def _line(self, at: int) -> dict[str, Any]:
        sku = f"SKU-{self._slot % 7}{at}" if at else f"SKU-{self._names.shared}"
        component = {"sku": sku, "quantity": 1}
        return {"line_id": f"{self._names.number}-{at}", "channel_sku": sku, "title": "A thing of good quality",
                "quantity": at + 1, "unit_price": "9.90", "components": [component]}  # fmt: skip

    def _units(self) -> list[dict[str, Any]]:
        lines = self.order()["lines"]
        return [
            {"line_id": line["line_id"], "sku": line["channel_sku"], "quantity": line["quantity"]} for line in lines
        ]

    def _fr(self) -> dict[str, Any]:
        order = self.order()
        return {
            "fr_id": self._fr_id, "order_id": self._order_id, "number": f"E-{self._names.number}",
            "source": self._source, "channel": order["channel"], "store": order["store"],
            "order_number": order["number"], "order_version": 1, "ship_to": order["addresses"][0],
            "lines": [{**unit, "source_sku": unit["sku"]} for unit in self._units()], "cost": COST, "decision_id": "d",
        }  # fmt: skip

    def _shipment(self) -> dict[str, Any]:
        return {
            "shipment_id": f"s-{self._names.number}", "order_id": self._order_id, "fr_id": self._fr_id,
            "source": self._source, "source_shipment_id": f"X{self._names.number}", "lines": self._units(),
            "carrier": "ups", "tracking_numbers": [f"1Z{self._names.number}"],
            "shipped_at": self._names.hour + timedelta(minutes=30),
        }  # fmt: skip

    def imported(self) -> Told:
        return "order-ingest", "order.imported", 0, {"order": self.order(), "via": "pull"}

    def held(self, reason: str, value: str) -> Told:
        hold = {"reason": reason, "field": "lines[0].sku", "value": value, "fix": f"Map {value} in the channel."}
        return "order-ingest", "order.imported", 0, {"order": self.order("held", 1, (hold,)), "via": "pull"}

    def canceled(self) -> Told:
        return "order-ingest", "order.canceled", 5, {"order": self.order("canceled", 2), "reason": "by the buyer"}

    def excluded(self) -> Told:
        order = self.order()
        named = {name: order[name] for name in ("store", "channel", "channel_order_id", "number")}
        return "order-ingest", "order.excluded", 0, {**named, "reason": "unpaid", "detail": "payment is pending"}

    def routed(self) -> tuple[Told, Told, Told]:
        chosen = {"cost": "12.0", "requests": [{"source": self._source, "cost": COST, "lines": self._units()}]}
        decision = {"decision_id": "d", "group": "default", "config_version": 1, "currency": "EUR", "chosen": chosen}
        about = {"order_id": self._order_id, "order_version": 1}
        return (
            ("router", "order.routed", 1, {**about, "order_sequence": 1, "decision": decision}),
            ("router", "fr.created", 1, {**about, "fr_id": self._fr_id, "fr": self._fr(), "order": self.order()}),
            self.progress("fr.received", 2, "UNPROCESSED"),
        )

    def unroutable(self) -> Told:
        decision = {"decision_id": "d", "group": "default", "config_version": 1, "currency": "EUR", "chosen": None}
        about = {"order_id": self._order_id, "order_version": 1, "order_sequence": 1, "decision": decision}
        return "router", "order.unroutable", 1, {**about, "reason": "no_stock", "detail": "SKU-1 is nowhere"}

    def progress(self, kind: str, minute: int, state: str, **more: Any) -> Told:
        told = {"fr_id": self._fr_id, "order_id": self._order_id, "source": self._source, "order_version": 1}
        told |= {"number": f"E-{self._names.number}", "state": state, "router_sequence": 1}
        if kind == "fr.submitted":
            told |= {"platform_id": f"P{self._names.number}", "fr": self._fr(), "order": self.order()}
        return "fulfillment-push", kind, minute, told | more

    def shipment(self, kind: str, minute: int, sync: str, **more: Any) -> Told:
        return "shipment-poller", kind, minute, {
            "shipment": self._shipment(), "fulfillment": "shipped", "sync": sync, **more,
        }  # fmt: skip

    def exchange(self, log_type: str, minute: int, connection: str, outcome: str = "ok") -> Told:
        return "order-ingest", "exchange.recorded", minute, {
            "exchange_id": f"{log_type}-{self._names.number}", "connection": connection, "service": "order-ingest",
            "log_type": log_type, "outcome": outcome, "method": "POST", "url": "https://shop.example/api",
            "status": 200, "duration_ms": 20.0, "request_body": '{"asked": "for"}' * 10,
            "response_body": '{"answered": "with"}' * 20, "order_ids": [self._order_id],
        }  # fmt: skip


COST = {"currency": "EUR", "items": "6", "fee": "1.50", "shipping": "4.5"}


def _sent(life: Life) -> list[Told]:
    return [
        life.exchange("get_orders", 0, "acme-shop"),
        life.imported(),
        *life.routed(),
        life.progress("fr.processing", 3, "PROCESSING"),
        life.exchange("submit_request", 4, "east"),
        life.progress("fr.submitted", 4, "ACKNOWLEDGED"),
    ]


def _shipped(life: Life) -> list[Told]:
    return [*_sent(life), life.shipment("shipment.recorded", 31, "pending")]


def _settled(life: Life) -> list[Told]:
    synced = life.shipment("shipment.synced", 33, "synced", fulfillment_ids=["gid://1"], attempts=1)
    return [*_shipped(life), life.exchange("submit_fulfillment", 32, "acme-shop"), synced]


def _not_shown(life: Life) -> list[Told]:
    reason = {"code": "COURIER_NOT_MAPPED", "message": "ups is not mapped", "action": "Map it at the channel."}
    return [*_shipped(life), life.shipment("shipment.sync_failed", 33, "failed", reason=reason, attempts=1)]


def _failed(life: Life) -> list[Told]:
    reason = {"code": "refused", "message": "discontinued", "action": "Void it."}
    queued = life.progress("fr.processing", 3, "PROCESSING")
    return [life.imported(), *life.routed(), queued, life.progress("fr.failed", 4, "FAILED", reason=reason)]


Kind = Callable[[Life], list[Told]]
KINDS: Mapping[str, tuple[int, Kind]] = {
    "held_sku": (1, lambda life: [life.held("unmapped_sku", "NEW-1")]),
    "held_payment": (1, lambda life: [life.held("awaiting_payment", "pending")]),
    "unroutable": (1, lambda life: [life.imported(), life.unroutable()]),
    "failed": (1, _failed),
    "not_shown": (1, _not_shown),
    "imported": (1, lambda life: [life.imported()]),
    "routed": (2, lambda life: [life.imported(), *life.routed()]),
    "submitted": (5, _sent),
    "canceled": (4, lambda life: [life.imported(), life.canceled()]),
    "excluded": (10, lambda life: [life.excluded()]),
    "settled": (173, _settled),
}
"""Of 200 orders so many have such a life: a shop of two years, with a bad day behind it."""
SLOTS = [kind for kind, (share, _) in KINDS.items() for _ in range(share)]


def life_of(slot: int, names: Names) -> Iterator[Received]:
    """Everything told of the order in this slot; an aggregate's sequence grows with each fact of it."""
    life = Life(slot, names)
    sequences: dict[tuple[str, str], int] = {}
    for told in KINDS[SLOTS[slot]][1](life):
        service, kind, _, fields = told
        thing = (
            service,
            "exchange/" + str(fields["exchange_id"]) if kind == "exchange.recorded" else kind.split(".")[0],
        )
        sequences[thing] = sequences.get(thing, 0) + 1
        yield life.received(told, sequences[thing])
