"""A store that ships for others: orders that programs made there are requests, and its merchant packs them."""

from collections.abc import Iterator, Mapping

from sandbox.bigcommerce import judging, shipping
from sandbox.bigcommerce.model import AWAITING_FULFILLMENT, CANCELLED, Order
from sandbox.bigcommerce.shop import Store
from sandbox.shops import Place
from sandbox.supply import Arrival, Asked, Parcel, Sent

MAY_SHIP = frozenset({AWAITING_FULFILLMENT, 9, 3})
"""Paid and not held; 9 is Awaiting Shipment, 3 Partially Shipped."""


class SupplyingStore(Store):
    """The `SourceShop` of this platform."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._arrived: list[int] = []

    def add(self, order: Order, *, noted: bool = True) -> Order:
        super().add(order, noted=noted)
        self._arrived.append(order.id)
        self.wake()
        return order

    def changed(self, order: Order) -> None:
        super().changed(order)
        self._arrived.append(order.id)
        self.wake()

    def arrivals(self) -> Iterator[Arrival]:
        """What came or changed since the last call, oldest first."""
        arrived, self._arrived = self._arrived, []
        for order in (self.orders[number] for number in dict.fromkeys(arrived)):
            if order.order_source == "external" and order.status_id in MAY_SHIP:
                lines = tuple((str(line.id), line.sku, order.open(line)) for line in order.lines)
                yield Arrival(str(order.id), order.external_order_id, lines)

    def ship(self, order_id: str, pieces: Mapping[str, int], parcel: Parcel) -> str | None:
        """None when it was canceled, or its pieces are gone, since it was planned."""
        order = self.orders[int(order_id)]
        left = {line.id: min(pieces.get(str(line.id), 0), order.open(line)) for line in order.lines}
        if order.status_id not in MAY_SHIP or not any(left.values()):
            return None
        made = self.merchant_ships(order, left, **_texts(parcel))
        self._take_from_stock(order, left)
        return str(made[0].id) if made else None

    def _take_from_stock(self, order: Order, pieces: Mapping[int, int]) -> None:
        for line in order.lines:
            product = self.product_named(line.sku)
            if product is not None:
                product.on_hand = max(product.on_hand - pieces.get(line.id, 0), 0)
                self.keep_product(product)

    def give_up(self, order_id: str, pieces: Mapping[str, int]) -> None:
        """The merchant refunds them; all that is left: the order is canceled."""
        order = self.orders[int(order_id)]
        for line in order.lines:
            line.quantity_refunded += min(pieces.get(str(line.id), 0), order.open(line))
        if not any(order.open(line) for line in order.lines) and not order.standing:
            order.status_id = CANCELLED
        self.touch(order, "request_given_up")

    def act_on_shipment(self, shipment_id: str, action: str, parcel: Parcel | None) -> None:
        order, made = self.order_of_shipment(int(shipment_id.rpartition("/")[2]))
        if action == "correct":
            assert parcel is not None
            shipping.update(made, _texts(parcel))
            self.shipped("updated", order, made)
            return
        made.deleted = True
        self.shipped("deleted", order, made)
        if parcel is not None:
            # the control panel lets the merchant ship again, though the order stands as shipped
            self.merchant_ships(order, dict(made.items), **_texts(parcel))

    def asked(self) -> Iterator[Asked]:
        return (judging.asked(self.name, order) for order in self._requests())

    def sent(self) -> Iterator[Sent]:
        return (judging.sent(self.name, order, made) for order in self._requests() for made in order.shipments)

    def _requests(self) -> Iterator[Order]:
        return (one for one in self.orders.values() if one.order_source == "external" and one.external_order_id)

    def count(self) -> tuple[int, int]:
        requests = list(self._requests())
        return len(requests), sum(len(order.standing) for order in requests)


def _texts(parcel: Parcel) -> dict[str, str]:
    """As the merchant fills in the form: the carrier by its code where there is one, else as a text."""
    carrier = parcel.carrier
    code = "shipping_provider" if carrier in {"ups", "fedex", "usps", "royalmail"} else "tracking_carrier"
    if code == "tracking_carrier" and carrier not in shipping.SLUGS:
        code = "shipping_method"
    cleared = {"shipping_provider": "", "tracking_carrier": "", "shipping_method": ""}
    return {**cleared, code: carrier, "tracking_number": ", ".join(parcel.numbers), "tracking_link": parcel.url}
