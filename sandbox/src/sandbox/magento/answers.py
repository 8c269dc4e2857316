"""What each route answers. One step, no waiting: a call has its whole effect or none."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.magento import carts, merchant, telling
from sandbox.magento.criteria import found, trimmed
from sandbox.magento.errors import Refused, no_entity, not_found, required
from sandbox.magento.model import Cart, Order
from sandbox.magento.shop import MagentoShop
from sandbox.sight import Sight


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as the answers need it."""

    shop: MagentoShop
    ids: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: Any
    sight: Sight

    @property
    def fields(self) -> str | None:
        return next((value for name, value in self.query if name == "fields"), None)

    @property
    def newest(self) -> float:
        """Lists show nothing that changed after this moment."""
        return self.shop.now() - self.sight.hides_newer_than


# -- orders


def orders(asked: Asked) -> Any:
    there = asked.sight.remembers(asked.shop.orders.values(), lambda one: one.increment_id, _without_last_line)
    known = [one for one in there if _visible(asked, one.updated_at)]
    told = found([telling.order_record(lambda one: telling.order_told(_seen(asked, one)), one) for one in known],
                 asked.query)  # fmt: skip
    return trimmed(_doubled(asked, told), asked.fields)


def _without_last_line(one: Order) -> Order:
    """With the rows below it."""
    last = [row for row in one.rows if row.parent is None][-1].item_id
    return replace(one, rows=[row for row in one.rows if last not in {row.item_id, row.parent}])


def order(asked: Asked) -> Any:
    return trimmed(telling.order_told(_seen(asked, _order(asked))), asked.fields)


def cancel(asked: Asked) -> bool:
    """False when there is nothing to cancel: Magento's `canCancel`."""
    one = _order(asked)
    invoiced = all(row.qty_invoiced >= row.qty_ordered for row in one.rows)
    if one.state in {"canceled", "complete", "closed", "holded", "payment_review"} or invoiced:
        return False
    merchant.cancel(one)
    asked.shop.touch(one, "order_canceled_by_api")
    return True


def _order(asked: Asked) -> Order:
    one = asked.shop.orders.get(_number(asked.ids["id"]))
    if one is None:
        raise not_found()
    return one


def _number(text: str) -> int:
    if not text.isdigit():
        raise Refused(400, 'The "%1" value\'s type is invalid. The "%2" type was expected.', [text, "int"])
    return int(text)


def _seen(asked: Asked, one: Order) -> Order:
    return asked.shop.as_before(one) if asked.sight.stale else one


def _visible(asked: Asked, changed_at: int) -> bool:
    return not asked.sight.hides_newer_than or changed_at <= asked.newest


def _doubled(asked: Asked, told: dict[str, Any]) -> dict[str, Any]:
    if asked.sight.twice:
        told["items"] = [one for one in told["items"] for _ in range(2)]
    return told


# -- shipments


def ship(asked: Asked) -> str:
    """The bare id, in quotes: as some versions give it."""
    return str(asked.shop.make_shipment(_order(asked), asked.body, ours=True).entity_id)


def shipments(asked: Asked) -> Any:
    known = [
        telling.shipment_record(one, made)
        for one in asked.shop.orders.values()
        for made in one.shipments
        if _visible(asked, made.created_at)
    ]
    return trimmed(_doubled(asked, found(known, asked.query)), asked.fields)


def shipment(asked: Asked) -> Any:
    return trimmed(telling.shipment_told(*asked.shop.shipment(_number(asked.ids["id"]))), asked.fields)


def add_track(asked: Asked) -> Any:
    given = asked.body.get("entity") or {}
    for name in ("order_id", "parent_id", "track_number", "title", "carrier_code"):
        if not given.get(name):
            raise required(name)
    one, made = asked.shop.shipment(int(given["parent_id"]))
    track = asked.shop.add_track(one, made, given["track_number"], given["title"], given["carrier_code"])
    return telling.track_told(one, made, track.entity_id)


