"""A Shopify shop that ships for others: orders that programs made there are requests; the merchant ships them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.shopify import fulfilling
from sandbox.shopify.fulfilling import Tracking, Wanted
from sandbox.shopify.model import Fulfillment, Order
from sandbox.shopify.shop import Shop
from sandbox.shops import JudgedOrder, Place
from sandbox.supply import Arrival, Asked, Parcel, Sent

LINE_PROPERTY = "_waybill_line"
"""Where the product keeps its line ref: a property of the line, hidden from buyers by its underscore."""


class SourcingShop(Shop):
    """`supply.SourceShop` over a shop."""

    def __init__(self, place: Place) -> None:
        self._arrived: dict[int, Order] = {}
        super().__init__(place)

    def judged(self) -> Iterator[JudgedOrder]:
        return (order for order in super().judged() if not self.orders[int(order.id)].by_program)

    def find(self, number: str) -> JudgedOrder | None:
        """Its own orders are no channel's."""
        return None

    def arrivals(self) -> Iterator[Arrival]:
        for order in list(self._arrived.values()):
            if order.cancelled_at is not None or order.display_financial_status != "PAID":
                continue
            del self._arrived[order.id]
            lines = [(str(li.id), li.sku or "", li.current_quantity) for li in order.lines if li.requires_shipping]
            refs = {dict(li.custom_attributes).get(LINE_PROPERTY, str(li.id)): str(li.id) for li in order.lines}
            yield Arrival(str(order.id), order.source_identifier or order.name, tuple(lines), refs)

    def ship(self, order_id: str, pieces: Mapping[str, int], parcel: Parcel) -> str | None:
        order, left = self.orders[int(order_id)], {int(line_id): n for line_id, n in pieces.items()}
        if order.cancelled_at is not None:
            return None
        wanted = []
        for part in order.fulfillment_orders:
            if part.status in fulfilling.FULFILLABLE:
                taken = [(li.id, min(li.remaining_quantity, left.get(li.line_id, 0))) for li in part.lines]
                taken = [(line_id, n) for line_id, n in taken if n]
                wanted += [Wanted(part.id, tuple(taken))] if taken else []
        if not wanted:
            return None
        tracking = Tracking(parcel.carrier, parcel.numbers, (parcel.url,) * len(parcel.numbers))
        made = fulfilling.fulfill(order, wanted, tracking, self.new_id, int(self.now()))
        made.by_api = False
        self.note("shipped", order, made)
        self.keep(order, "ORDERS_UPDATED")
        return str(made.id)

    def give_up(self, order_id: str, pieces: Mapping[str, int]) -> None:
        order = self.orders[int(order_id)]
        lines = [
            {"id": li.id, "current_quantity": li.current_quantity - pieces.get(str(li.id), 0)} for li in order.lines
        ]
        if all(line["current_quantity"] == 0 for line in lines):
            self.act(order.name, "cancel", {"expectation": order.expectation})
        else:
            self.edit(order.name, {"lines": lines})

    def act_on_shipment(self, shipment_id: str, action: str, parcel: Parcel | None) -> None:
        found = self.order_of_fulfillment(int(shipment_id))
        if found is None:
            raise KeyError(f"shipment {shipment_id}")
        order, made = found
        if action == "correct" and parcel is not None:
            self.update_tracking(made.id, Tracking(parcel.carrier, parcel.numbers, (parcel.url,) * len(parcel.numbers)))
            return
        self.cancel_fulfillment(made.id)
        if action == "replace" and parcel is not None:
            pieces: dict[str, int] = {}
            for part in made.lines:
                pieces[str(part.line_id)] = pieces.get(str(part.line_id), 0) + part.quantity
            self.ship(str(order.id), pieces, parcel)

    def asked(self) -> Iterator[Asked]:
        for order in self._requests():
            lines = tuple((line.sku or "", line.current_quantity) for line in order.lines)
            reference, number = order.source_identifier or "", order.po_number or ""
            yield Asked(self.name, reference, number, lines, order.cancelled_at is None)

    def sent(self) -> Iterator[Sent]:
        for order in self._requests():
            for made in order.fulfillments:
                yield self._sent(order, made)

    def count(self) -> tuple[int, int]:
        requests = list(self._requests())
        return len(requests), sum(len(order.fulfillments) for order in requests)

    def _requests(self) -> Iterator[Order]:
        return (order for order in self.orders.values() if order.by_program)

    def _sent(self, order: Order, made: Fulfillment) -> Sent:
        rows = [(order.line(part.line_id), part.quantity) for part in made.lines]
        lines = tuple((dict(li.custom_attributes).get(LINE_PROPERTY, ""), li.sku or "", n) for li, n in rows)
        return Sent(
            id=str(made.id),
            source=self.name,
            reference=order.source_identifier or "",
            order_number=order.po_number or "",
            standing=made.status == "SUCCESS",
            lines=lines,
            carrier=made.company or "",
            numbers=tuple(made.numbers),
            url=next(iter(made.urls), ""),
        )

    def _remember(self, order: Order, visible_at: float | None) -> None:
        if order.by_program and order.id not in self.orders:
            self._arrived[order.id] = order
        super()._remember(order, visible_at)


def open_shop(place: Place) -> Any:
    return SourcingShop(place) if place.role == "source" else Shop(place)
