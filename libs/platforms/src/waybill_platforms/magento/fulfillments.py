"""Tells a store what was shipped. I/O only; the body of a shipment is in `fulfilling`.

Cannot cancel a shipment: Magento has neither a call nor a button for it, and that is said, not faked.
"""

from datetime import UTC, datetime

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.magento import fulfilling, mapping, wire
from waybill_platforms.magento.orders import MagentoOrders
from waybill_platforms.magento.rest import Rest, missing, read_as, read_id
from waybill_platforms.magento.search import LARGEST_PAGE, criteria, more_pages
from waybill_platforms.model.catalogue import Carrier
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord


class MagentoFulfillments:
    """The `FulfillmentWriter` and `CarrierReader` of one store."""

    def __init__(self, rest: Rest, orders: MagentoOrders, source_code: str) -> None:
        self._rest = rest
        self._orders = orders
        self._source_code = source_code

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        """The order's rows and all its shipments, live: two calls."""
        read = await self._orders.read(order_id, "get_fulfillment_orders")
        if read is None:
            return None
        return mapping.fulfillments(*read, await self._shipments(order_id))

    async def _shipments(self, order_id: str) -> list[wire.Shipment]:
        shipments: list[wire.Shipment] = []
        page = 1
        while True:
            query = criteria([("order_id", "eq", order_id)], sort=[("entity_id", "ASC")], page=page)
            answer = await self._rest.get("/shipments", "get_fulfillment_orders", query)
            found = read_as(answer, wire.Found)
            shipments += [read_as(answer, wire.Shipment, raw) for raw in found.items or ()]
            if not more_pages(page, LARGEST_PAGE, found.total_count, len(found.items or ())):
                return list({one.entity_id: one for one in shipments}.values())
            page += 1

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        """Pure; see `fulfilling.calls_for`."""
        return fulfilling.calls_for(state, draft, self._source_code)

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        """`POST /order/{id}/ship`. Magento answers with an id alone, so the record tells what was asked."""
        answer = await self._rest.post(f"/order/{call.order_id}/ship", "submit_fulfillment", call.body)
        return FulfillmentRecord(
            id=read_id(answer),
            status="success",
            lines=call.lines,
            carrier=call.carrier if call.tracking_numbers else "",
            tracking_numbers=call.tracking_numbers,
            tracking_urls=(call.tracking_url,) if call.tracking_url else (),
            created_at=datetime.now(UTC).replace(microsecond=0),
            raw_status="shipped",
        )

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
        """Adds the tracks that are missing, then removes the others; a link is a new comment, the newest one counts.

        Several calls: one that is cut in the middle leaves more tracks than wanted, never fewer, and doing it again
        ends where it should.
        """
        shipment = await self._shipment(fulfillment_id)
        wanted = fulfilling.tracks(carrier, tracking_numbers)
        there = {(t.track_number or "", t.title or "", t.carrier_code or ""): t for t in shipment.tracks or ()}
        keys = [(one["track_number"], one["title"], one["carrier_code"]) for one in wanted]
        for track, key in zip(wanted, keys, strict=True):
            if key not in there:
                await self._add(shipment, track)
        for key, old in there.items():
            if key not in keys and old.entity_id is not None:
                await self._rest.delete(f"/shipment/track/{old.entity_id}", "update_fulfillment")
        if tracking_url and mapping.links(shipment) != (tracking_url,):
            await self._comment(shipment, tracking_url)
        if notify:
            await self._rest.post(f"/shipment/{shipment.entity_id}/emails", "update_fulfillment", {})
        return await self._updated(shipment)

    async def _add(self, shipment: wire.Shipment, track: dict[str, str]) -> None:
        whose = {"order_id": shipment.order_id, "parent_id": shipment.entity_id, "weight": 0, "qty": 0}
        entity = {**whose, "description": "", **track}
        await self._rest.post("/shipment/track", "update_fulfillment", {"entity": entity})

    async def _comment(self, shipment: wire.Shipment, url: str) -> None:
        entity = {
            "parent_id": shipment.entity_id,
            "comment": f"{mapping.TRACKING}{url}",
            "is_visible_on_front": 1,
            "is_customer_notified": 0,
        }
        await self._rest.post(f"/shipment/{shipment.entity_id}/comments", "update_fulfillment", {"entity": entity})

    async def _updated(self, shipment: wire.Shipment) -> FulfillmentRecord:
        state = await self.read(str(shipment.order_id))
        found = [one for one in state.fulfillments if one.id == str(shipment.entity_id)] if state else []
        return found[0] if found else mapping.record(shipment, set())

    async def _shipment(self, fulfillment_id: str) -> wire.Shipment:
        try:
            answer = await self._rest.get(f"/shipment/{fulfillment_id}", "update_fulfillment")
        except PlatformError as error:
            if missing(error):
                error.cause = "refused"
            raise
        return read_as(answer, wire.Shipment)

    async def cancel(self, fulfillment_id: str) -> None:
        """Always refused (`features.cancels_fulfillments` is false)."""
        raise PlatformError(
            f"shipment {fulfillment_id}: Magento cannot cancel a shipment; correct it by hand, with a refund or a note",
            family=Family.REFUSED,
            cause="refused",
            outcome="none",
            action="cancel_fulfillment",
            code="unsupported",
        )

    async def carriers(self) -> tuple[Carrier, ...]:
        """Magento has no list to ask for: the core's, and `custom` with any name."""
        return fulfilling.CARRIERS
