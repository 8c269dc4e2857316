"""One emulated shop: its orders and tokens, and everything that changes them. Every change is kept and noted."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from sandbox.seeding.drafts import Draft
from sandbox.seeding.goods import CHANNEL_COURIERS, Good
from sandbox.seeding.orders import EXPECTED
from sandbox.shopify import fulfilling, hooks, judging, merchant, seeded
from sandbox.shopify.catalogue import Catalogue, Variant, offered
from sandbox.shopify.cost import Bucket
from sandbox.shopify.fulfilling import Refused, Tracking, Wanted
from sandbox.shopify.index import Index
from sandbox.shopify.model import Fulfillment, Line, Order
from sandbox.shopify.settings import LOCATIONS, Settings
from sandbox.shops import Given, JudgedOrder, Place
from sandbox.standing import StandingShop


class Shop(StandingShop[Order, Settings]):
    order_form = TypeAdapter(Order)
    settings_form = TypeAdapter(Settings)
    kinds: Mapping[str, str] = EXPECTED
    couriers: Mapping[str, str] = CHANNEL_COURIERS

    def __init__(self, place: Place) -> None:
        super().__init__(place, Settings(tokens=[f"shpat_demo_{place.name}"], client_secret=f"{place.name}-secret"))
        self.catalogue = Catalogue()
        self.bucket = Bucket()
        self.index = Index(self.orders.__getitem__)
        self._by_name: dict[str, int] = {}
        self._by_fulfillment: dict[int, int] = {}
        self._by_fulfillment_order: dict[int, int] = {}

    # -- finding

    def key(self, order: Order) -> int:
        return order.id

    def order_named(self, number: str) -> Order | None:
        found = self._by_name.get(number.removeprefix("#"))
        return None if found is None else self.orders[found]

    def order_of_fulfillment(self, fulfillment_id: int) -> tuple[Order, Fulfillment] | None:
        order = self.orders.get(self._by_fulfillment.get(fulfillment_id, 0))
        if order is None:
            return None
        return order, next(made for made in order.fulfillments if made.id == fulfillment_id)

    def order_of_fulfillment_order(self, fulfillment_order_id: int) -> Order | None:
        return self.orders.get(self._by_fulfillment_order.get(fulfillment_order_id, 0))

    # -- changing

    def add(self, order: Order, location_of: Callable[[Line], int] | None = None) -> Order:
        """A new order; it opens its fulfillment orders unless it has some."""
        if not order.fulfillment_orders and not order.cancelled_at:
            fulfilling.open_fulfillment_orders(order, location_of or _main, self.new_id, order.created_at)
        self.journal.note("order_created", shop=self.name, order=order.name, expectation=order.expectation)
        self.keep(order, "ORDERS_CREATE")
        if order.by_program:
            self.wake()
        return order

    def fulfill(self, wanted: Sequence[Wanted], tracking: Tracking, notify: bool) -> tuple[Order, Fulfillment]:
        if not wanted:
            raise Refused(["fulfillment", "lineItemsByFulfillmentOrder"], "Line items by fulfillment order is empty.")
        order = self.order_of_fulfillment_order(wanted[0].fulfillment_order_id)
        if order is None:
            raise Refused(["fulfillment"], "Fulfillment order does not exist.")
        made = fulfilling.fulfill(order, wanted, tracking, self.new_id, int(self.now()))
        made.notify_customer = notify
        self.note("fulfillment_created", order, made)
        done = fulfilling.display_status(order) == "FULFILLED"
        self.keep(order, "ORDERS_FULFILLED" if done else "ORDERS_PARTIALLY_FULFILLED", "ORDERS_UPDATED")
        self._tell("FULFILLMENTS_CREATE", hooks.of_fulfillment(order, made))
        return order, made

    def cancel_fulfillment(self, fulfillment_id: int) -> Fulfillment:
        found = self.order_of_fulfillment(fulfillment_id)
        if found is None:
            raise Refused(["id"], "Fulfillment does not exist.")
        fulfilling.cancel(*found, self.new_id, int(self.now()))
        self.note("fulfillment_canceled", *found)
        self.keep(found[0], "ORDERS_UPDATED")
        self._tell("FULFILLMENTS_UPDATE", hooks.of_fulfillment(*found))
        return found[1]

    def update_tracking(self, fulfillment_id: int, tracking: Tracking) -> Fulfillment:
        found = self.order_of_fulfillment(fulfillment_id)
        if found is None:
            raise Refused(["fulfillmentId"], "Fulfillment does not exist.")
        order, made = found
        if made.status == "CANCELLED":
            raise Refused(["fulfillmentId"], "Fulfillment is cancelled.")
        made.company, made.numbers, made.urls = tracking.company, list(tracking.numbers), list(tracking.urls)
        made.updated_at = order.updated_at = int(self.now())
        self.note("tracking_updated", order, made)
        self.keep(order, "ORDERS_UPDATED")
        self._tell("FULFILLMENTS_UPDATE", hooks.of_fulfillment(order, made))
        return made

    def touch(self, order: Order, event: str, *, announce: bool = True, **facts: object) -> None:
        """After a change by the merchant or the buyer (control API)."""
        self.journal.note(event, shop=self.name, order=order.name, **facts)
        if not announce:
            self.keep(order)
            return
        order.updated_at = int(self.now())
        self.keep(order, *({"order_cancel": ["ORDERS_CANCELLED"]}.get(event, [])), "ORDERS_UPDATED")

    def note(self, event: str, order: Order, made: Fulfillment) -> None:
        lines = [[part.line_id, part.quantity] for part in made.lines]
        self.journal.note(
            event,
            shop=self.name,
            order=order.name,
            fulfillment=made.id,
            lines=lines,
            company=made.company,
            numbers=made.numbers,
            urls=made.urls,
        )

    # -- what people do, and what is judged

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        for variant in offered(goods, on_hand, self.name, self.role == "channel", self.new_id):
            self.catalogue.variants[variant.id] = variant
        self.take(dict.fromkeys(self.catalogue.variants, 0))

    def seed(self, draft: Draft) -> str:
        return seeded.seed(self, draft).name

    def place(self, given: Given) -> str:
        return merchant.place(self, given).name

    def edit(self, number: str, given: Given) -> None:
        merchant.edit(self, self.shown(number), given)

    def act(self, number: str, action: str, given: Given) -> None:
        merchant.act(self, self.shown(number), action, given)

    def judged(self) -> Iterator[JudgedOrder]:
        return (judging.judged(self.name, order) for order in self.orders.values())

    def find(self, number: str) -> JudgedOrder | None:
        order = self.order_named(number)
        return None if order is None else judging.judged(self.name, order)

    def count(self) -> tuple[int, int]:
        return len(self.orders), sum(len(order.fulfillments) for order in self.orders.values())

    def may_box(self, number: str) -> bool:
        """A shipment of an order that stands at two locations becomes two fulfillments: one number each is safe."""
        return len({part.location_id for part in self.shown(number).fulfillment_orders}) <= 1

    def connection(self, origin: str) -> dict[str, Any]:
        app = {"client_id": "demo-app", "client_secret": self.settings.client_secret}
        credentials = {"access_token": self.settings.tokens[0], **app}
        return {"platform": "shopify", "url": f"{origin}/shopify/{self.name}", "credentials": credentials}

    def imports(self) -> dict[str, Any]:
        return {
            "payment": ["paid", "authorized", "pending"],
            "fulfillment": ["unfulfilled", "partial", "on_hold"],
            "deferred": ["authorized"],
        }

    # -- keeping

    def keep(self, order: Order, *topics: str) -> None:
        """`topics` are the webhooks that tell of it."""
        self.save(order)
        lag = self.settings.index_lag
        self._remember(order, self.now() + lag if lag else None)
        for topic in topics:
            self._tell(topic, hooks.of_order(order))

    def take(self, pieces: Mapping[int, int]) -> None:
        """From the shelves, by variant; negative pieces go back."""
        self.catalogue.take(pieces)
        for variant_id in pieces.keys() & self.catalogue.variants.keys():
            self.journal.save("variant", f"{self.name}/{variant_id}", self.catalogue.variants[variant_id])

    def _tell(self, topic: str, content: Mapping[str, Any]) -> None:
        subscriptions = [hooks.Subscription(**one) for one in self.settings.subscriptions]
        event = secrets.token_hex(16)
        for _ in range({"lost": 0, "twice": 2}.get(self.settings.webhooks, 1) if subscriptions else 0):
            hooks.deliver(subscriptions, topic, content, shop=self.name, secret=self.settings.client_secret,
                          event=event, now=self.now(), post=self.post)  # fmt: skip

    def restore(self, kind: str, document: Any) -> None:
        if kind == "shop":
            self.restore_settings(document)
        elif kind == "variant":
            variant = _VARIANT.validate_python(document)
            self.catalogue.variants[variant.id] = variant
        else:
            self._remember(self.order_form.validate_python(document), None)

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        self.bucket = Bucket(settings.maximum, settings.restore_rate)

    def ids(self) -> Iterable[int]:
        for variant in self.catalogue.variants.values():
            yield from (variant.id, variant.product_id)
        yield from (one["id"] for one in self.settings.subscriptions)
        for order in self.orders.values():
            yield order.id
            yield from (line.id for line in order.lines)
            for part in order.fulfillment_orders:
                yield part.id
                yield from (line.id for line in part.lines)
            for made in order.fulfillments:
                yield made.id
                yield from (line.id for line in made.lines)

    def _remember(self, order: Order, visible_at: float | None) -> None:
        self.orders[order.id] = order
        self._last_number = max(self._last_number, order.number)
        self._by_name[order.name.removeprefix("#")] = order.id
        self._by_fulfillment.update((made.id, order.id) for made in order.fulfillments)
        self._by_fulfillment_order.update((part.id, order.id) for part in order.fulfillment_orders)
        self.index.see(order, visible_at)


_VARIANT = TypeAdapter(Variant)


def _main(line: Line) -> int:
    return LOCATIONS[0][0]
