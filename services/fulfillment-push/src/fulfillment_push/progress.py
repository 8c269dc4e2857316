"""What a source does with a request that it has: a late acknowledgement, a part or all of it canceled. (FP-3, FP-6)

Pure. A sent FR rests, but not unseen: it is looked at again with growing waits until its order is shipped. Units that a
source canceled are told once, as the difference to what was told before.
"""

from collections.abc import Mapping
from datetime import timedelta

from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr, WaitsFor
from fulfillment_push.lifecycle import SENT, advance
from fulfillment_push.request import canceled_lines, takes_nothing
from fulfillment_push.shipping import reckon
from waybill_contracts.configuration import Platform, Source
from waybill_contracts.fulfillment_submitted import FrAcknowledged, FrCanceled, FrShipping, FrState, Recall
from waybill_platforms.model.requests import Submitted

FIRST, LONGEST = timedelta(minutes=5), timedelta(hours=6)


def watch(fr: Fr, source: Source) -> None:
    """Sets when a sent FR is looked at again."""
    if fr.state not in SENT or (fr.waiting is not None and fr.waiting.code is not WaitsFor.PROGRESS):
        return
    if fr.shipping is FrShipping.SHIPPED:
        fr.rest()
        return
    wait = min(max(source.poll_every, FIRST) * 2 ** min(fr.asks, 10), LONGEST)
    fr.wait(WaitsFor.PROGRESS, "the source has it; looked at again", fr.now + wait)


def attend(fr: Fr, sources: Mapping[str, Source]) -> None:
    """After a person's word: what its source does with it is looked at, where the source can be asked."""
    source = sources.get(fr.source)
    if source is not None and source.platform is not Platform.MANUAL and fr.recall is not Recall.REQUESTED:
        watch(fr, source)


def seen(fr: Fr, submitted: Submitted | None, source: Source) -> None:
    """The source shows this under our reference now. Nothing shown changes nothing: it had it."""
    fr.asks += 1
    if submitted is not None:
        if takes_nothing(fr.request, submitted):
            cancel(fr)
            return
        if submitted.acknowledged and fr.state is FrState.PROCESSED:
            advance(fr, FrState.ACKNOWLEDGED, who=fr.source, why="acknowledged later")
            tell(fr, FrAcknowledged)
        note_canceled(fr, submitted)
    watch(fr, source)


def cancel(fr: Fr) -> None:
    """The source canceled all of it."""
    fr.canceled = []
    fr.rest()
    advance(fr, FrState.CANCELED, who=fr.source, why="canceled by the source")
    tell(fr, FrCanceled)


def note_canceled(fr: Fr, submitted: Submitted) -> None:
    """Tells the units that the source canceled since the last time."""
    now = {(line["line_id"], line["sku"]): line["quantity"] for line in canceled_lines(fr.request, submitted)}
    fresh = [
        {"line_id": line_id, "sku": sku, "quantity": quantity - fr.canceled_total.get((line_id, sku), 0)}
        for (line_id, sku), quantity in now.items()
        if quantity > fr.canceled_total.get((line_id, sku), 0)
    ]
    if fresh:
        fr.canceled, fr.canceled_total = fresh, fr.canceled_total | now
        reckon(fr)
        tell(fr, FrCanceled)
