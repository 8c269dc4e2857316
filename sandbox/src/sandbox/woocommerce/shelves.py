"""The rest of a store's API: goods, shipping methods, webhooks, what it says of itself."""

from typing import Any

from sandbox.seeding.goods import CHANNEL_METHODS, UNMAPPED_METHOD
from sandbox.serving import Answer
from sandbox.woocommerce import listing, telling, tracking
from sandbox.woocommerce.errors import Refused
from sandbox.woocommerce.hooks import Deliveries
from sandbox.woocommerce.listing import Paged
from sandbox.woocommerce.model import Hook
from sandbox.woocommerce.routes import Asked
from sandbox.woocommerce.settings import Settings


def products(asked: Asked) -> Answer:
    """A list has no variations; by SKU they come, too, and a text with commas is several SKUs and itself."""
    found = sorted(asked.store.products.values(), key=lambda one: one.id)
    if "sku" in asked.query:
        text = asked.query["sku"]
        wanted = {one.strip() for one in text.split(",")} | {text}
        found = [one for one in found if one.sku in wanted]
    else:
        found = [one for one in found if not one.parent_id]
    rows = [asked.cut(telling.product(one)) for one in found]
    return listing.page(rows, Paged.of(asked.query), asked.address, hides_total=False)


def variations(asked: Asked, product_id: str) -> Answer:
    found = [one for one in asked.store.products.values() if one.parent_id == int(product_id)]
    rows = [asked.cut(telling.variation(one, asked.store.settings)) for one in found]
    return listing.page(rows, Paged.of(asked.query), asked.address, hides_total=False)


def zones(asked: Asked) -> Answer:
    return Answer.json(200, [{"id": 0, "name": "Elsewhere", "order": 0}, {"id": 1, "name": "Home", "order": 1}])


def methods(asked: Asked, zone: str) -> Answer:
    titles = (*CHANNEL_METHODS, UNMAPPED_METHOD) if zone == "1" else ("Standard",)
    rows = [{"instance_id": place, "title": title, "enabled": True, "method_id": "flat_rate"}
            for place, title in enumerate(titles, 1)]  # fmt: skip
    return Answer.json(200, rows)


# -- webhooks


def hooks(asked: Asked) -> Answer:
    status = asked.query.get("status", "all")
    found = [one for one in asked.store.hooks.values() if status in {"all", one.status}]
    return listing.page([telling.hook(one) for one in found], Paged.of(asked.query), asked.address, hides_total=False)


def create_hook(asked: Asked, deliveries: Deliveries) -> Answer:
    """Always active, whatever the body says; the address is pinged at once."""
    given = asked.body or {}
    if "." not in str(given.get("topic", "")):
        raise Refused(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic is required and must be valid.")
    if not str(given.get("delivery_url", "")).startswith(("http://", "https://")):
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise Refused(400, "woocommerce_rest_webhook_invalid_delivery_url", message)
    hook = Hook(
        asked.store.new_id(),
        str(given.get("name", "")),
        str(given["topic"]),
        str(given["delivery_url"]),
        str(given.get("secret") or "made-up-and-never-told"),
    )
    asked.store.keep_hook(hook)
    deliveries.ping(hook)
    return Answer.json(201, telling.hook(hook))


def _hook(asked: Asked, hook_id: str) -> Hook:
    hook = asked.store.hooks.get(int(hook_id))
    if hook is None:
        raise Refused(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
    return hook


def one_hook(asked: Asked, hook_id: str) -> Answer:
    return Answer.json(200, telling.hook(_hook(asked, hook_id)))


def change_hook(asked: Asked, hook_id: str) -> Answer:
    hook, given = _hook(asked, hook_id), asked.body or {}
    for name in ("name", "status", "topic", "delivery_url", "secret"):
        setattr(hook, name, str(given.get(name, getattr(hook, name))))
    hook.failures = 0 if hook.status == "active" else hook.failures
    asked.store.keep_hook(hook)
    return Answer.json(200, telling.hook(hook))


def delete_hook(asked: Asked, hook_id: str) -> Answer:
    if asked.query.get("force") != "true":
        raise Refused(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
    _hook(asked, hook_id)
    return Answer.json(200, telling.hook(asked.store.remove_hook(int(hook_id))))


# -- what the store says of itself


def index(asked: Asked) -> Answer:
    """Without credentials."""
    settings = asked.store.settings
    spaces = ["oembed/1.0", "wc/v3", "wp/v2", *(tracking.NAMESPACES if settings.plugin else ())]
    told = {"name": asked.store.name, "description": "", "url": asked.address, "home": asked.address,
            "gmt_offset": str(settings.offset(asked.now) / 3600), "timezone_string": settings.timezone,
            "namespaces": spaces, "routes": {}}  # fmt: skip
    return Answer.json(200, asked.cut(told))


def status(asked: Asked) -> Answer:
    settings = asked.store.settings
    told = {"environment": {"version": settings.version, "wp_version": "7.1"}, "database": {},
            "settings": {"currency": settings.currency, "HPOS_enabled": settings.storage == "hpos"}}  # fmt: skip
    return Answer.json(200, asked.cut(told))


def statuses(settings: Settings) -> list[dict[str, str]]:
    return [{"slug": word, "name": word.title()} for word in listing.words(settings) if word not in {"any", "trash"}]


def options(asked: Asked) -> Answer:
    """The parameters of the list of orders; `created_via` among them since 10.0."""
    settings = asked.store.settings
    if not settings.options:
        return Answer(405, b"<html><body>405 Not Allowed</body></html>", content_type="text/html")
    names = ["page", "per_page", "search", "modified_after", "modified_before", "dates_are_gmt", "include", "orderby"]
    args: dict[str, Any] = {name: {"type": "string", "required": False} for name in names}
    args["status"] = {"type": "array", "items": {"type": "string", "enum": listing.words(settings)}}
    args |= {"created_via": {"type": "array"}} if settings.at_least(10, 0) else {}
    taken = ["status", "billing", "line_items", "meta_data", *(["created_via"] if settings.at_least(10, 0) else [])]
    body: dict[str, Any] = {name: {"required": False} for name in taken}
    endpoints = [{"methods": ["GET"], "args": args}, {"methods": ["POST"], "args": body}]
    return Answer.json(200, {"namespace": "wc/v3", "methods": ["GET", "POST"], "endpoints": endpoints})
