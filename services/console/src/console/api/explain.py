"""Why is my order not here? Its channel is asked live by order-ingest; where an order stands, we know (IN-15)."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query

from console.api.actions import ask_owner
from console.api.security import Actor, Keys
from console.at_channel import at_channel
from console.owners import Owners
from console.waiting import waiting
from waybill_common.db import Pool, Queries, rows
from waybill_contracts import topics

TIMEOUT = 30.0  # seconds: a shop is asked while somebody waits


def explain_router(pool: Pool, q: Queries, keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["orders"])
    viewer = Depends(keys.require("viewer"))

    @router.get("/orders/explain")
    async def explain(
        _: Annotated[Actor, viewer],
        channel: Annotated[str, Query(description="a channel's id")],
        number: Annotated[str, Query(min_length=1, description="with or without #; also one never imported")],
    ) -> dict[str, Any]:
        """Answers with `answer`, `reason` and `fix`; an order that is here also with where it is now.

        `answer` is imported, held, canceled, excluded, authentication_lost, channel_silent, not_yet_due, missed,
        deleted_at_channel, never_existed, refused_event or not_published. `now.at_channel` says of each shipment
        why the channel does not show it, or that it does: none_exists, not_yet_due, failed, withdrawn, nothing_to_tell,
        shown.
        """
        path = f"/internal/channels/{quote(channel, safe='')}/explain"
        said: dict[str, Any] = await ask_owner(
            owners, topics.ORDER_INGEST, "GET", path, params={"number": number}, seconds=TIMEOUT
        )
        return {**said, "now": await _now(said["order_id"])}

    async def _now(order_id: str | None) -> dict[str, Any] | None:
        """Where the order is, as the read model has it; None while it is not here."""
        row = await q.order_by_id(pool, order_id=order_id) if order_id else None
        if row is None:
            return None
        requests = [dict(r) for r in await rows(q.frs_by_order(pool, order_id=order_id))]
        shipments = [dict(s) for s in await rows(q.shipments_by_order(pool, order_id=order_id))]
        order = dict(row) | {"holds": row["snapshot"]["holds"]}
        waits = waiting(order, requests, shipments)
        return {
            "stage": row["stage"],
            "since": row["stage_since"],
            "fulfillment": row["fulfillment"],
            "sync": row["sync"],
            "waiting": waits,
            "at_channel": at_channel(shipments, waits),
        }

    return router
