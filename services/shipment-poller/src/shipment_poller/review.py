"""One order looked at as a whole: from what is stored and what is newly said to what is to be stored and told. Pure.

Everything that moves this stage ends here: a source's word, a fact about an FR, a change of the order, a mended map.
Promises: reviewing twice changes nothing; each change of a shipment is one fact with the next sequence; what the
channel shall show is derived from all shipments together, so no order of arrival leads elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shipment_poller import completeness, judgement, replacements
from shipment_poller.lifecycle import SHIPMENT, SYNC, SyncState, advance
from shipment_poller.model import Said, ShipmentState, Verdict, Wanted, Watched
from waybill_contracts.shipment_synced import Decided
from waybill_contracts.values import FulfillmentStatus, Order, SyncStatus

ON_THE_AXIS: Mapping[SyncState, SyncStatus] = {
    SyncState.NOT_NEEDED: SyncStatus.NOT_NEEDED,
    SyncState.PENDING: SyncStatus.PENDING,
    SyncState.WITHDRAWING: SyncStatus.PENDING,
    SyncState.UPDATING: SyncStatus.PENDING,
    SyncState.CREATING: SyncStatus.PENDING,
    SyncState.SYNCED: SyncStatus.SYNCED,
    SyncState.FAILED: SyncStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One shipment as stored, with its side at the channel. A new one has no `verdict` and sequence 0."""

    shipment_id: str
    fr_id: str
    source: str
    said: Said
    verdict: Verdict | None = None
    sequence: int = 0
    sync: SyncState | None = None
    wanted: dict[str, Any] | None = None
    decided: Decided | None = None
    """What a person decided when it was in conflict"""


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of one order. `shipments` in the order in which they came, new ones last."""

    order: Order
    watches: Mapping[str, Watched]
    shipments: Sequence[Kept]
    fulfillment: FulfillmentStatus
    sync: SyncStatus
    completions: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the review makes of one shipment.

    `changed`: its row is to be stored; `told`: it is a new fact; `rearmed`: the channel has to be told.
    """

    before: Kept
    verdict: Verdict
    wanted: dict[str, Any] | None
    sync: SyncState | None
    changed: bool
    told: bool
    rearmed: bool
    corrected: tuple[str, ...] = ()
    """What changed about a shipment that counted before, in the words of `ShipmentRecorded.corrected`"""


@dataclass(frozen=True, slots=True)
class Review:
    """The result for the order: its axes, its shipments, which FRs have all left, whether it was completed now."""

    fulfillment: FulfillmentStatus
    sync: SyncStatus
    completed: bool
    outcomes: Sequence[Outcome]
    done: Mapping[str, bool] = field(default_factory=dict)


def review(dossier: Dossier, words: Mapping[str, Said], rules: Mapping[str, judgement.Rules]) -> Review:
    """`words`: shipment id -> what its source newly said; `rules` by source."""
    shipments = [replace(kept, said=words.get(kept.shipment_id, kept.said)) for kept in dossier.shipments]
    verdicts = _judge(dossier, shipments, rules)
    counting = [k for k in shipments if verdicts[k.shipment_id].state is ShipmentState.RECORDED]
    frs = [watched.fr for watched in dossier.watches.values() if watched.fr is not None]
    shares = completeness.allocate(
        [completeness.Part(k.shipment_id, verdicts[k.shipment_id].lines) for k in counting],
        completeness.recipes(dossier.order, frs),
    )
    outcomes = [
        _outcome(old, new.said, verdicts[new.shipment_id], shares.get(new.shipment_id, {}), rules)
        for old, new in zip(dossier.shipments, shipments, strict=True)
    ]
    fulfillment = completeness.status(dossier.order, shares.values())
    was, shipped = dossier.fulfillment, FulfillmentStatus.SHIPPED
    return Review(
        fulfillment,
        completeness.worst(axis(o.verdict.state, o.sync) for o in outcomes),
        fulfillment is shipped and was is not shipped,
        outcomes,
        _done(dossier, fulfillment, verdicts, shipments),
    )


def axis(state: ShipmentState, sync: SyncState | None) -> SyncStatus:
    """What one shipment adds to the order's second axis; one that waits for its label still has to be told."""
    if state is ShipmentState.WAITING_FOR_LABEL:
        return SyncStatus.PENDING
    return SyncStatus.NOT_NEEDED if sync is None else ON_THE_AXIS[sync]


