"""Tells a shop what was shipped. I/O only; how pieces are spread over fulfillment orders is in `fulfilling`.

Promises: a create call always names its lines and quantities; `create`, `update_tracking` and `cancel` are one HTTP
call each, so that each has one outcome.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from waybill_platforms.calls import Answer
from waybill_platforms.model import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.shopify import documents, fulfilling, mapping, wire
from waybill_platforms.shopify.documents import Document
from waybill_platforms.shopify.graphql import REFUSED, Graph, read_as
from waybill_platforms.shopify.parcels import read_parcels, read_records, truncated

COURIER_REFUSED = "COURIER_REFUSED"


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
        payload, answer = await self._change(
            documents.CREATE, {"fulfillment": call.body}, "fulfillmentCreate", "submit_fulfillment"
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
        notify: bool = False,
    ) -> FulfillmentRecord:
        """`fulfillmentTrackingInfoUpdate`: replaces all of carrier, numbers and links."""
        tracking = fulfilling.tracking_input(carrier, tracking_numbers, tracking_url)
        variables = {"id": fulfillment_id, "tracking": tracking, "notify": notify}
        payload, answer = await self._change(
            documents.UPDATE_TRACKING, variables, "fulfillmentTrackingInfoUpdate", "update_fulfillment"
        )
        return mapping.record(read_as(answer, wire.Record, payload.get("fulfillment")))

    async def cancel(self, fulfillment_id: str) -> None:
        """`fulfillmentCancel`: the pieces are open again, maybe in a new fulfillment order at another location."""
        await self._change(documents.CANCEL, {"id": fulfillment_id}, "fulfillmentCancel", "cancel_fulfillment")

    async def _change(
        self, document: Document, variables: Mapping[str, Any], field: str, log_type: str
    ) -> tuple[dict[str, Any], Answer]:
        """The mutation's payload, when it has no userErrors: business errors come in a 200, without a code."""
        data, answer = await self._graph.ask(document, variables, log_type, effect=True)
        payload = data.get(field)
        if not isinstance(payload, dict):
            raise answer.wrong_form(f"{field}: {type(payload).__name__} instead of an object")
        errors = [read_as(answer, wire.UserError, error) for error in payload.get("userErrors") or ()]
        if errors:
            text = "; ".join(f"{'.'.join(error.field or ())}: {error.message}".lstrip(": ") for error in errors)
            row = replace(REFUSED, outcome="unknown") if payload.get("fulfillment") else REFUSED
            courier = any("company" in (error.field or ()) for error in errors)
            raise answer.failed(row, text, code=COURIER_REFUSED if courier else None)
        return payload, answer
