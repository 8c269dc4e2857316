"""One emulated store: its orders, products and hooks, and everything that changes them. Changes are kept and noted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from sandbox.bigcommerce import hooks, judging, merchant, seeded, shipping
from sandbox.bigcommerce.model import Hook, Order, Product, Shipment
from sandbox.bigcommerce.quota import Quota
from sandbox.bigcommerce.seeded import ABANDONED
from sandbox.bigcommerce.settings import Settings
from sandbox.seeding.drafts import Draft
from sandbox.seeding.goods import Good
from sandbox.seeding.orders import EXPECTED
from sandbox.shops import Given, JudgedOrder, Place, Post
from sandbox.standing import StandingShop

SHELF = 100
"""Pieces of what nobody counts."""
_PRODUCT, _HOOK = TypeAdapter(Product), TypeAdapter(Hook)


class Store(StandingShop[Order, Settings]):
    """A channel or a source; what a source does besides is in `supplying`."""

    order_form = TypeAdapter(Order)
    settings_form = TypeAdapter(Settings)

    kinds: Mapping[str, str] = EXPECTED
    couriers: Mapping[str, str] = {
        "ups": "ups",
        "fedex": "fedex",
        "usps": "usps",
        "dhl": "dhl-germany",
        "royal-mail": "royalmail",
        "dpd": "dpd",
        "northern-vans": "Northern Vans & Söhne",
    }
    """Providers of the enumeration, AfterShip's slugs, and one that BigCommerce knows in neither way."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, Settings([f"bc_demo_{place.name}"], client_secret=f"{place.name}-client-secret"))
        self.quota = Quota(self.settings.quota, self.settings.window)
        self.products: dict[int, Product] = {}
        self.hooks: dict[int, Hook] = {}
        self._posted = 0
        self._by_sku: dict[str, Product] = {}
        self._by_shipment: dict[int, int] = {}

    # -- finding

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        """A source sells what it has; a channel everything, and its shelves do not matter. One has no SKU."""
        for good in goods:
            if self.role == "channel":
                self.product_for(good.channel_sku, good.title, good.price)
            elif good.sku in on_hand:
                self._new_product(good.source_sku(self.name), good.title, good.price, on_hand[good.sku])
        self._new_product("", "Gift bag", "1.00", SHELF)

    def product_named(self, sku: str) -> Product | None:
        return self._by_sku.get(sku.casefold())

    def product_for(self, sku: str, title: str, price: str) -> Product:
        """What a buyer orders is in the catalogue."""
        return self.product_named(sku) or self._new_product(sku, title, price, SHELF)

    def _new_product(self, sku: str, title: str, price: str, on_hand: int) -> Product:
        made = Product(self.new_id(), self.new_id(), sku, title, price, on_hand)
        self.keep_product(made)
        return made

    def key(self, order: Order) -> int:
        return order.id

    def order_named(self, number: str) -> Order | None:
        text = number.removeprefix("#")
        return self.orders.get(int(text)) if text.isdigit() else None

    def order_of_shipment(self, shipment_id: int) -> tuple[Order, Shipment]:
        """KeyError when there is none."""
        order = self.orders[self._by_shipment[shipment_id]]
        return order, next(made for made in order.shipments if made.id == shipment_id)

    # -- changing

    def add(self, order: Order, *, noted: bool = True) -> Order:
        """`noted` is False for what is no order of a buyer."""
        if noted:
            self.journal.note("order_created", shop=self.name, order=str(order.id), expectation=order.expectation)
            self.tell("store/order/created", {"type": "order", "id": order.id})
        self.keep(order)
        return order

    def touch(self, order: Order, event: str, *, announce: bool = True, **facts: object) -> None:
        """After a change by the merchant or the buyer (control API)."""
        self.journal.note(event, shop=self.name, order=str(order.id), **facts)
        if not announce:
            self.keep(order)
            return
        order.date_modified = int(self.now())
        self.changed(order)

    def changed(self, order: Order) -> None:
        """Keeps it, and posts that it was updated."""
        self.keep(order)
        self.tell("store/order/updated", {"type": "order", "id": order.id})

    def shipped(self, event: str, order: Order, made: Shipment) -> None:
        """A shipment was created, updated or deleted."""
        self.journal.note(
            f"fulfillment_{event}", shop=self.name, order=str(order.id), fulfillment=made.id,
            lines=[list(item) for item in made.items], company=judging.carrier(made), numbers=[made.tracking_number],
            urls=[made.tracking_link], by_api=made.ours,
        )  # fmt: skip
        self.keep(order)
        self.tell(f"store/shipment/{event}", {"type": "shipment", "id": made.id, "orderId": order.id})

    def merchant_ships(self, order: Order, pieces: Mapping[int, int], **texts: str) -> list[Shipment]:
        """In the control panel: a shipment for each address of these pieces by line id."""
        made = []
        for address in order.addresses:
            here = {n: count for n, count in pieces.items() if order.line(n).order_address_id == address.id and count}
            if not here:
                continue
            given: dict[str, Any] = {"tracking_number": f"1ZSEED{order.id}", "shipping_provider": "ups", **texts}
            items = [{"order_product_id": line_id, "quantity": count} for line_id, count in here.items()]
            given |= {"order_address_id": address.id, "items": items}
            shipment = shipping.create(order, given, self.new_id(), max(int(self.now()), order.date_created))
            shipment.ours = False
            made.append(shipment)
            self.shipped("created", order, shipment)
        return made

    def tell(self, scope: str, data: Mapping[str, Any]) -> None:
        """Posts to the hooks of this scope."""
        at = int(self.now())
        for hook in [one for one in self.hooks.values() if hooks.wants(one, scope)]:
            self._posted += 1
            name, content = f"msg_{self.name}_{at}_{self._posted}", hooks.body(self.name, scope, data, at)
            signed = hooks.headers(hook, self.settings.client_secret, name, at, content)
            self.post(Post(hook.destination, signed, content, scope))

    # -- what people do, and what is judged

    def seed(self, draft: Draft) -> str:
        return str(seeded.seed(self, draft).id)

    def place(self, given: Given) -> str:
        return str(merchant.place(self, given).id)

    def edit(self, number: str, given: Given) -> None:
        merchant.edit(self, self.shown(number), given)

    def act(self, number: str, action: str, given: Given) -> None:
        merchant.act(self, self.shown(number), action, given)

    def judged(self) -> Iterator[JudgedOrder]:
        """Not those of programs in a store that plays a source, nor what buyers left at the payment page."""
        return (judging.judged(self.name, order) for order in self.orders.values() if self._is_judged(order))

    def _is_judged(self, order: Order) -> bool:
        abandoned = order.id >= self.first_number + ABANDONED
        return not abandoned and not (self.role == "source" and order.order_source == "external")

    def find(self, number: str) -> JudgedOrder | None:
        order = self.order_named(number)
        return judging.judged(self.name, order) if order is not None and self._is_judged(order) else None

    def count(self) -> tuple[int, int]:
        return len(self.orders), sum(len(order.standing) for order in self.orders.values())

    def may_box(self, number: str) -> bool:
        """A shipment has one tracking number."""
        return False

    def connection(self, origin: str) -> dict[str, Any]:
        credentials = {
            "access_token": self.settings.tokens[0],
            "client_secret": self.settings.client_secret,
            "webhook_secret": f"{self.name}-webhook-secret",
        }
        url = f"{origin}/bigcommerce/stores/{self.name}"
        return {"platform": "bigcommerce", "url": url, "credentials": credentials}

    def imports(self) -> dict[str, Any]:
        return {
            "payment": ["paid", "authorized", "pending", "partially_refunded"],
            "fulfillment": ["unfulfilled", "partial", "on_hold"],
            "deferred": ["authorized"],
        }

    # -- keeping

    def keep(self, order: Order) -> None:
        self.save(order)
        self._remember(order)

    def keep_product(self, product: Product) -> None:
        self.journal.save("product", f"{self.name}/{product.id}", product)
        self._sell(product)

    def keep_hook(self, hook: Hook) -> None:
        self.hooks[hook.id] = hook
        self.journal.save("hook", f"{self.name}/{hook.id}", hook)

    def remove_hook(self, hook: Hook) -> None:
        del self.hooks[hook.id]
        self.journal.save("hook", f"{self.name}/{hook.id}", replace(hook, removed=True))

    def restore(self, kind: str, document: Any) -> None:
        if kind == "shop":
            self.restore_settings(document)
        elif kind == "product":
            self._sell(_PRODUCT.validate_python(document))
        elif kind == "hook":
            hook = _HOOK.validate_python(document)
            if not hook.removed:
                self.hooks[hook.id] = hook
        else:
            self._remember(self.order_form.validate_python(document))

    def _sell(self, product: Product) -> None:
        self.products[product.id] = product
        if product.sku:
            self._by_sku.setdefault(product.sku.casefold(), product)

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        self.quota = Quota(settings.quota, settings.window)

    def ids(self) -> Iterable[int]:
        yield from self.hooks
        for product in self.products.values():
            yield from (product.id, product.variant_id)
        for order in self.orders.values():
            yield from (line.id for line in order.lines)
            yield from (address.id for address in order.addresses)
            yield from (made.id for made in order.shipments)

    def _remember(self, order: Order) -> None:
        self.orders[order.id] = order
        if order.id < self.first_number + ABANDONED:
            self._last_number = max(self._last_number, order.id)
        self._by_shipment.update((made.id, order.id) for made in order.shipments)
