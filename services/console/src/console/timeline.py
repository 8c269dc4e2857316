"""One order's time line: what its events said, and when somebody had its buyer's data erased (OP-2, OP-16).

An erasure is no event: nobody beside the console keeps who asked for it. It is told without what was erased, and
without the reason that was given for it, which only admins read (`GET /erasures`).
"""

from typing import Any

from waybill_common.db import Pool, Queries, rows

KINDS = ("names and addresses", "telephone numbers", "e-mail addresses", "notes", "texts exchanged with platforms")
"""What an erasure takes out of an order, everywhere."""


async def activities_of(pool: Pool, q: Queries, order_id: str) -> list[dict[str, Any]]:
    """Everything that happened to the order, in its order."""
    told = [dict(row) for row in await rows(q.activities_by_order(pool, order_id=order_id))]
    erased = [_erasure(row) for row in await rows(q.erasures_of_order(pool, order_id=order_id))]
    return sorted(told + erased, key=lambda one: (one["at"], one["event_id"])) if erased else told


def _erasure(row: Any) -> dict[str, Any]:
    detail = {"erasure_id": row["erasure_id"], "asked_by": row["asked_by"], "asked_at": row["asked_at"]}
    return {
        "event_id": row["erasure_id"], "at": row["at"], "service": "console", "activity": "person_erased",
        "title": f"Personal data erased, as {_asker(row['asked_by'])} asked: {', '.join(KINDS)}",
        "detail": {**detail, "kinds": list(KINDS)}, "fr_id": None, "shipment_id": None, "caused_by": None,
        "command": None,
    }  # fmt: skip


def _asker(asked_by: str) -> str:
    """A person or an API key by its name; a shop's redaction webhook and the retention setting in words."""
    if asked_by == "retention":
        return "the retention setting"
    kind, _, channel = asked_by.partition("/")
    return f"the shop of channel {channel}" if kind == "channel" and channel else asked_by
