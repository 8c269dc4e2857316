"""A person decides about a parcel that left although its FR was over: does it count, or does its replacement? (SP-1)

Promises: the decision is stored with who and why, told by the shipment's next fact, and followed by the router, which
counts the units or asks for them again, and by the channel. Deciding the same again changes nothing. That a parcel
counts is not taken back: the channel, and the buyer, were told.
"""

from typing import Any

from shipment_poller.by_hand import NotPossible
from shipment_poller.model import ShipmentState
from shipment_poller.not_here import no_such_shipment
from shipment_poller.review_orders import Tools, review_orders
from waybill_common.commands import UNNAMED, Command
from waybill_common.db import Connection, Pool, rows
from waybill_contracts.shipment_synced import Choice, Decided
from waybill_contracts.values import ByHand, Order, OrderState


async def decide_conflict(
    pool: Pool, tools: Tools, shipment_id: str, choice: Choice, who: ByHand, command: Command = UNNAMED
) -> dict[str, Any]:
    """The shipment as it stands then. Raises NotPossible."""

    async def act(conn: Connection) -> dict[str, Any]:
        await tools.configurations.refresh(conn)
        row = await _locked(conn, tools, shipment_id)
        decided = Decided(choice=choice, by=who)
        if _is_news(row, decided):
            await _may_ship_another(conn, tools, row["order_id"], choice)
            await tools.queries.decide(conn, shipment_id=shipment_id, decided=decided.model_dump(mode="json"))
            await review_orders(conn, tools, [row["order_id"]])
        return _answer(await tools.queries.one_shipment(conn, shipment_id=shipment_id))

    answer: dict[str, Any] = await command.once(pool, act)
    return answer


async def _locked(conn: Connection, tools: Tools, shipment_id: str) -> Any:
    found = await tools.queries.one_shipment(conn, shipment_id=shipment_id)
    if found is None:
        raise no_such_shipment(shipment_id)
    await tools.queries.lock_orders(conn, order_ids=[found["order_id"]])
    return await tools.queries.one_shipment(conn, shipment_id=shipment_id)


def _is_news(row: Any, wish: Decided) -> bool:
    """False when it was decided like this before. Raises NotPossible where there is nothing to decide."""
    before = None if row["decided"] is None else Decided.model_validate(row["decided"])
    if before is not None and before.choice is wish.choice:
        return False
    if before is not None and before.choice is Choice.KEEP_STOPPED:
        reason = f"{before.by.actor} decided that this parcel counts ({before.by.reason}), and its channel was told"
        way = "when it comes back, let its source withdraw it, and what was in it is asked for again"
        raise NotPossible(reason, way, code="decided_already")
    if row["state"] != ShipmentState.CONFLICT:
        reason = f"shipment {row['source_shipment_id']} is {row['state']}, not in conflict: there is nothing to decide"
        raise NotPossible(
            reason, "list those that are: `waybill shipments list --status conflicted`", code="not_in_conflict"
        )
    return True


async def _may_ship_another(conn: Connection, tools: Tools, order_id: str, choice: Choice) -> None:
    [row] = await rows(tools.queries.orders_for_review(conn, order_ids=[order_id]))
    order = Order.model_validate(row["body"])
    if choice is Choice.SHIP_REPLACEMENT and order.state is OrderState.CANCELED:
        reason = f"order {order.number} is canceled: nothing is sent in the parcel's place"
        raise NotPossible(reason, "let the source withdraw it", code="order_canceled")


def _answer(row: Any) -> dict[str, Any]:
    names = ("shipment_id", "order_id", "fr_id", "source", "state", "lines", "carrier", "sync", "reason", "channel")
    return {name: row[name] for name in (*names, "decided")}
