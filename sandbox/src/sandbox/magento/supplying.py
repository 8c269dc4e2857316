"""A shop that also ships for others: orders that programs placed by a cart are requests. See `supply.SourceShop`."""

from collections.abc import Iterator, Mapping, Sequence

from sandbox.magento import merchant
from sandbox.magento.errors import Refused
from sandbox.magento.model import Order, Product
from sandbox.magento.shop import MagentoShop
from sandbox.seeding.goods import Good
from sandbox.shops import NotPossible, Place
from sandbox.supply import Arrival, Asked, Parcel, Sent

READY = frozenset({"new", "processing"})
CODES = {"UPS": "ups", "FedEx": "fedex", "USPS": "usps", "DHL Express": "dhl"}


class MagentoSupplier(MagentoShop):
    """A merchant who works in the admin."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._seen: set[int] = set()

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        for good in goods:
            sku = good.source_sku(self.name)
            pieces = {"default": on_hand.get(good.sku, 0)}
            self.keep_product(Product(self.new_id(), sku, good.title, price=good.price, on_hand=pieces))

    def arrivals(self) -> Iterator[Arrival]:
        for order in list(self._waiting()):
            lines = tuple((str(row.item_id), row.sku, row.to_ship) for row in self.lines(order) if row.to_ship)
            yield Arrival(str(order.entity_id), order.po_number or "", lines)
            self._seen.add(order.entity_id)

    def _waiting(self) -> Iterator[Order]:
        return (o for o in self._programs() if o.entity_id not in self._seen and o.state in READY)

    def _programs(self) -> Iterator[Order]:
        return (order for order in self.orders.values() if order.by_program)

    def ship(self, order_id: str, pieces: Mapping[str, int], parcel: Parcel) -> str | None:
        """The tracks of the admin's form; it has no field for a link."""
        given = {
            "items": [{"order_item_id": int(line_id), "qty": n} for line_id, n in pieces.items()],
            "tracks": _tracks(parcel),
        }
        try:
            made = self.make_shipment(self.orders[int(order_id)], given, ours=False)
        except Refused:
            return None
        return str(made.entity_id)

    def give_up(self, order_id: str, pieces: Mapping[str, int]) -> None:
        """All that is left: the order is canceled; a part of it is a credit memo."""
        order = self.orders[int(order_id)]
        everything = all(pieces.get(str(row.item_id), 0) >= row.to_ship for row in self.lines(order))
        if everything and not order.shipments:
            merchant.cancel(order)
        else:
            for line_id, quantity in pieces.items():
                order.row(int(line_id)).qty_canceled += quantity
        self.touch(order, "given_up", pieces=dict(pieces))

    def act_on_shipment(self, shipment_id: str, action: str, parcel: Parcel | None) -> None:
        if action != "correct" or parcel is None:
            raise NotPossible("Magento has neither a call nor a button that cancels a shipment; correct it")
        order, made = self.shipment(int(shipment_id))
        made.tracks = []
        for track in _tracks(parcel):
            self.add_track(order, made, track["track_number"], track["title"], track["carrier_code"])

    def asked(self) -> Iterator[Asked]:
        for order in self._programs():
            lines = tuple((row.sku, row.qty_ordered - row.qty_canceled - row.qty_refunded) for row in order.rows)
            yield Asked(self.name, order.po_number or "", "", lines, live=order.state != "canceled")

    def sent(self) -> Iterator[Sent]:
        for order in self._programs():
            for made in order.shipments:
                yield Sent(
                    id=str(made.entity_id),
                    source=self.name,
                    reference=order.po_number or "",
                    order_number="",
                    standing=True,
                    lines=tuple(("", order.row(item_id).sku, n) for item_id, n in made.items),
                    carrier=made.tracks[0].title if made.tracks else "",
                    numbers=tuple(track.track_number for track in made.tracks),
                    url="",
                )

    def count(self) -> tuple[int, int]:
        orders = list(self._programs())
        return len(orders), sum(len(order.shipments) for order in orders)


def _tracks(parcel: Parcel) -> list[dict[str, str]]:
    code = CODES.get(parcel.carrier, "custom")
    return [{"track_number": n, "title": parcel.carrier, "carrier_code": code} for n in parcel.numbers]
