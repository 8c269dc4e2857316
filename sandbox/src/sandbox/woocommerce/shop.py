"""One emulated store: orders, goods, keys, webhooks, and what people do there. Every change is kept and noted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from sandbox.seeding.drafts import Draft
from sandbox.seeding.goods import Good
from sandbox.seeding.orders import EXPECTED
from sandbox.shops import Given, JudgedOrder, Place
from sandbox.standing import StandingShop
from sandbox.supply import Arrival, Asked, Parcel, Sent
from sandbox.woocommerce import judging, merchant, supplying, writing
from sandbox.woocommerce.auth import Nonces
from sandbox.woocommerce.model import Fulfillment, Hook, Order, Product
from sandbox.woocommerce.settings import Key, Settings
from sandbox.woocommerce.telling import fulfillment_time

_PRODUCT = TypeAdapter(Product)
_HOOK = TypeAdapter(Hook)
_WITHOUT = {"two_locations", "authorized"}
KINDS = {kind: expected for kind, expected in EXPECTED.items() if kind not in _WITHOUT}
COURIERS = {
    "ups": "ups",
    "fedex": "fedex",
    "usps": "usps",
    "dhl": "dhl",
    "royal-mail": "royal-mail",
    "dpd": "dpd",
    "northern-vans": "Northern Vans & Söhne",
}
"""Ours -> the slug of WooCommerce's fulfillments; the last one is none that it knows."""