def remove_track(asked: Asked) -> bool:
    asked.shop.remove_track(_number(asked.ids["id"]))
    return True


def add_comment(asked: Asked) -> Any:
    given = asked.body.get("entity") or {}
    if not given.get("comment"):
        raise required("comment")
    one, made = asked.shop.shipment(_number(asked.ids["id"]))
    comment = asked.shop.add_comment(one, made, given["comment"], int(given.get("is_visible_on_front") or 0))
    return {"entity_id": comment.entity_id, "parent_id": made.entity_id, "comment": comment.comment}


def email(asked: Asked) -> bool:
    one, made = asked.shop.shipment(_number(asked.ids["id"]))
    made.notified += 1
    asked.shop.note("buyer_notified", one, made)
    asked.shop.keep(one)
    return True


# -- carts


def new_cart(asked: Asked) -> str:
    cart = Cart(asked.shop.new_id(), secrets.token_hex(16))
    asked.shop.keep_cart(cart)
    return cart.masked_id


def get_cart(asked: Asked) -> Any:
    cart = asked.shop.carts.get(asked.ids["id"])
    if cart is None:
        raise no_entity("cartId", None)
    return telling.cart_told(cart, asked.shop.products)


def add_item(asked: Asked) -> Any:
    return carts.add(asked.shop, asked.ids["id"], asked.body)


def estimate(asked: Asked) -> Any:
    return carts.offered(asked.shop, asked.ids["id"])


def inform(asked: Asked) -> Any:
    return carts.inform(asked.shop, asked.ids["id"], asked.body)


def place(asked: Asked) -> str:
    """The order's bare id, in quotes."""
    made = carts.place(asked.shop, asked.ids["id"], asked.body)
    asked.shop.wake()
    return str(made.entity_id)


# -- the rest


def products(asked: Asked) -> Any:
    known = [telling.product_record(one) for one in asked.shop.products.values()]
    return trimmed(found(known, asked.query), asked.fields)


def source_items(asked: Asked) -> Any:
    return trimmed(found(telling.source_items(asked.shop.products.values()), asked.query), asked.fields)


def sources(asked: Asked) -> Any:
    known = []
    for code in asked.shop.settings.sources:
        told = {"source_code": code, "name": code, "enabled": True}
        known.append({**told, "told": lambda told=told: told})
    return found(known, asked.query)


def stock_item(asked: Asked) -> Any:
    product = asked.shop.products.get(asked.ids["id"])
    if product is None:
        raise Refused(404, 'The Product with the "%1" SKU doesn\'t exist.', [asked.ids["id"]])
    quantity = sum(product.on_hand.values())
    return {"item_id": product.id, "qty": quantity, "is_in_stock": quantity > 0, "manage_stock": True}


def configs(asked: Asked) -> Any:
    return [
        {
            "id": 1,
            "code": "default",
            "website_id": 1,
            "locale": "en_US",
            "base_currency_code": "USD",
            "default_display_currency_code": "USD",
            "timezone": "Europe/Berlin",
            "weight_unit": "kgs",
        }
    ]


def country(asked: Asked) -> Any:
    code = asked.ids["id"]
    told: dict[str, Any] = {"id": code, "two_letter_abbreviation": code, "three_letter_abbreviation": f"{code}X"}
    regions = carts.REGIONS.get(code, {})
    if regions:
        told["available_regions"] = [{"id": i, "code": c, "name": name} for i, (c, name) in regions.items()]
    return told


def token(asked: Asked) -> str:
    """Two-factor authentication is off here; where it is on, this is refused."""
    if (asked.body.get("username"), asked.body.get("password")) != asked.shop.admin:
        raise Refused(401, "The account sign-in was incorrect or your account is disabled temporarily.")
    made = secrets.token_hex(16)
    asked.shop.keys.admin_tokens.append(made)
    return made
