"""An order judged once more by today's mappings and rules, beside what stands: nothing is stored (OP-13).

What the channel showed last is judged, as the healing of waiting orders would do it. The transaction is read-only:
whatever this did, nothing could come of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from order_ingest.act_on_order import NoSuchOrder
from order_ingest.heal_orders import as_last_seen
from order_ingest.import_file import NoSuchChannel
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.normalize import Excluded, Held, Outcome, normalize
from order_ingest.rulebook import Rulebook
from order_ingest.standing_holds import Known
from order_ingest.store import Stored, stored
from order_ingest.twins import Twins
from waybill_common.db import Pool
from waybill_contracts.values import Hold, OrderLine


@dataclass(frozen=True, slots=True)
class RerunOrder:
    """The question and what it needs."""

    pool: Pool
    rulebook: Rulebook

    async def rerun(self, order_id: UUID) -> dict[str, Any]:
        """`then` and `now` of standing, holds, shipping method and lines. Raises NoSuchOrder and NoSuchChannel."""
        async with self.pool.acquire() as conn, conn.transaction(readonly=True):
            found = await q().order_by_id(conn, order_id=order_id)
            if found is None:
                raise NoSuchOrder(order_id)
            row = stored(found)
            sighting = as_last_seen(row)
            rules = await self.rulebook.of(conn, [sighting])
            if sighting.channel not in rules:
                raise NoSuchChannel(sighting.channel)
            here = row.copy.standing is not Standing.EXCLUDED
            twins = await Twins.find(conn, rules, [(sighting, row.here)])
            known = Known(row.said, twins.twin_of(sighting, here=here))
            baseline = row.copy.baseline if here else None
            outcome = normalize(sighting.order, rules[sighting.channel], baseline, known)
        then, now = _then(row), _now(outcome)
        return {
            "order_id": str(order_id),
            "number": row.number,
            "differs": sorted(name for name in then if then[name] != now[name]),
            "then": then,
            "now": now,
        }


def _then(row: Stored) -> dict[str, Any]:
    order = row.copy.order
    if order is None:
        return _view(row.copy.standing, row.copy.reason)
    return _view(row.copy.standing, row.copy.reason, order.holds, order.shipping_method, order.lines)


def _now(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Excluded):
        return _view(Standing.EXCLUDED, outcome.reason)
    content = outcome.content
    holds = outcome.holds if isinstance(outcome, Held) else ()
    standing = Standing.CANCELED if content.canceled else Standing.HELD if holds else Standing.IMPORTED
    return _view(standing, content.canceled or "", holds, content.shipping_method, content.lines)


def _view(
    standing: Standing,
    reason: str,
    holds: Sequence[Hold] = (),
    shipping_method: str | None = None,
    lines: Sequence[OrderLine] = (),
) -> dict[str, Any]:
    return {
        "standing": standing.value,
        "reason": reason,
        "holds": [hold.model_dump(mode="json") for hold in holds],
        "shipping_method": shipping_method,
        "lines": [_line(line) for line in lines],
    }


def _line(line: OrderLine) -> Mapping[str, Any]:
    """What the mapping makes of a line."""
    return {
        "line_id": line.line_id,
        "channel_sku": line.channel_sku,
        "components": [part.model_dump() for part in line.components],
        "service": line.service,
    }
