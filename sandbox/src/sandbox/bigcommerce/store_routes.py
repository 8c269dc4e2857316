"""What stands behind the routes of the store itself: what it sells, how it ships, whom it tells by hooks."""

from sandbox.bigcommerce import catalogue
from sandbox.bigcommerce import hooks as deliveries
from sandbox.bigcommerce.asked import Ask
from sandbox.bigcommerce.model import Hook
from sandbox.bigcommerce.words import Refused
from sandbox.serving import Answer

# -- catalogue, store


def variants(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    return Answer.json(200, catalogue.page([catalogue.variant(one) for one in found], ask.query))


def products(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    with_variants = "variants" in ask.query.get("include", "").split(",")
    return Answer.json(200, catalogue.page([catalogue.shown(one, with_variants) for one in found], ask.query))


def items(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    return Answer.json(200, catalogue.page([catalogue.item(one) for one in found], ask.query))


def zones(ask: Ask) -> Answer:
    return Answer.json(200, catalogue.zones())


def methods(ask: Ask) -> Answer:
    return Answer.json(200, catalogue.methods(ask.number("zone")))


def store(ask: Ask) -> Answer:
    store = ask.store
    zone = {"name": "America/Chicago", "raw_offset": -21600, "dst_offset": -18000, "dst_correction": True}
    about = {"id": store.name, "name": store.name, "status": store.settings.status, "currency": "USD"}
    return Answer.json(200, {**about, "timezone": zone, "plan_name": "Standard"})


# -- hooks


def hooks(ask: Ask) -> Answer:
    found = [deliveries.shown(ask.store.name, hook) for hook in ask.store.hooks.values()]
    return Answer.json(200, catalogue.page(found, ask.query))


def create_hook(ask: Ask) -> Answer:
    return _kept(ask, None)


def update_hook(ask: Ask) -> Answer:
    hook = ask.store.hooks.get(ask.number("hook"))
    if hook is None:
        raise Refused(404, f"Webhook with id [{ask.parts['hook']}] not found")
    return _kept(ask, hook)


def delete_hook(ask: Ask) -> Answer:
    """The hook as it was, in a 200."""
    hook = ask.store.hooks.get(ask.number("hook"))
    if hook is None:
        raise Refused(404, f"Webhook with id [{ask.parts['hook']}] not found")
    ask.store.remove_hook(hook)
    return Answer.json(200, {"data": deliveries.shown(ask.store.name, hook), "meta": {}})


def _kept(ask: Ask, known: Hook | None) -> Answer:
    fields = deliveries.checked(ask.given(), ask.store.settings.strict_destinations, known)
    hook = Hook(
        id=known.id if known else ask.store.new_id(),
        scope=fields["scope"],
        destination=fields["destination"],
        is_active=fields["is_active"],
        headers=fields["headers"],
        created_at=known.created_at if known else ask.now(),
        updated_at=ask.now(),
    )
    ask.store.keep_hook(hook)
    return Answer.json(200, {"data": deliveries.shown(ask.store.name, hook), "meta": {}})
