"""Tells a store what was shipped. I/O only; how a shipment is written is in `fulfilling`.

Promises: a create call always names its lines and quantities; `create` and `update_tracking` are one HTTP call each.
`cancel` is two with an effect: the order's status is put back *before* the shipment is deleted, because deleting leaves
it "Shipped" for ever. Both can be repeated, and as long as the shipment is shown, the whole is not done.
"""

from datetime import datetime

from waybill_common.retry import Family
from waybill_platforms.bigcommerce import fulfilling, mapping, wire
from waybill_platforms.bigcommerce.reading import shipments, whole_order
from waybill_platforms.bigcommerce.rest import Rest, read_as
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord

COURIER_REFUSED = "COURIER_REFUSED"
SHIPPED = frozenset({mapping.SHIPPED, mapping.PARTIALLY_SHIPPED, mapping.COMPLETED})


class BigCommerceFulfillments:
    """The `FulfillmentWriter` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        """The order and its shipments, live; in this order, so that what is made in between shows as a shipment."""
        whole = await whole_order(self._rest, order_id, "get_fulfillment_orders")
        if whole is None:
            return None
        return mapping.fulfillments(whole, await shipments(self._rest, order_id, "get_fulfillment_orders"))

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        """Pure; see `fulfilling.calls_for`."""
        return fulfilling.calls_for(state, draft)

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        """`POST /orders/{id}/shipments`, with its items."""
        _refuse_too_long("submit_fulfillment", call.tracking_numbers, call.tracking_url)
        return await self._written("POST", f"/v2/orders/{call.order_id}/shipments", "submit_fulfillment", call.body)

    async def update_tracking(
        self,
        fulfillment_id: str,
        *,
        carrier: str,
        tracking_numbers: tuple[str, ...],
        tracking_url: str | None,
        shipped_at: datetime | None = None,
        service: str = "",
        notify: bool = False,
    ) -> FulfillmentRecord:
        """`PUT /orders/{id}/shipments/{id}`: replaces carrier, number and link."""
        _refuse_too_long("update_fulfillment", tracking_numbers, tracking_url)
        body = fulfilling.tracking_fields(carrier, tracking_numbers, tracking_url, service)
        return await self._written("PUT", _path(fulfillment_id), "update_fulfillment", body)

    async def cancel(self, fulfillment_id: str) -> None:
        """Puts the order's status back, then deletes this one shipment (never all of them). Done when it is gone."""
        order_id, shipment_id = fulfillment_id.split("/")
        whole = await whole_order(self._rest, order_id, "cancel_fulfillment")
        if whole is not None and whole.head.status_id in SHIPPED:
            standing = await shipments(self._rest, order_id, "cancel_fulfillment")
            left = any(one.items for one in standing if one.id != int(shipment_id))
            await self._put_back(whole.head, mapping.PARTIALLY_SHIPPED if left else mapping.AWAITING_FULFILLMENT)
        try:
            await self._rest.change("DELETE", _path(fulfillment_id), "cancel_fulfillment")
        except PlatformError as error:
            if error.status != 404 or error.code != "404":  # it is gone already: a repetition, or somebody else's work
                raise

    async def _put_back(self, head: wire.Order, status_id: int) -> None:
        if head.status_id != status_id:
            body = {"status_id": status_id}
            await self._rest.change("PUT", f"/v2/orders/{head.id}", "cancel_fulfillment", body)

    async def _written(self, method: str, path: str, log_type: str, body: object) -> FulfillmentRecord:
        try:
            answer = await self._rest.change(method, path, log_type, body)
        except PlatformError as error:
            if error.family is Family.REFUSED and _names_the_carrier(error.message):
                error.code = COURIER_REFUSED
            raise
        return mapping.record(read_as(answer, wire.Shipment, answer.json()))


def _names_the_carrier(message: str) -> bool:
    return "shipping_provider" in message or "tracking_carrier" in message


def _path(fulfillment_id: str) -> str:
    order_id, shipment_id = fulfillment_id.split("/")
    return f"/v2/orders/{order_id}/shipments/{shipment_id}"


def _refuse_too_long(log_type: str, numbers: tuple[str, ...], url: str | None) -> None:
    why = fulfilling.too_long(numbers, url)
    if why is not None:
        raise PlatformError(why, family=Family.REFUSED, cause="refused", outcome="none", action=log_type)
