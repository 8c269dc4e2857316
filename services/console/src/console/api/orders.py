"""Orders: listed, one in full, its time line."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from console.api.paging import page, read_cursor
from console.api.params import Moment
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.api.views import Narrow, narrow_of
from console.fresh import Fresh
from console.past import as_of
from console.search import SHORTEST, beyond, folded
from console.timeline import activities_of
from console.waiting import waiting
from waybill_common.db import Pool, Queries, rows

At = Annotated[Moment | None, Query(description="RFC 3339, with a zone: the order as it was at that moment")]


class OrderFilter(Narrow):
    """What is given here goes before what the view says."""

    view: str | None = Field(default=None, description="a saved view's name")
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=500)


def orders_router(pool: Pool, q: Queries, keys: Keys, fresh: Fresh) -> APIRouter:
    router = APIRouter(tags=["orders"])
    viewer = Depends(keys.require("viewer", by_store=True))

    @router.get("/orders")
    async def list_orders(
        actor: Annotated[Actor, viewer],
        narrow: Annotated[OrderFilter, Query()],
    ) -> dict[str, Any]:
        """Newest first. `number` finds an order with or without its leading #."""
        if narrow.view is not None:
            saved = await narrow_of(pool, q, actor, narrow.view)
            narrow = OrderFilter.model_validate(saved | narrow.model_dump(exclude_none=True, exclude={"view"}))
        after, stamp = read_cursor(narrow.cursor), await fresh.stamp()
        given = narrow.model_dump(include={"stage", "sync", "fulfillment", "channel", "hold", "number"})
        given |= {"stores": actor.stores, "placed": after.at, "after": after.id, "limit": narrow.limit + 1}
        if narrow.search is not None:
            found = await rows(q.search_orders(pool, **_bounds(narrow.search), **given))
        else:
            found = await rows(q.list_orders(pool, **given))
        return page(found, narrow.limit, _summary, lambda row: (row["placed_at"], row["order_id"])) | stamp

    @router.get("/orders/{order_id}")
    async def show_order(order_id: str, actor: Annotated[Actor, viewer], at: At = None) -> dict[str, Any]:
        """Lines, holds, FRs, shipments, the decision, and what it waits for; with `at`, as it all was then."""
        if at is not None:
            return await past_order(pool, q, await known_order(pool, q, order_id, actor), at)
        return await order_in_full(pool, q, order_id, actor)

    @router.get("/orders/{order_id}/timeline")
    async def timeline(order_id: str, actor: Annotated[Actor, viewer]) -> dict[str, Any]:
        """Every activity in order, and every exchange with a platform that was about this order."""
        await known_order(pool, q, order_id, actor)
        activities = await activities_of(pool, q, order_id)
        exchanges = [
            {**row["body"], "at": row["at"]} for row in await rows(q.records_by_order(pool, order_id=order_id))
        ]
        return {"order_id": order_id, "activities": activities, "exchanges": exchanges}

    return router


def no_such_order(order_id: str) -> ProblemError:
    way = "Find it by its number: GET /orders?number=, waybill orders show NUMBER"
    return ProblemError(404, "No such order", f"No order has the id {order_id!r}", way)


async def known_order(pool: Pool, q: Queries, order_id: str, actor: Actor) -> Any:
    """Its row, or a problem that says how to find it; one of a store that the caller does not see is not there."""
    row = await q.order_by_id(pool, order_id=order_id)
    if row is None or (actor.stores is not None and row["store"] not in actor.stores):
        raise no_such_order(order_id)
    return row


async def order_in_full(pool: Pool, q: Queries, order_id: str, actor: Actor) -> dict[str, Any]:
    """The answer of `GET /orders/{id}`."""
    row = await known_order(pool, q, order_id, actor)
    requests = [dict(r) for r in await rows(q.frs_by_order(pool, order_id=order_id))]
    shipments = [dict(s) for s in await rows(q.shipments_by_order(pool, order_id=order_id))]
    return _whole(row["snapshot"], dict(row), requests, shipments)


async def past_order(pool: Pool, q: Queries, row: Any, at: datetime) -> dict[str, Any]:
    """The answer of `GET /orders/{id}` as it would have been at `at`."""
    order_id = row["order_id"]
    version = await q.order_version_at(pool, order_id=order_id, at=at)
    if version is None:
        first = await q.first_version(pool, order_id=order_id)
        way = f"Its first version is of {first.isoformat()}: ask for that or later" if first else "Leave `at` out"
        raise ProblemError(404, "Not here yet", f"The order was not here at {at.isoformat()}", way)
    activities = [a for a in await activities_of(pool, q, order_id) if a["at"] <= at]
    requests = await rows(q.frs_by_order(pool, order_id=order_id))
    shipments = await rows(q.shipments_by_order(pool, order_id=order_id))
    then = as_of(version["snapshot"], requests, shipments, activities, version["state_since"])
    order = dict(row) | then.standing._asdict() | {"decision": then.decision, "unroutable": then.unroutable}
    order |= {"stage_since": then.standing.since, "updated_at": version["at"]}
    return _whole(version["snapshot"], order, then.requests, then.shipments) | {"at": at}


def _whole(
    snapshot: dict[str, Any], order: dict[str, Any], requests: list[dict[str, Any]], shipments: list[dict[str, Any]]
) -> dict[str, Any]:
    """One order in full: `order` has its standing and decision, now or at a moment."""
    return {
        **{name: snapshot[name] for name in _CONTENT},
        **_standing(order),
        "decision": order["decision"],
        "unroutable": order["unroutable"],
        "frs": [fr_answer(request) for request in requests],
        "shipments": [shipment_answer(shipment) for shipment in shipments],
        "waiting": waiting(order | {"holds": snapshot["holds"]}, requests, shipments),
        "trace": (order["traceparent"] or "--").split("-")[1] or None,
    }


_CONTENT = (
    "order_id",
    "store",
    "channel",
    "channel_order_id",
    "number",
    "version",
    "state",
    "holds",
    "payment",
    "currency",
    "total",
    "email",
    "note",
    "tags",
    "addresses",
    "shipping_method",
    "channel_shipping_method",
    "lines",
)
_STANDING = ("stage", "stage_since", "fulfillment", "sync", "placed_at", "updated_at")


def _bounds(search: str) -> dict[str, str]:
    prefix = folded(search)
    if len(prefix) < SHORTEST:
        text = f"search={search!r} is too short to be looked for"
        raise ProblemError(422, "Search for more", text, f"Give at least {SHORTEST} characters")
    return {"prefix": prefix, "beyond": beyond(prefix)}


def _standing(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in _STANDING}


def _summary(row: Any) -> dict[str, Any]:
    names = ("order_id", "store", "channel", "channel_order_id", "number", "version", "total", "currency", "unroutable")
    matched = {"matched": row["matched"]} if "matched" in row else {}
    return {**{name: row[name] for name in names}, **_standing(row), "holds": row["holds"], **matched}


def fr_answer(row: Any) -> dict[str, Any]:
    names = (
        "fr_id", "order_id", "source", "number", "state", "outcome", "recall", "shipping", "attempt", "reason",
        "platform_id",
    )  # fmt: skip
    body = row["body"] or {}
    extra = {"lines": body.get("lines", []), "cost": body.get("cost"), "order_number": body.get("order_number")}
    return {**{n: row[n] for n in names}, **extra, "created_at": row["created_at"], "updated_at": row["updated_at"]}


def shipment_answer(row: Any) -> dict[str, Any]:
    names = ("status", "reason", "fulfillment_ids", "attempts", "notes", "updated_at")
    return {**row["body"], **{name: row[name] for name in names}}
