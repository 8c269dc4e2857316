"""What stands behind the routes of V2's orders and their shipments."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.bigcommerce import creating, listing, shipping, told
from sandbox.bigcommerce.asked import NOTHING, Ask
from sandbox.bigcommerce.model import Order
from sandbox.serving import Answer

# -- orders


def orders(ask: Ask) -> Answer:
    page, limit = listing.page_of(ask.query)
    include, as_object = listing.including(ask.query)
    newest = ask.store.now() - ask.sight.hides_newer_than
    hidden = bool(ask.sight.hides_newer_than)
    known = ask.sight.remembers(ask.store.orders.values(), lambda one: str(one.id), _without_last_line)
    seen = [one for one in known if not hidden or one.date_modified <= newest]
    found = listing.chosen(seen, ask.query)[(page - 1) * limit : page * limit]
    if not found:
        return NOTHING
    shown = [told.order(ask.root, one, include, as_object) for one in found]
    return Answer.json(200, [entry for entry in shown for _ in range(2 if ask.sight.twice else 1)])


def _without_last_line(order: Order) -> Order:
    return replace(order, lines=order.lines[:-1])


def order(ask: Ask) -> Answer:
    include, as_object = listing.including(ask.query)
    return Answer.json(200, told.order(ask.root, ask.seen(), include, as_object))


def create_order(ask: Ask) -> Answer:
    store = ask.store
    include, as_object = listing.including(ask.query)
    order = creating.create(ask.given(), store.next_number(), store.products, store.new_id, ask.now())
    lines = [[line.id, line.sku, line.quantity] for line in order.lines]
    store.journal.note("request_created", source=store.name, reference=order.external_order_id, lines=lines)
    store.add(order)
    return Answer.json(201, told.order(ask.root, order, include, as_object))


def update_order(ask: Ask) -> Answer:
    order = ask.order()
    creating.update(order, ask.given(), ask.now())
    ask.store.journal.note("order_updated", shop=ask.store.name, order=str(order.id), status=order.status_id)
    ask.store.changed(order)
    return Answer.json(200, told.order(ask.root, order, (), False))


def products_of(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.line_item(order, line) for line in order.lines], ask.query)


def addresses_of(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.shipping_address(order, one) for one in order.addresses], ask.query)


def _v2_page(entries: list[Any], query: Mapping[str, str]) -> Answer:
    page, limit = listing.page_of(query)
    shown = entries[(page - 1) * limit : page * limit]
    return Answer.json(200, shown) if shown else NOTHING


# -- shipments


def shipments(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.shipment(order, made) for made in order.standing], ask.query)


def create_shipment(ask: Ask) -> Answer:
    order = ask.order()
    made = shipping.create(order, ask.given(), ask.store.new_id(), ask.now())
    ask.store.shipped("created", order, made)
    return Answer.json(201, told.shipment(order, made))


def shipment(ask: Ask) -> Answer:
    order = ask.seen()
    return Answer.json(200, told.shipment(order, shipping.find(order, ask.number("shipment"))))


def update_shipment(ask: Ask) -> Answer:
    order = ask.order()
    made = shipping.find(order, ask.number("shipment"))
    shipping.update(made, ask.given())
    ask.store.shipped("updated", order, made)
    return Answer.json(200, told.shipment(order, made))


def delete_shipment(ask: Ask) -> Answer:
    """The order's status stays as it is."""
    order = ask.order()
    made = shipping.find(order, ask.number("shipment"))
    made.deleted = True
    ask.store.shipped("deleted", order, made)
    return NOTHING
