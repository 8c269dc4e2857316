"""Makes an order of a seeded kind. What is special to Magento comes with it: every other line is a configurable (parent
and child row with one SKU), some a bundle shipped as one, some orders a bundle shipped in parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.magento import shipping
from sandbox.magento.model import BUNDLE, CONFIGURABLE, SIMPLE, VIRTUAL, Address, Order, Product, Row
from sandbox.seeding.drafts import Buyer, Draft, DraftLine

if TYPE_CHECKING:
    from sandbox.magento.shop import MagentoShop

METHODS = {
    "Standard": "flatrate_flatrate",
    "Express (1–2 days)": "tablerate_bestway",
    "Économique ✈ Luftpost": "freeshipping_freeshipping",
}
"""What buyers chose -> the code that the order carries."""


def method(title: str) -> str:
    return METHODS.get(title, f"custom_{title.split()[0].lower()}" if title else "")


def seed(shop: "MagentoShop", draft: Draft) -> Order:
    shipped_apart = draft.position % 4 == 2 and len(draft.lines) > 1 and draft.kind in {"plain", "repeated"}
    rows = _apart(shop, draft.lines) if shipped_apart else _rows(shop, draft.lines)
    total = sum(float(one.price) * one.quantity for one in draft.lines) + float(draft.shipping_price)
    order = Order(
        entity_id=shop.new_id(),
        increment_id=shop.name_of(shop.first_number + draft.position),
        created_at=draft.at,
        updated_at=draft.at,
        currency=draft.currency,
        rows=rows,
        grand_total=f"{total:.2f}",
        address=address(draft.buyer, draft.email),
        email=draft.email,
        note=draft.note,
        shipping_method=method(draft.shipping_method),
        shipping_description=draft.shipping_method,
        kind=draft.kind,
        expectation=draft.expectation,
    )
    _pay(order, draft.payment)
    shop.add(order)
    _after(shop, order, draft)
    return order


def _rows(shop: "MagentoShop", lines: Sequence[DraftLine]) -> list[Row]:
    rows: list[Row] = []
    for place, line in enumerate(lines):
        ship_as = (SIMPLE, CONFIGURABLE, BUNDLE)[place % 3] if line.ships and not line.gift_card else VIRTUAL
        rows += line_rows(shop, line, ship_as)
    return rows


def line_rows(shop: "MagentoShop", line: DraftLine, ship_as: str) -> list[Row]:
    """The row that is shipped first, its dummy children after it."""
    kind = SIMPLE if line.gift_card and line.ships else ship_as
    product = shop.product(f"{kind}/{line.sku}" if kind in {CONFIGURABLE, BUNDLE} else line.sku, line.title, kind)
    parent = _row(shop, line, product, kind)
    if kind == CONFIGURABLE:
        child = _row(shop, line, shop.product(line.sku, line.title, SIMPLE), SIMPLE)
        child.parent, child.price = parent.item_id, "0.00"
        return [parent, child]
    if kind == BUNDLE:
        part = shop.product(f"{line.sku}-PART", f"Part of {line.title}", SIMPLE)
        child = _row(shop, line, part, SIMPLE)
        child.parent, child.sku, child.qty_ordered = parent.item_id, part.sku, line.quantity * 2
        return [parent, child]
    return [parent]


def _apart(shop: "MagentoShop", lines: Sequence[DraftLine]) -> list[Row]:
    """One bundle whose children are shipped: its own row is a dummy."""
    product = shop.product("SET-APART", "Set, shipped in parts", BUNDLE)
    first = lines[0]
    parent = Row(shop.new_id(), "SET-APART", product.name, BUNDLE, product.id, 1, first.price)
    rows = [parent]
    for line in lines:
        kind = SIMPLE if line.ships else VIRTUAL
        row = _row(shop, line, shop.product(line.sku, line.title, kind), kind)
        row.parent = parent.item_id
        rows.append(row)
    return rows


def _row(shop: "MagentoShop", line: DraftLine, product: Product, kind: str) -> Row:
    """What was taken back before anybody looked was refunded: Magento cannot cancel a part."""
    return Row(
        item_id=shop.new_id(),
        sku=line.sku,
        name=line.title,
        product_type=kind,
        product_id=product.id,
        qty_ordered=line.quantity,
        price=line.price,
        is_virtual=kind == VIRTUAL,
        qty_refunded=line.quantity - line.current,
    )


def address(buyer: Buyer, email: str) -> Address:
    return Address(
        firstname=buyer.first_name,
        lastname=buyer.last_name,
        street=[line for line in (buyer.line1, buyer.line2) if line],
        city=buyer.city,
        country_id=buyer.country,
        postcode=buyer.postal,
        company=buyer.company,
        region=buyer.region,
        region_code=buyer.region,
        telephone=buyer.phone or "-",
        email=email,
    )


def _pay(order: Order, payment: str) -> None:
    if payment == "authorized":
        order.state, order.status, order.payment_method = "processing", "processing", "payflowpro"
        order.amount_authorized = order.grand_total
    elif payment in {"paid", "refunded"}:
        pay(order)


def pay(order: Order) -> None:
    """An invoice over everything."""
    order.total_paid = order.grand_total
    for row in order.rows:
        row.qty_invoiced = row.qty_ordered
    if order.state in {"new", "pending_payment"}:
        order.state, order.status = "processing", "processing"


def refund(order: Order) -> None:
    """A credit memo over everything that has not been refunded yet."""
    order.total_refunded = order.total_paid or "0.00"
    for row in order.rows:
        row.qty_refunded = row.qty_ordered
    order.state, order.status = "closed", "closed"


def _after(shop: "MagentoShop", order: Order, draft: Draft) -> None:
    """What happened at the shop before anybody looked."""
    if draft.kind == "edited":
        order.total_refunded = "1.00"
    elif draft.kind == "canceled":
        order.total_paid = None
        order.state = order.status = "canceled"
        for row in order.rows:
            row.qty_canceled = row.qty_ordered
    elif draft.kind == "refunded":
        refund(order)
    elif draft.kind == "on_hold":
        order.hold_before, order.state, order.status = order.state, "holded", "holded"
    elif draft.kind == "gift_cards_only":
        order.address, order.shipping_method, order.shipping_description = None, "", ""
    elif draft.kind in {"fulfilled", "partly_fulfilled"}:
        _ship(shop, order, draft.kind == "fulfilled")
    shop.keep(order)


def _ship(shop: "MagentoShop", order: Order, everything: bool) -> None:
    lines = shop.lines(order)
    items = [(row, row.to_ship) for row in lines] if everything else [(lines[0], lines[0].to_ship - 1)]
    tracks = [{"track_number": f"1ZSEED{order.increment_id}", "title": "UPS", "carrier_code": "ups"}]
    given = {"items": [{"order_item_id": row.item_id, "qty": n} for row, n in items if n], "tracks": tracks}
    shipping.ship(order, given, shop.separately, shop.new_id, order.created_at + 2)
