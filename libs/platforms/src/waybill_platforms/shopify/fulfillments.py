"""Tells a shop what was shipped. I/O only; how pieces are spread over fulfillment orders is in `fulfilling`.

Promises: a create call always names its lines and quantities; `create`, `update_tracking` and `cancel` are one HTTP
call each, so that each has one outcome.
"""

from dataclasses import replace
from datetime import datetime

from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.shopify import documents, fulfilling, mapping, wire
from waybill_platforms.shopify.changing import change
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.parcels import read_parcels, read_records, truncated


class ShopifyFulfillments:
    """The `FulfillmentWriter` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        """Fulfillment orders and fulfillments, live, all pages."""
        found = await read_parcels(self._graph, order_id, "get_fulfillment_orders")
        if found is None:
            return None
        records = await read_records(self._graph, found.head, "get_fulfillment_orders")
        return mapping.fulfillments(found.head, found.parcels, records)

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        """Pure; see `fulfilling.calls_for`."""
        return fulfilling.calls_for(state, draft)

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        """`fulfillmentCreate`. The record tells what Shopify kept; a long one is completed by what was asked."""
        payload, answer = await change(
            self._graph,
            documents.CREATE,
            {"fulfillment": call.body},
            "fulfillmentCreate",
            "submit_fulfillment",
            makes="fulfillment",
        )
        read = read_as(answer, wire.Record, payload.get("fulfillment"))
        made = mapping.record(read)
        return replace(made, lines=call.lines, tracking_numbers=call.tracking_numbers) if truncated(read) else made

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
        """`fulfillmentTrackingInfoUpdate`: replaces all of carrier, numbers and links."""
        tracking = fulfilling.tracking_input(carrier, tracking_numbers, tracking_url)
        variables = {"id": fulfillment_id, "tracking": tracking, "notify": notify}
        payload, answer = await change(
            self._graph,
            documents.UPDATE_TRACKING,
            variables,
            "fulfillmentTrackingInfoUpdate",
            "update_fulfillment",
            makes="fulfillment",
        )
        return mapping.record(read_as(answer, wire.Record, payload.get("fulfillment")))

    async def cancel(self, fulfillment_id: str) -> None:
        """`fulfillmentCancel`: the pieces are open again, maybe in a new fulfillment order at another location."""
        await change(
            self._graph,
            documents.CANCEL,
            {"id": fulfillment_id},
            "fulfillmentCancel",
            "cancel_fulfillment",
            makes="fulfillment",
        )
