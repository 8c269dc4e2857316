"""What stands behind each route of a store: reads and writes, as real stores answer them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.serving import Answer
from sandbox.sight import PLAIN, Sight
from sandbox.woocommerce import listing, telling, writing
from sandbox.woocommerce.errors import Refused, fulfillment, no_order, no_route
from sandbox.woocommerce.listing import Paged
from sandbox.woocommerce.model import Fulfillment, Line, Order
from sandbox.woocommerce.settings import Settings
from sandbox.woocommerce.shop import Store


@dataclass(slots=True)
class Asked:
    """One call."""

    store: Store
    method: str
    query: Mapping[str, str]
    body: Any = None
    address: str = ""
    sight: Sight = field(default=PLAIN)

    @property
    def now(self) -> int:
        return int(self.store.now())

    def cut(self, told: dict[str, Any]) -> dict[str, Any]:
        """`_fields` leaves out the others."""
        wanted = self.query.get("_fields")
        if not wanted:
            return told
        names = {name.strip().partition(".")[0] for name in wanted.split(",")}
        return {name: value for name, value in told.items() if name in names}

    def told(self, order: Order) -> dict[str, Any]:
        return self.cut(telling.order(order, self.store.settings))

    def order(self, number: str) -> Order:
        order = self.store.orders.get(int(number))
        if order is None:
            raise no_order(404 if self.method in {"GET", "DELETE"} else 400, self.store.settings.at_least(11, 0))
        return self.store.as_before(order) if self.sight.stale and self.method == "GET" else order


def orders(asked: Asked) -> Answer:
    store, settings = asked.store, asked.store.settings
    paged = Paged.of(asked.query)
    newest = store.now() - asked.sight.hides_newer_than
    known = asked.sight.remembers(store.orders.values(), lambda one: str(one.id), _without_last_line)
    found = [one for one in known if not asked.sight.hides_newer_than or one.modified_at <= newest]
    rows = [one for one in listing.orders(found, asked.query, settings) for _ in range(2 if asked.sight.twice else 1)]
    seen = [store.as_before(one) for one in rows] if asked.sight.stale else rows
    told = [asked.told(one) for one in seen]
    return listing.page(told, paged, asked.address, hides_total=settings.storage == "hpos")


def _without_last_line(order: Order) -> Order:
    return replace(order, lines=order.lines[:-1])


def create_order(asked: Asked) -> Answer:
    """Everything is taken: no products, unknown ones, the same again."""
    store, given = asked.store, asked.body if isinstance(asked.body, dict) else {}
    new_ways = store.settings.at_least(10, 0)
    order = Order(
        id=store.next_number(),
        status="pending",
        currency=str(given.get("currency") or store.settings.currency),
        created_at=asked.now,
        modified_at=asked.now,
        lines=[_priced(store, one) for one in given.get("line_items", ())],
        billing=writing.address(given.get("billing", {}), "email"),
        shipping=writing.address(given.get("shipping", {})),
        payment_method=str(given.get("payment_method", "")),
        transaction_id=str(given.get("transaction_id", "")),
        created_via=str(given.get("created_via") or "rest-api") if new_ways else "rest-api",
        customer_note=str(given.get("customer_note", "")),
        shipping_lines=[dict(one) for one in given.get("shipping_lines", ())],
    )
    writing.put_meta(order.meta, given.get("meta_data", ()), store.new_id)
    if "status" in given:
        writing.set_status(order, str(given["status"]), store.settings, asked.now)
    if given.get("set_paid") is True:
        order.status, order.paid_at = "processing", asked.now
    store.add(order)
    return Answer.json(201, asked.told(order), {"Location": f"{asked.address}/{order.id}"})


def _priced(store: Store, given: Mapping[str, Any]) -> Line:
    return writing.new_line(given, store.products.values(), store.new_id)


def order(asked: Asked, number: str) -> Answer:
    return Answer.json(200, asked.told(asked.order(number)))


def change_order(asked: Asked, number: str) -> Answer:
    store, order = asked.store, asked.order(number)
    given = asked.body if isinstance(asked.body, dict) else {}
    goods = store.products.values()
    moves = writing.change(order, given, goods, store.settings, store.new_id, asked.now)
    store.touch(order, "order_changed", moves=moves, changed=sorted(given), status=order.status)
    return Answer.json(200, asked.told(order))


def delete_order(asked: Asked, number: str) -> Answer:
    order = asked.order(number)
    if asked.query.get("force") == "true":
        del asked.store.orders[order.id]
        return Answer.json(200, asked.told(order))
    if order.status == "trash":
        raise Refused(410, "woocommerce_rest_already_trashed", "The order has already been deleted.")
    order.status = "trash"
    asked.store.touch(order, "order_trashed", topic="order.deleted")
    return Answer.json(200, asked.told(order))


def refunds_of(asked: Asked, number: str) -> Answer:
    """Of an unknown order: none."""
    order = asked.store.orders.get(int(number))
    if order is None:
        return Answer.json(200, [])
    settings = asked.store.settings
    rows = [telling.refund(order, one, settings, of_all=False) for one in order.refunds]
    return listing.page(rows, Paged.of(asked.query), asked.address, hides_total=False)


def refunds(asked: Asked) -> Answer:
    """Of all orders, since 9.0."""
    settings = asked.store.settings
    if not settings.at_least(9, 0):
        raise no_route()
    wanted = {int(one) for one in asked.query["include"].split(",")} if "include" in asked.query else None
    rows = [
        telling.refund(order, one, settings, of_all=True)
        for order in asked.store.orders.values()
        for one in order.refunds
        if wanted is None or one.id in wanted
    ]
    return listing.page(rows, Paged.of(asked.query), asked.address, hides_total=True)


# -- fulfillments


def _with_fulfillments(asked: Asked, number: str) -> Order:
    if not asked.store.settings.has_fulfillments:
        raise no_route()
    order = asked.store.orders.get(int(number))
    if order is None:
        raise fulfillment(404, "Order not found.")
    return order


def _made(order: Order, made_id: str) -> Fulfillment:
    """A deleted one is told as 404 inside of a 400."""
    found = next((one for one in order.fulfillments if str(one.id) == made_id and one.deleted_at is None), None)
    if found is None:
        refused = fulfillment(404, "Fulfillment not found.")
        refused.answer = Answer(400, refused.answer.body)
        raise refused
    return found


def fulfillments(asked: Asked, number: str) -> Answer:
    order = _with_fulfillments(asked, number)
    order = asked.order(number) if asked.sight.stale else order
    shown = [one for one in order.fulfillments if one.deleted_at is None]
    if asked.sight.hides_newer_than:
        shown = [one for one in shown if asked.store.now() - one.updated_at >= asked.sight.hides_newer_than]
    settings = asked.store.settings
    rows = [telling.fulfillment(order.id, one, settings, answer=False) for one in shown]
    told = [row for row in rows for _ in range(2 if asked.sight.twice else 1)]
    return Answer.json(200, told if settings.at_least(10, 3) else {"fulfillments": told})


def create_fulfillment(asked: Asked, number: str) -> Answer:
    """Neither items nor quantities are checked, nor the order's status."""
    store, order = asked.store, _with_fulfillments(asked, number)
    made = writing.put_fulfillment(None, asked.body or {}, store.settings, store.new_id, asked.now)
    if made.status == "fulfilled":
        at = telling.fulfillment_time(asked.now, store.settings)
        made.meta.append({"id": store.new_id(), "key": "_date_fulfilled", "value": at})
    order.fulfillments.append(made)
    writing.tell_status(order, store.new_id)
    store.note_fulfillment("fulfillment_created", order, made)
    return _one_made(201, order, made, store.settings, answer=True)