def _judge(dossier: Dossier, shipments: Sequence[Kept], rules: Mapping[str, judgement.Rules]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for fr_id, watched in dossier.watches.items():
        ours = [kept for kept in shipments if kept.fr_id == fr_id]
        cases = [judgement.Case(k.said, k.verdict.state if k.verdict else None, k.decided, k.shipment_id) for k in ours]
        if ours:
            found = judgement.judge(watched, cases, rules[watched.source], replacements.of(fr_id, dossier.watches))
            verdicts.update(zip((kept.shipment_id for kept in ours), found, strict=True))
    return verdicts


def _outcome(
    before: Kept, said: Said, verdict: Verdict, share: Mapping[str, int], rules: Mapping[str, judgement.Rules]
) -> Outcome:
    wanted = _wanted(said, verdict, share, rules[before.source].suppress_tracking)
    was = before.verdict.state if before.verdict else None
    advance(SHIPMENT, was, verdict.state)
    rearmed = not _same_wish(wanted, before.wanted)
    sync = advance(SYNC, before.sync, SyncState.PENDING) if rearmed else before.sync
    # one that was taken back before we ever saw it was never a fact for anybody
    unheard = was is None and verdict.state is ShipmentState.WITHDRAWN
    told = not unheard and (verdict != before.verdict or _details(said) != _details(before.said))
    changed = told or rearmed or was is None or said is not before.said
    corrected = _corrected(before, said, verdict) if told else ()
    return Outcome(replace(before, said=said), verdict, wanted, sync, changed, told, rearmed, corrected)


def _corrected(before: Kept, said: Said, verdict: Verdict) -> tuple[str, ...]:
    """Partners hear of it (SP-5). A label that came, or a name that was mapped, corrects nothing."""
    was = before.verdict
    if was is None or verdict.state is not ShipmentState.RECORDED:
        return ()
    if was.state is ShipmentState.WITHDRAWN:
        return ("reinstated",)
    if was.state is not ShipmentState.RECORDED:
        return ()
    old = before.said
    pairs = {
        "lines": (was.lines, verdict.lines),
        "carrier": (old.carrier, said.carrier),
        "tracking_numbers": (old.tracking_numbers, said.tracking_numbers),
        "tracking_url": (old.tracking_url, said.tracking_url),
        "shipped_at": (old.shipped_at, said.shipped_at),
    }
    return tuple(name for name, (then, now) in pairs.items() if then != now)


def _same_wish(now: dict[str, Any] | None, before: dict[str, Any] | None) -> bool:
    """Whether the channel shall show the same. Wishes of before the day of shipping was kept do not have one."""
    if now is None or before is None or "shipped_on" in before:
        return now == before
    return {**now, "shipped_on": ""} == {**before, "shipped_on": ""}


def _details(said: Said) -> tuple[object, ...]:
    return (said.tracking_numbers, said.tracking_url, said.carrier, said.shipped_at)


def _wanted(said: Said, verdict: Verdict, share: Mapping[str, int], suppressed: bool) -> dict[str, Any] | None:
    """What the channel shall show of it; none: nothing (withdrawn, refused, or a kit that is not whole yet)."""
    if not share:
        return None
    if suppressed:
        return {**Wanted(share).as_json(), "by_number": False, "courier_known": True}
    numbers = tuple(dict.fromkeys(said.tracking_numbers))
    day = said.shipped_at.date().isoformat()
    shown = Wanted(share, verdict.carrier, numbers, said.tracking_url or None, day)
    return {**shown.as_json(), "by_number": True, "courier_known": verdict.courier_known}


def _done(
    dossier: Dossier,
    fulfillment: FulfillmentStatus,
    verdicts: Mapping[str, Verdict],
    shipments: Sequence[Kept],
) -> dict[str, bool]:
    """Which FRs need the fast poll no more: all that was asked has left, or nothing of the order is wanted."""
    over = fulfillment in (FulfillmentStatus.SHIPPED, FulfillmentStatus.CANCELED)
    done = {}
    for fr_id, watched in dossier.watches.items():
        if watched.fr is None:
            continue
        asked = sum(line.quantity for line in watched.fr.lines)
        taken = [v for k in shipments if k.fr_id == fr_id and (v := verdicts[k.shipment_id])]
        left = sum(line.quantity for v in taken if v.state is ShipmentState.RECORDED for line in v.lines)
        done[fr_id] = over or left >= asked
    return done
