"""What resolvers share: the context of a call, parts of an order, times and money as the platform writes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.shopify.connections import Connection, page
from sandbox.shopify.model import Order
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.shop import Shop
from sandbox.sight import PLAIN, Sight


@dataclass(slots=True)
class Context:
    """What resolvers may use besides the value: the shop, and how this call sees it."""

    shop: Shop
    sight: Sight = PLAIN
    searches: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """(path, query, filters that were ignored)"""

    def seen(self, order: Order) -> Order:
        return self.shop.as_before(order) if self.sight.stale else order


@dataclass(frozen=True, slots=True)
class Part:
    order: Order
    it: Any


def money(amount: Decimal | str, order: Order) -> dict[str, Any]:
    one = {"amount": str(Decimal(amount).quantize(Decimal("0.01"))), "currency_code": order.currency_code}
    return {"shop_money": one, "presentment_money": one}


def total(order: Order, current: bool = True, shipping: bool = True) -> Decimal:
    pieces = sum(
        (Decimal(li.price) * (li.current_quantity if current else li.quantity) for li in order.lines), Decimal(0)
    )
    return pieces + (Decimal(order.shipping_price) if shipping else 0)


def id_of(part: Part) -> int:
    return int(part.it.id)


def connection_of(part: Part, items: Sequence[Any], arguments: Arguments) -> Connection:
    return page([Part(part.order, item) for item in items], arguments, id_of)


def own(order_field: Callable[[Order], Any]) -> Resolve:
    return lambda order, arguments, context: order_field(order)


def of(part_field: Callable[[Any], Any]) -> Resolve:
    return lambda part, arguments, context: part_field(part.it)


def always(value: Any) -> Resolve:
    return lambda it, arguments, context: value
