"""What the router's facts do to an FR. Pure: the store loads the rows under lock and saves them.

Newer facts are applied, older ones answered again. A void is applied whatever its sequence, and never undone: an FR
voided before it was heard of is a tombstone, and its `fr.created` changes nothing any more.
"""

from collections.abc import Mapping

from fulfillment_push.facts import answer, restate, tell
from fulfillment_push.fence import fence
from fulfillment_push.fr import Fr, Move, WaitsFor
from fulfillment_push.lifecycle import SENT, advance, note
from fulfillment_push.schedule import next_run
from waybill_contracts.configuration import Platform, Source
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrFact, FrVoidRequested
from waybill_contracts.fulfillment_submitted import (
    FrProcessing,
    FrRecallRequested,
    FrReceived,
    FrState,
    FrVoided,
    Recall,
)

ROUTER = "router"
SERVICE = "fulfillment-push"
CONFIGURATION_SECONDS = 60.0
"""A safety net: configuration wakes what waits for it, except what another transaction was just putting to wait."""
CONFLICT = "reference_conflict"
"""Something that is not our request stands at the source under our reference: only a person may void such an FR."""


def receive(fr: Fr, fact: FrFact) -> None:
    """Applies one fact of the router and answers it; what is told then has the same cause."""
    fr.caused_by = fact.caused_by
    if isinstance(fact, FrCreated):
        _created(fr, fact)
    elif isinstance(fact, FrConfirmed):
        _confirmed(fr, fact)
    elif isinstance(fact, FrVoidRequested):
        _void_requested(fr, fact)


def _created(fr: Fr, fact: FrCreated) -> None:
    if fr.known or fr.state is FrState.VOIDED:
        if not fr.known:  # the tombstone learns whose it is, and stays one
            fr.source, fr.number = fact.fr.source, fact.fr.number
        restate(fr)
        return
    request = fact.fr
    fr.known = True
    fr.source, fr.number, fr.auto_process = request.source, request.number, request.auto_process
    fr.body, fr.body_is_new, fr.parsed = request.model_dump(mode="json"), True, request
    fr.router_sequence = max(fr.router_sequence, fact.sequence)
    fr.order_version = max(fr.order_version, fact.order_version)
    fr.moves.append(Move(None, fr.state, ROUTER, "created", fr.now, 0))
    if request.auto_process:
        advance(fr, FrState.PROCESSING, who=SERVICE, why="auto_process")
        tell(fr, FrProcessing)
    else:
        tell(fr, FrReceived)


def _confirmed(fr: Fr, fact: FrConfirmed) -> None:
    if fact.sequence <= fr.router_sequence:
        restate(fr)
        return
    fr.router_sequence = fact.sequence
    fr.order_version = max(fr.order_version, fact.order_version)
    if fr.known or fr.state is FrState.VOIDED:
        answer(fr)
    # An unknown FR is not answered: the router must send its fr.created again.


def _void_requested(fr: Fr, fact: FrVoidRequested) -> None:
    if fr.void_wanted and fact.sequence <= fr.router_sequence:
        restate(fr)
        return
    fr.router_sequence = max(fr.router_sequence, fact.sequence)
    fr.void_reason = fact.reason
    if fr.state in (FrState.VOIDED, FrState.CANCELED):
        answer(fr)
    elif fr.state in SENT:
        _note_person(fr, fact)
        ask_back(fr)
    elif fr.open_intent or (something_is_there(fr) and fact.by_hand is None):
        _note_person(fr, fact)
        answer(fr)  # decided when the outcome is known, or by a person
    else:
        void(fr, who=fact.by_hand.actor if fact.by_hand else ROUTER)


def _note_person(fr: Fr, fact: FrVoidRequested) -> None:
    if fact.by_hand is not None:
        note(fr, who=fact.by_hand.actor, why=f"wanted back: {fact.by_hand.reason}")


def void(fr: Fr, *, who: str, why: str | None = None) -> None:
    """It was never sent, or the source gave it back: its stock is free again."""
    advance(fr, FrState.VOIDED, who=who, why=why or fr.void_reason or "voided")
    fr.rest()
    fr.let_go()
    tell(fr, FrVoided)


def something_is_there(fr: Fr) -> bool:
    """It FAILED because the source has something else under our reference."""
    return fr.state is FrState.FAILED and fr.reason is not None and fr.reason.code == CONFLICT


def ask_back(fr: Fr) -> None:
    """It was sent: the source is asked to give it back (FP-7)."""
    fr.recall = Recall.REQUESTED
    fr.recalled_at = fr.now
    fr.asks = 0
    fr.wait(WaitsFor.RECALL, "the source is asked to give it back", fr.now)
    tell(fr, FrRecallRequested)


def queue(fr: Fr, sources: Mapping[str, Source]) -> None:
    """Sets what an FR that is not sent waits for, and when it is due. Called after every change that may matter."""
    if fr.state is FrState.UNPROCESSED and fr.known:
        fr.wait(WaitsFor.PROCESS, "auto_process is off: a person launches it")
    if fr.state is not FrState.PROCESSING or fr.open_intent:
        return
    source = sources.get(fr.source)
    held_back = fence(fr, fr.order)
    if source is None:
        why = f"source {fr.source} is not configured here yet"
        fr.wait_seconds(WaitsFor.CONFIGURATION, why, CONFIGURATION_SECONDS)
    elif held_back is not None:
        fr.wait(held_back.code, held_back.detail)
    elif source.platform is Platform.MANUAL:
        fr.wait(WaitsFor.MANUAL, "the source has no connection: a person sends it and marks it processed")
    elif fr.waiting is None or fr.waiting.code not in KEEPS_ITS_TIME or fr.due_at is None:
        fr.wait(WaitsFor.RUN, "the next send run of its source", next_run(fr.source, fr.now, source.send_every))


KEEPS_ITS_TIME = frozenset({WaitsFor.RUN, WaitsFor.RETRY, WaitsFor.BUDGET, WaitsFor.CREDENTIALS, WaitsFor.CONNECTION})
"""It may be sent, at the moment that it was given; looking at it again must not put that off."""
