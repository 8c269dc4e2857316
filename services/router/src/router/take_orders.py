"""Facts about orders become due rows; a fact that was answered already gets the same answer again."""

from collections.abc import Sequence

from router.facts import message
from waybill_common import outbox
from waybill_common.db import Connection, Queries, rows
from waybill_common.telemetry import Telemetry
from waybill_contracts import tracing
from waybill_contracts.envelope import Received
from waybill_contracts.orders_imported import OrderFact
from waybill_contracts.registry import EVENTS


async def take_orders(conn: Connection, q: Queries, telemetry: Telemetry, batch: Sequence[Received]) -> None:
    """The caller holds the orders' locks. Stores the newest fact of each order, due at once."""
    newest: dict[str, tuple[OrderFact, Received]] = {}
    for received in batch:
        event = received.event
        if isinstance(event, OrderFact):
            known = newest.get(event.order.order_id)
            if known is None or known[0].order.sequence < event.order.sequence:
                newest[event.order.order_id] = event, received
    if not newest:
        return
    facts = [newest[order_id] for order_id in sorted(newest)]
    traces = []
    for fact, received in facts:
        about = {tracing.ORDER_ID: fact.order.order_id}
        with telemetry.span(
            "router.take_order", parent=received.traceparent, kind="consumer", attributes=about
        ) as span:
            traces.append(span.traceparent)
    news = await rows(
        q.take_orders(
            conn,
            order_ids=[fact.order.order_id for fact, _ in facts],
            sequences=[fact.order.sequence for fact, _ in facts],
            versions=[fact.order.version for fact, _ in facts],
            bodies=[fact.order.model_dump(mode="json") for fact, _ in facts],
            traces=traces,
        )
    )
    old = newest.keys() - {row["order_id"] for row in news}
    if old:
        await answer_again(conn, q, {order_id: newest[order_id][0].order.sequence for order_id in old})


async def answer_again(conn: Connection, q: Queries, asked: dict[str, int]) -> None:
    """The latest decision goes out again, with the same id: the answer may have been lost."""
    messages = []
    for row in await rows(q.last_decisions(conn, order_ids=list(asked))):
        event = EVENTS[row["type"]].model_validate_json(row["event"])
        if getattr(event, "order_sequence", 0) >= asked[row["order_id"]]:
            messages.append(message(event, row["traceparent"]))
    await outbox.append(conn, messages)
