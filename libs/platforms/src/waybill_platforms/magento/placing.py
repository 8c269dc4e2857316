"""Asks a store to ship: a guest's cart, placed as an order. I/O only; the bodies are in `cart`.

Promises: a cart is placed once at most, so that its id, stored before it is placed, stands in for the reference that
Magento does not keep (`RequestPlacer`). An unknown SKU, too few pieces or a method that is not offered is found while
the cart is prepared, before anybody ships anything.
"""

from urllib.parse import quote

from waybill_common.retry import Family
from waybill_platforms.calls import Answer
from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import Failure
from waybill_platforms.magento import cart, messages, placed, wire
from waybill_platforms.magento.rest import Rest, read_as, read_id, read_list
from waybill_platforms.magento.rows import lines
from waybill_platforms.magento.search import criteria
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted

_REFUSED = Failure(Family.REFUSED, "refused", "none", "the request cannot be ordered there as it is")
_CHANGED = Failure(Family.REFUSED, "refused", "none", "the cart is not what was put into it")
_ROWS = "items[item_id,parent_item_id,product_id,product_type,sku,qty_ordered,qty_shipped,qty_refunded,qty_canceled]"
_ORDER = f"entity_id,increment_id,state,status,created_at,updated_at,grand_total,payment[method,po_number],{_ROWS}"


class MagentoRequests:
    """The `RequestSink` and `RequestPlacer` of one store."""

    def __init__(self, rest: Rest, settings: MagentoSettings) -> None:
        self._rest = rest
        self._settings = settings
        self._regions: dict[str, tuple[wire.Region, ...]] = {}

    # -- RequestPlacer

    async def prepare(self, request: SourceRequest) -> str:
        """A cart with exactly the request's pieces, address and shipping method; nobody ships a cart."""
        answer = await self._rest.post("/guest-carts", "submit_request", {}, effect=False)
        masked_id = answer.json()
        if not isinstance(masked_id, str) or not masked_id:
            raise answer.wrong_form(f"{masked_id!r} is no id of a cart")
        for sku, pieces in cart.items(request).items():
            await self._add(masked_id, sku, pieces)
        answer = await self._rest.get(_cart(masked_id), "submit_request")
        made = read_as(answer, wire.Cart)
        if wrong := cart.differs(made, request):
            raise answer.failed(_CHANGED, f"{wrong} ({_CHANGED.why})", code="cart_differs")
        address = await self._address(request)
        method = await self._method(masked_id, request, address)
        body = cart.information_body(address, method)
        await self._rest.post(_cart(masked_id, "/shipping-information"), "submit_request", body, effect=False)
        return cart.handle(masked_id, made.id)

    async def place(self, request: SourceRequest, handle: str) -> Submitted:
        """The one step with an effect. A cart that is gone was placed before, or given up: that has to be read back."""
        masked_id, _ = cart.ids(handle)
        email = self._email(request)
        body = cart.payment_body(request.reference, self._settings.payment_method, email, await self._address(request))
        answer = await self._rest.post(_cart(masked_id, "/payment-information"), "submit_request", body)
        return Submitted(read_id(answer), request.reference, acknowledged=True, lines=None)

    async def find_placed(self, request: SourceRequest, handle: str) -> Submitted | None:
        """The order that came of the cart: `quote_id` is a column, so what is committed is found."""
        _, quote_id = cart.ids(handle)
        query = criteria([("quote_id", "eq", quote_id)], size=2, fields=f"items[{_ORDER}],total_count")
        answer = await self._rest.get("/orders", "find_request", query)
        found = [read_as(answer, wire.Order, raw) for raw in read_as(answer, wire.Found).items or ()]
        if len(found) > 1:
            raise answer.wrong_form(f"{len(found)} orders of cart {quote_id}; a cart becomes one")
        return placed.submitted(found[0], request) if found else None

    # -- RequestSink

    async def submit(self, request: SourceRequest) -> Submitted:
        """Both steps at once, for who keeps no handle: a lost answer cannot be found then."""
        return await self.place(request, await self.prepare(request))

    async def find(self, reference: str) -> Submitted | None:
        """Refused: an order cannot be searched by a reference, only by its cart."""
        raise PlatformError(
            f"{reference}: Magento finds an order by its own id or by its cart, not by our reference; "
            "look for the purchase order number in the shop's admin",
            family=Family.REFUSED,
            cause="refused",
            outcome="none",
            action="find_request",
            code="unsupported",
        )

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """Refused when a piece has left: Magento would cancel the rest without a word."""
        answer = await self._rest.get(f"/orders/{quote(platform_id, safe='')}", "cancel_request", [("fields", _ORDER)])
        there = read_as(answer, wire.Order)
        if there.state == "canceled":
            return CancelAnswer("accepted", "the order is canceled there")
        shipped = sum(int(row.qty_shipped or 0) for row in lines(there.items, {}, []))
        if shipped or there.state in {"complete", "closed"}:
            return CancelAnswer("refused", f"order {there.increment_id} is {there.state}, {shipped} pieces have left")
        answer = await self._rest.post(f"/orders/{there.entity_id}/cancel", "cancel_request", {})
        if answer.json() is True:
            return CancelAnswer("accepted", f"order {there.increment_id} was canceled")
        return CancelAnswer("refused", f"order {there.increment_id} ({there.state}/{there.status}) cannot be canceled")

    # -- steps

    async def _add(self, masked_id: str, sku: str, pieces: int) -> None:
        try:
            body = cart.item_body(masked_id, sku, pieces)
            await self._rest.post(_cart(masked_id, "/items"), "submit_request", body, effect=False)
        except PlatformError as error:
            if error.code in {messages.UNKNOWN_SKU, messages.OUT_OF_STOCK}:
                error.message = f"{sku}: {error.message}"  # Magento does not say which one
                error.args = (error.message,)
            raise

    def _email(self, request: SourceRequest) -> str:
        email = request.ship_to.email or self._settings.email
        if not email:
            raise PlatformError(
                "ship_to.email: missing, and Magento places no guest's order without one; "
                "set credentials.email of this source to the address that gets the shop's mails",
                family=Family.REFUSED,
                cause="refused",
                outcome="none",
                action="submit_request",
                code="additional_info_required",
            )
        return email

    async def _address(self, request: SourceRequest) -> dict[str, object]:
        country = request.ship_to.country
        if country not in self._regions:
            answer = await self._rest.get(f"/directory/countries/{quote(country, safe='')}", "submit_request")
            self._regions[country] = read_as(answer, wire.Country).available_regions or ()
        return cart.address_body(request.ship_to, self._regions[country], self._email(request))

    async def _method(self, masked_id: str, request: SourceRequest, address: dict[str, object]) -> tuple[str, str]:
        name = request.shipping_method
        if name and (plain := cart.split_method(name)):
            return plain
        path = _cart(masked_id, "/estimate-shipping-methods")
        answer = await self._rest.post(path, "submit_request", {"address": address}, effect=False)
        offered = read_list(answer, wire.ShippingMethod)
        return cart.chosen(name, offered) or _not_offered(answer, name, offered)


def _not_offered(answer: Answer, name: str | None, offered: list[wire.ShippingMethod]) -> tuple[str, str]:
    asked = f"shipping method {name!r} is not offered" if name else "no shipping method is asked for"
    text = f"{asked}: use one of {cart.offered_text(offered)} ({_REFUSED.why})"
    raise answer.failed(_REFUSED, text, code="additional_info_required" if not name else messages.SHIPPING_METHOD)


def _cart(masked_id: str, rest: str = "") -> str:
    return f"/guest-carts/{quote(masked_id, safe='')}{rest}"
