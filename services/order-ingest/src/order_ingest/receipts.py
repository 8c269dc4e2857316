"""What the router's facts settle for us: receipts for orders, and which references at shops are our own."""

from collections.abc import Sequence

from order_ingest.facts import receipt_subject
from order_ingest.named import q
from waybill_common import outbox
from waybill_common.db import Connection
from waybill_contracts.fr_created import FrCreated, OrderDecision


async def settle_orders(conn: Connection, decisions: Sequence[OrderDecision]) -> None:
    """The router has answered these facts: they are not sent again."""
    await outbox.settle(conn, [outbox.Receipt(receipt_subject(d.order_id), d.order_sequence) for d in decisions])


async def note_own_references(conn: Connection, created: Sequence[FrCreated]) -> None:
    """FRs that may go to a shop leave their number there; an order that carries it is not a buyer's (IN-7)."""
    if created:
        frs = {event.fr.number: event for event in created}
        references = sorted(frs)
        await q().add_own_references(
            conn,
            references=references,
            frs=[frs[reference].fr_id for reference in references],
            sources=[frs[reference].fr.source for reference in references],
        )
