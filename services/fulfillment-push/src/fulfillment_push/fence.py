"""The fence: what must hold in the transaction that writes a send intent (DESIGN section 3, IN-13).

The FR is confirmed for the version of the order that we know, and the order is neither held nor canceled.
Otherwise the FR waits, saying for what, and an event wakes it.
"""

from fulfillment_push.fr import Fr, KnownOrder, Waiting, WaitsFor
from waybill_contracts.values import OrderState


def fence(fr: Fr, order: KnownOrder | None) -> Waiting | None:
    """None when it may be sent now; else what it waits for."""
    if not fr.known:
        return Waiting(WaitsFor.CONFIRMATION, "the request itself has not arrived from the router")
    if order is None:
        return Waiting(WaitsFor.ORDER_UNKNOWN, f"order {fr.order_id} has not arrived from order-ingest")
    if order.state is OrderState.CANCELED:
        return Waiting(WaitsFor.ORDER_CANCELED, "the order is canceled; the router will ask for the void")
    if order.state is OrderState.HELD:
        return Waiting(WaitsFor.ORDER_HELD, "the order is on hold; its release goes on by itself")
    if fr.order_version != order.version:
        return Waiting(
            WaitsFor.CONFIRMATION,
            f"confirmed for version {fr.order_version} of the order, which is at version {order.version}",
        )
    return None
