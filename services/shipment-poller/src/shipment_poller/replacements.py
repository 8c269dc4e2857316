"""What was asked for in the place of an FR that shipped after all, how it stands, and what a person decides. Pure.

The router asks back what is too much, and names the FR that shipped (`fr.void_requested`, `instead`). Until it has,
those are meant that were made in its place, live and about the same lines.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from shipment_poller.model import Watched
from waybill_contracts.fulfillment_submitted import FrState, Outcome, Reason, Recall
from waybill_contracts.shipment_synced import Choice, Decided

OVER = frozenset({FrState.VOIDED, FrState.CANCELED})
SENT = frozenset({FrState.PROCESSED, FrState.ACKNOWLEDGED})


class Stand(IntEnum):
    """How a replacement stands; the greatest of several is what people are told of."""

    STOPPED = 1
    UNSENT = 2
    SENT = 3
    SHIPS = 4


CODES = {
    Stand.STOPPED: "replacement_stopped",
    Stand.UNSENT: "replacement_unsent",
    Stand.SENT: "replacement_sent",
    Stand.SHIPS: "replacement_ships",
}
_COMES = {
    Stand.STOPPED: "",
    Stand.UNSENT: "it is stopped before it is sent; ",
    Stand.SENT: "its source is asked to give it back; ",
    Stand.SHIPS: "both are on their way: call one of the two parcels back, or let the buyer keep both; ",
}


def of(fr_id: str, watches: Mapping[str, Watched]) -> list[Watched]:
    """What stands, or stood, in the place of this FR, in the order of its numbers."""
    asked_back = [one for one in watches.values() if one.stopped_for == fr_id]
    made = [one for one in watches.values() if one.state not in OVER and one.fr and one.fr.predecessor == fr_id]
    return sorted(asked_back or made, key=lambda one: one.fr.number if one.fr else "")


def about(replacements: Sequence[Watched], lines: set[str]) -> list[Watched]:
    """Those with some of these lines in them; all, where the parcel's lines are not known."""
    return [one for one in replacements if one.fr and (not lines or lines & {line.line_id for line in one.fr.lines})]


def stand(one: Watched) -> Stand:
    """Where the attempt to stop it has come to."""
    if one.state in OVER:
        return Stand.STOPPED
    if one.state in SENT or one.outcome in (Outcome.UNKNOWN, Outcome.IN_FLIGHT):
        return Stand.SHIPS if one.recall is Recall.REFUSED else Stand.SENT
    return Stand.UNSENT


def conflict(watched: Watched, replacements: Sequence[Watched], shipment_id: str) -> Reason:
    """Undecided: what left, what stands in its place, and what a person may choose."""
    message = f"the FR is {watched.state.value}, but its source {watched.source} shipped it"
    stands = sorted(((stand(one), one) for one in replacements), key=lambda pair: pair[0], reverse=True)
    code, comes = f"fr_{watched.state.lower()}", ""
    if stands:
        code, comes = CODES[stands[0][0]], _COMES[stands[0][0]]
        message += "".join(f", and {_words(how, one)}" for how, one in stands)
    return Reason(code=code, message=message, action=f"{comes}decide: {choices(shipment_id)}")


def choices(shipment_id: str) -> str:
    """The two, as commands."""
    return (
        f"waybill shipments decide {shipment_id} keep-stopped (this parcel counts, nothing is sent in its place), or "
        "ship-replacement (it does not count, and what was in it is asked for again)"
    )


def set_aside(watched: Watched, decided: Decided) -> Reason:
    """A person decided that it does not count."""
    return Reason(
        code="does_not_count",
        message=f"{watched.source} shipped it although the FR is {watched.state.value}; {decided.by.actor} decided "
        f"that its replacement ships all the same: {decided.by.reason}",
        action="none for Waybill; agree with the source or the buyer what becomes of this parcel",
    )


def counts(decided: Decided | None) -> bool:
    """A person decided that the parcel is what the buyer gets."""
    return decided is not None and decided.choice is Choice.KEEP_STOPPED


def _words(how: Stand, one: Watched) -> str:
    number = one.fr.number if one.fr else one.fr_id
    name = f"FR {number} at {one.source}, made in its place,"
    if how is Stand.STOPPED:
        by_source = one.state is FrState.CANCELED
        return f"{name} was canceled by its source" if by_source else f"{name} was stopped"
    if how is Stand.UNSENT:
        return f"{name} is not sent yet"
    if how is Stand.SHIPS:
        return f"{name} ships as well: its source refused to give it back"
    asked = {
        Recall.REQUESTED: ", which is asked to give it back",
        Recall.UNANSWERED: ", which was asked to give it back and has not answered within the hour",
    }
    return f"{name} is with its source{asked.get(one.recall, '')}"
