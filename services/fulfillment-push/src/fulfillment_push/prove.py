"""A shipment proves that its request was sent, whatever the answer to it was. Pure."""

from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr
from fulfillment_push.lifecycle import advance
from fulfillment_push.receive import ask_back
from waybill_contracts.fulfillment_submitted import FrState, FrSubmitted, Outcome
from waybill_contracts.values import Shipment


def shipped(fr: Fr, shipment: Shipment) -> None:
    """Settles an FR of unknown outcome. One that should not ship is the poller's conflict, not ours."""
    if fr.state is not FrState.PROCESSING or fr.outcome is not Outcome.UNKNOWN:
        return
    fr.outcome = Outcome.KNOWN
    fr.reason = None
    fr.rest()
    fr.let_go()
    advance(fr, FrState.PROCESSED, who=fr.source, why=f"shipment {shipment.source_shipment_id} proves it was sent")
    tell(fr, FrSubmitted)
    if fr.void_wanted:
        ask_back(fr)