class Store(StandingShop[Order, Settings]):
    """A channel, or (its `Place.role`) a source."""

    order_form = TypeAdapter(Order)
    settings_form = TypeAdapter(Settings)

    kinds: Mapping[str, str] = KINDS
    couriers: Mapping[str, str] = COURIERS

    def __init__(self, place: Place) -> None:
        super().__init__(place, Settings(keys=[Key(f"ck_demo_{place.name}", f"cs_demo_{place.name}")]))
        self.nonces = Nonces()
        self.products: dict[int, Product] = {}
        self.hooks: dict[int, Hook] = {}
        self.changed: Callable[[str, Order], None] = lambda topic, order: None
        """Called after a change, with the webhook topic."""
        self._by_sku: dict[str, int] = {}
        self.fresh: set[int] = set()
        """Orders that came or changed since the warehouse looked."""

    # -- finding

    def key(self, order: Order) -> int:
        return order.id

    def order_named(self, number: str) -> Order | None:
        digits = number.lstrip("#").removeprefix("W-")
        return self.orders.get(int(digits)) if digits.isdigit() else None

    def product(self, sku: str, name: str = "", price: str = "10.00", *, virtual: bool = False) -> Product:
        """The product of this SKU; it comes into being when it is first asked for."""
        if sku not in self._by_sku:
            self.add_product(Product(self.new_id(), sku, name or sku, price, virtual))
        return self.products[self._by_sku[sku]]

    def has(self, sku: str) -> bool:
        return sku in self._by_sku

    # -- changing

    def add(self, order: Order) -> Order:
        self.journal.note("order_created", shop=self.name, order=str(order.id), expectation=order.expectation)
        self._at_status(order)
        self.keep(order)
        self.changed("order.created", order)
        if self.role == "source" and order.created_via != "checkout":
            self.wake()
        return order

    def touch(self, order: Order, event: str, *, moves: bool = True, announce: bool = True,
              topic: str = "order.updated", **facts: object) -> None:  # fmt: skip
        """After a change. `moves`: the store takes note of the time. `announce: False`: nor that, nor a webhook."""
        if moves and announce:
            order.modified_at = int(self.now())
        self.journal.note(event, shop=self.name, order=str(order.id), **facts)
        self._at_status(order)
        self.keep(order)
        if announce:
            self.changed(topic, order)

    def _at_status(self, order: Order) -> None:
        """What the store does by itself when an order has come to a status."""
        supplying.take_stock(self, order)
        if self.settings.has_fulfillments:
            now = int(self.now())
            writing.fulfill_downloads(order, self.products, self.new_id, now, fulfillment_time(now, self.settings))

    def note_fulfillment(self, event: str, order: Order, made: Fulfillment) -> None:
        lines = [[line, pieces] for line, pieces in made.pieces.items()]
        facts = {"lines": lines, "company": made.value("_shipment_provider"), "numbers": made.value("_tracking_number")}
        # its date moves under both storages: the order is saved with its `_fulfillment_status`
        self.touch(order, event, fulfillment=made.id, **facts)

    def add_product(self, product: Product) -> None:
        self._know(product)
        self.journal.save("product", f"{self.name}/{product.id}", product)

    def keep_hook(self, hook: Hook) -> None:
        self.hooks[hook.id] = hook
        self.journal.save("hook", f"{self.name}/{hook.id}", hook)

    def remove_hook(self, hook_id: int) -> Hook:
        hook = self.hooks.pop(hook_id)
        hook.status = "deleted"
        self.journal.save("hook", f"{self.name}/{hook.id}", hook)
        return hook

    # -- what people do, and what is judged

    def seed(self, draft: Draft) -> str:
        return str(merchant.seed(self, draft).id)

    def place(self, given: Given) -> str:
        return self._number(merchant.place(self, given))

    def edit(self, number: str, given: Given) -> None:
        merchant.edit(self, self.shown(number), given)

    def act(self, number: str, action: str, given: Given) -> None:
        merchant.act(self, self.shown(number), action, given)

    def judged(self) -> Iterator[JudgedOrder]:
        return (judging.judged(self.name, self._number(one), one) for one in self.orders.values() if _bought(one))

    def find(self, number: str) -> JudgedOrder | None:
        order = self.order_named(number)
        return judging.judged(self.name, self._number(order), order) if order is not None and _bought(order) else None

    def count(self) -> tuple[int, int]:
        if self.role == "source":
            asked = [one for one in self.orders.values() if not _bought(one)]
            return len(asked), sum(1 for one in asked for made in one.fulfillments if made.standing)
        return len(self.orders), sum(len(one.fulfillments) for one in self.orders.values())

    def may_box(self, number: str) -> bool:
        """Two numbers stand in one field, but as two."""
        return True

    def _number(self, order: Order) -> str:
        return f"W-{order.id}" if self.settings.numbers_differ else str(order.id)

    # -- as a source

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        for good in goods:
            if self.role == "channel":
                self.product(good.channel_sku, good.title, good.price)
            else:
                sku, pieces = good.source_sku(self.name), on_hand.get(good.sku, 0)
                self.add_product(Product(self.new_id(), sku, good.title, good.price, stock=pieces))

    def arrivals(self) -> Iterator[Arrival]:
        return supplying.arrivals(self)

    def ship(self, order_id: str, pieces: Mapping[str, int], parcel: Parcel) -> str | None:
        return supplying.ship(self, self.shown(order_id), pieces, parcel)

    def give_up(self, order_id: str, pieces: Mapping[str, int]) -> None:
        supplying.give_up(self, self.shown(order_id), pieces)

    def act_on_shipment(self, shipment_id: str, action: str, parcel: Parcel | None) -> None:
        supplying.act(self, shipment_id, action, parcel)

    def asked(self) -> Iterator[Asked]:
        return supplying.asked(self)

    def sent(self) -> Iterator[Sent]:
        return supplying.sent(self)

    # -- configuration and keeping

    def connection(self, origin: str) -> dict[str, Any]:
        key = self.settings.keys[0]
        credentials = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        return {"platform": "woocommerce", "url": f"{origin}/woocommerce/{self.name}", "credentials": credentials}

    def imports(self) -> dict[str, Any]:
        return {
            "payment": ["paid", "pending", "partially_refunded"],
            "fulfillment": ["unfulfilled", "partial", "on_hold"],
        }

    def keep(self, order: Order) -> None:
        self.save(order)
        self._remember(order)

    def restore(self, kind: str, document: Any) -> None:
        if kind == "shop":
            self.restore_settings(document)
        elif kind == "product":
            self._know(_PRODUCT.validate_python(document))
        elif kind == "hook":
            hook = _HOOK.validate_python(document)
            self.hooks[hook.id] = hook
            if hook.status == "deleted":
                del self.hooks[hook.id]
        else:
            self._remember(self.order_form.validate_python(document))

    def ids(self) -> Iterable[int]:
        yield from self.products
        yield from self.hooks
        for order in self.orders.values():
            yield from (line.id for line in order.lines)
            yield from (one["id"] for one in order.meta)
            yield from (one.id for one in order.refunds)
            yield from (one.id for one in order.notes)
            yield from (one.id for one in order.fulfillments)
            yield from (one["id"] for made in order.fulfillments for one in made.meta)

    def _know(self, product: Product) -> None:
        self.products[product.id] = product
        if product.sku:
            self._by_sku[product.sku] = product.id

    def _remember(self, order: Order) -> None:
        self.orders[order.id] = order
        self._last_number = max(self._last_number, order.id)
        if self.role == "source":
            self.fresh.add(order.id)


def _bought(order: Order) -> bool:
    """By a buyer, not by a program."""
    return order.created_via == "checkout"
