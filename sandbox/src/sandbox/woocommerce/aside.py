"""What stands behind the routes beside an order: its notes, and a tracking plugin's."""

from sandbox.serving import Answer
from sandbox.woocommerce import telling, tracking, writing
from sandbox.woocommerce.errors import Refused, no_route
from sandbox.woocommerce.model import Note, Order
from sandbox.woocommerce.routes import Asked

# -- notes


def notes(asked: Asked, number: str) -> Answer:
    """Newest first, all of them."""
    settings = asked.store.settings
    return Answer.json(200, [telling.note(one, settings) for one in reversed(asked.order(number).notes)])


def create_note(asked: Asked, number: str) -> Answer:
    """Moves nothing, and no webhook tells of it."""
    store, order = asked.store, asked.order(number)
    text = str(writing.required(asked.body or {}, "note"))
    one = Note(store.new_id(), asked.now, text, bool((asked.body or {}).get("customer_note")))
    order.notes.append(one)
    store.journal.note("note_created", shop=store.name, order=str(order.id), note=text)
    store.keep(order)
    return Answer.json(201, telling.note(one, store.settings))


# -- the tracking plugin


def _with_plugin(asked: Asked, number: str) -> Order:
    if not asked.store.settings.plugin:
        raise no_route()
    order = asked.store.orders.get(int(number))
    if order is None:
        raise Refused(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
    return order


def trackings(asked: Asked, number: str) -> Answer:
    return Answer.json(200, [tracking.told(row) for row in tracking.rows(_with_plugin(asked, number))])


def providers(asked: Asked, number: str) -> Answer:
    _with_plugin(asked, number)
    return Answer.json(200, {name: links or [] for name, links in tracking.PROVIDERS.items()})


def create_tracking(asked: Asked, number: str) -> Answer:
    """`status_shipped: 1` completes the order. The address in Location is wrong: the id is made a number."""
    store, order = asked.store, _with_plugin(asked, number)
    row = tracking.add(order, asked.body or {}, store.new_id, keeps_ship_date=store.settings.keeps_ship_date)
    moves = store.settings.storage == "hpos"
    if (asked.body or {}).get("status_shipped") == 1:
        writing.set_status(order, "completed", store.settings, asked.now)
        moves = True
    store.touch(order, "tracking_added", moves=moves, number=row["tracking_number"])
    digits = "".join(letter for letter in row["tracking_id"] if letter.isdigit())[:7]
    return Answer.json(201, tracking.told(row), {"Location": f"{asked.address}/{digits}"})


def delete_tracking(asked: Asked, number: str, tracking_id: str) -> Answer:
    store, order = asked.store, _with_plugin(asked, number)
    row = tracking.remove(order, tracking_id, store.new_id)
    store.touch(order, "tracking_removed", moves=store.settings.storage == "hpos", number=row["tracking_number"])
    return Answer.json(200, tracking.told(row))
