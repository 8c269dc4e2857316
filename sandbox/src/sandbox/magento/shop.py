"""One emulated shop: its orders, shipments and products, and everything that changes them. All is kept and noted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from sandbox.magento import judging, merchant, seeded, shipping
from sandbox.magento.auth import Keys
from sandbox.magento.errors import not_found
from sandbox.magento.model import Cart, Comment, Order, Product, Row, Shipment, Track, shipping_rows
from sandbox.magento.settings import Settings
from sandbox.seeding.drafts import Draft
from sandbox.seeding.goods import CHANNEL_COURIERS, Good
from sandbox.seeding.orders import EXPECTED
from sandbox.shops import Given, JudgedOrder, Place
from sandbox.standing import StandingShop

_PRODUCT, _CART = TypeAdapter(Product), TypeAdapter(Cart)
PLENTY = 10**9


class MagentoShop(StandingShop[Order, Settings]):
    order_form = TypeAdapter(Order)
    settings_form = TypeAdapter(Settings)
    kinds: Mapping[str, str] = {kind: said for kind, said in EXPECTED.items() if kind != "two_locations"}
    couriers: Mapping[str, str] = CHANNEL_COURIERS
    method_codes: Mapping[str, str] = seeded.METHODS

    def __init__(self, place: Place) -> None:
        super().__init__(place, Settings(tokens=[f"at-{place.name}-demo-token"], bearer=place.role == "source"))
        key = f"{place.name}-demo"
        self.keys = Keys(f"ck-{key}-key", f"cs-{key}-secret", f"ats-{key}-secret", self.settings.tokens)
        self.admin = ("hub", f"demo-{place.name}-password")
        self.products: dict[str, Product] = {}
        self.carts: dict[str, Cart] = {}
        self.separately: frozenset[int] = frozenset()
        self._by_name: dict[str, int] = {}
        self._by_shipment: dict[int, int] = {}
        self._taken: Counter[str] = Counter()
        self._counted: dict[int, Counter[str]] = {}

    # -- numbers

    def name_of(self, number: int) -> str:
        return f"{number:09d}"

    def next_name(self) -> str:
        return self.name_of(self.next_number())

    # -- products

    def product(self, sku: str, title: str, kind: str) -> Product:
        """The product of this SKU; made when it is new. Bundles named `…-APART` are shipped in parts."""
        if sku not in self.products:
            apart = {"bundle": "1" if sku.endswith("-APART") else "0"}.get(kind)
            self.keep_product(Product(self.new_id(), sku, title, kind, shipment_type=apart))
        return self.products[sku]

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        for good in goods:
            self.product(good.channel_sku, good.title, "simple")

    def keep_product(self, product: Product) -> None:
        self.journal.save("product", f"{self.name}/{product.sku}", product)
        self.products[product.sku] = product
        if product.shipment_type == "1":
            self.separately |= {product.id}

    def salable(self, product: Product) -> int:
        """What is on the shelves less what was ordered; a shop that only sells has plenty."""
        return sum(product.on_hand.values()) - self._taken[product.sku] if product.on_hand else PLENTY

    def lines(self, order: Order) -> list[Row]:
        return list(shipping_rows(order, self.separately))

    # -- changing

    def add(self, order: Order) -> Order:
        self.journal.note("order_created", shop=self.name, order=order.increment_id, expectation=order.expectation)
        self.keep(order)
        return order

    def make_shipment(self, order: Order, given: Mapping[str, Any], *, ours: bool) -> Shipment:
        made = shipping.ship(order, given, self.separately, self.new_id, int(self.now()))
        made.ours = ours
        self.note("shipment_created", order, made)
        self.keep(order)
        return made

    def shipment(self, shipment_id: int) -> tuple[Order, Shipment]:
        order = self.orders.get(self._by_shipment.get(shipment_id, 0))
        if order is None:
            raise not_found()
        return order, next(one for one in order.shipments if one.entity_id == shipment_id)

    def add_track(self, order: Order, made: Shipment, number: str, title: str, code: str) -> Track:
        """The shipment's own time does not move with it."""
        track = Track(self.new_id(), number, title, code, int(self.now()))
        made.tracks.append(track)
        self.note("track_added", order, made)
        self.keep(order)
        return track

    def remove_track(self, track_id: int) -> None:
        for order in self.orders.values():
            for made in order.shipments:
                if any(track.entity_id == track_id for track in made.tracks):
                    made.tracks = [track for track in made.tracks if track.entity_id != track_id]
                    self.note("track_removed", order, made)
                    self.keep(order)
                    return
        raise not_found()

    def add_comment(self, order: Order, made: Shipment, text: str, visible: int) -> Comment:
        comment = Comment(self.new_id(), text, int(self.now()), visible)
        made.comments.append(comment)
        self.note("comment_added", order, made)
        self.keep(order)
        return comment

    def touch(self, order: Order, event: str, *, announce: bool = True, **facts: object) -> None:
        """After a change by the merchant or the buyer; `announce: False`: the order's time does not move with it."""
        if announce:
            order.updated_at = int(self.now())
        self.journal.note(event, shop=self.name, order=order.increment_id, **facts)
        self.keep(order)

    def note(self, event: str, order: Order, made: Shipment) -> None:
        tracks = [[track.title, track.track_number] for track in made.tracks]
        self.journal.note(
            event, shop=self.name, order=order.increment_id, shipment=made.entity_id, items=made.items, tracks=tracks
        )

    # -- what people do, and what is judged

    def seed(self, draft: Draft) -> str:
        return seeded.seed(self, draft).increment_id

    def place(self, given: Given) -> str:
        return merchant.place(self, given).increment_id

    def edit(self, number: str, given: Given) -> None:
        merchant.edit(self, self.shown(number), given)

    def act(self, number: str, action: str, given: Given) -> None:
        merchant.act(self, self.shown(number), action, given)

    def key(self, order: Order) -> int:
        return order.entity_id

    def order_named(self, number: str) -> Order | None:
        text = number.removeprefix("#")
        found = self._by_name.get(text) or self._by_name.get(text.zfill(len(self.name_of(0))))
        return None if found is None else self.orders[found]

    def judged(self) -> Iterator[JudgedOrder]:
        return (judging.judged(self.name, o, self.separately) for o in self.orders.values() if not o.by_program)

    def find(self, number: str) -> JudgedOrder | None:
        order = self.order_named(number)
        return None if order is None else judging.judged(self.name, order, self.separately)

    def count(self) -> tuple[int, int]:
        return len(self.orders), sum(len(order.shipments) for order in self.orders.values())

    def may_box(self, number: str) -> bool:
        """A shipment has as many tracks as it likes."""
        return True

    def connection(self, origin: str) -> dict[str, Any]:
        """A channel signs by OAuth 1.0a; a source uses the token alone, which it has allowed."""
        credentials = {"access_token": self.settings.tokens[0]}
        if not self.settings.bearer:
            credentials |= {
                "consumer_key": self.keys.consumer_key,
                "consumer_secret": self.keys.consumer_secret,
                "access_token_secret": self.keys.token_secret,
            }
        return {"platform": "magento", "url": f"{origin}/magento/{self.name}", "credentials": credentials}

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

    def keep_cart(self, cart: Cart) -> None:
        self.journal.save("cart", f"{self.name}/{cart.masked_id}", cart)
        self.carts[cart.masked_id] = cart

    def restore(self, kind: str, document: Any) -> None:
        if kind == "shop":
            self.restore_settings(document)
        elif kind == "product":
            product = _PRODUCT.validate_python(document)
            self.products[product.sku] = product
            if product.shipment_type == "1":
                self.separately |= {product.id}
        elif kind == "cart":
            cart = _CART.validate_python(document)
            self.carts[cart.masked_id] = cart
        else:
            self._remember(self.order_form.validate_python(document))

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        self.keys.tokens, self.keys.bearer = settings.tokens, settings.bearer

    def ids(self) -> Iterable[int]:
        for order in self.orders.values():
            yield order.entity_id
            yield from (row.item_id for row in order.rows)
            for made in order.shipments:
                yield made.entity_id
                yield from (track.entity_id for track in made.tracks)
                yield from (comment.entity_id for comment in made.comments)
        yield from (product.id for product in self.products.values())
        yield from (cart.id for cart in self.carts.values())

    def _remember(self, order: Order) -> None:
        self.orders[order.entity_id] = order
        self._by_name[order.increment_id] = order.entity_id
        self._last_number = max(self._last_number, int(order.increment_id))
        self._by_shipment |= {made.entity_id: order.entity_id for made in order.shipments}
        pieces = Counter({row.sku: 0 for row in order.rows})
        for row in order.rows:
            pieces[row.sku] += row.qty_ordered - row.qty_canceled - row.qty_refunded
        self._taken.subtract(self._counted.get(order.entity_id, Counter()))
        self._taken.update(pieces)
        self._counted[order.entity_id] = pieces