def one_fulfillment(asked: Asked, number: str, made_id: str) -> Answer:
    order = _with_fulfillments(asked, number)
    made = _made(order, made_id)
    return _one_made(200, order, made, asked.store.settings, answer=False)


def change_fulfillment(asked: Asked, number: str, made_id: str) -> Answer:
    """All meta is replaced."""
    store, order = asked.store, _with_fulfillments(asked, number)
    made = writing.put_fulfillment(_made(order, made_id), asked.body or {}, store.settings, store.new_id, asked.now)
    writing.tell_status(order, store.new_id)
    store.note_fulfillment("fulfillment_changed", order, made)
    return _one_made(200, order, made, store.settings, answer=False)


def _one_made(status: int, order: Order, made: Fulfillment, settings: Settings, *, answer: bool) -> Answer:
    """10.1 and 10.2 put it into an object of one field, as they do with the list."""
    told = telling.fulfillment(order.id, made, settings, answer=answer)
    return Answer.json(status, told if settings.at_least(10, 3) else {"fulfillment": told})


def delete_fulfillment(asked: Asked, number: str, made_id: str) -> Answer:
    """Soft, and as often as one likes."""
    store, order = asked.store, _with_fulfillments(asked, number)
    made = next((one for one in order.fulfillments if str(one.id) == made_id), None)
    if made is None:
        raise fulfillment(400, "Fulfillment not found.")
    if made.deleted_at is None:
        made.deleted_at = asked.now
        writing.tell_status(order, store.new_id)
        store.note_fulfillment("fulfillment_deleted", order, made)
    return Answer.json(200, {"message": "Fulfillment deleted successfully."})
