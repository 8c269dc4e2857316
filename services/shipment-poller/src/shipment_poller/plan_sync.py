"""What to do next at the channel for one shipment, after a fresh read of its order (SP-5, SP-10, SP-11). Pure.

Promises: never a create while the outcome of an earlier one is open; what already stands there is adopted, made by us
or by hand; a fulfillment is never canceled and forgotten: the plan is made anew after each read until it is `Settled`.
It cannot see what the channel does not show yet: that is what `NotShown` and `Wait` are for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipment_poller.model import Bound, Intent, Shown, Wanted

LEAST_GAP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """When "not found" may be believed: the call's total timeout, and the channel's declared lag."""

    call_timeout: timedelta
    lag: timedelta

    @property
    def gap(self) -> timedelta:
        return max(self.lag, LEAST_GAP)


@dataclass(frozen=True, slots=True)
class Settled:
    """The channel shows what is wanted (or, when nothing is, nothing). Notes say what it rewrote."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopt:
    """These fulfillments are the wanted ones: bind them. With an intent: they are what its lost answer made."""

    found: tuple[tuple[str, Wanted, str | None], ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel these fulfillments, then look again."""

    fulfillment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByHand:
    """These stand other than wanted, and the channel can neither change nor cancel them: a person has to."""

    fulfillment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """Change carrier, numbers and URL of these in place, then look again."""

    fulfillment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """Make a fulfillment of these; `forgotten` intents are believed to have had no effect."""

    content: Wanted
    forgotten: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """The outcome of an earlier create is open: look again then. `missing`: intents first found missing now."""

    until: datetime
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotShown:
    """The channel said that it made these, and does not show them (yet)."""

    fulfillment_ids: tuple[str, ...]


Step = Settled | Adopt | Withdraw | ByHand | Update | Create | Wait | NotShown


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a plan depends on. `taken`: the channel's ids that belong to other shipments of ours."""

    wanted: Wanted | None
    bound: Sequence[Bound]
    intents: Sequence[Intent]
    shown: Sequence[Shown]
    taken: Collection[str]
    updates_tracking: bool
    by_number: bool = True
    """Whether tracking tells fulfillments apart; not so where the source's tracking is suppressed (SP-15)."""
    cancels: bool = True
    """Whether the channel can cancel a fulfillment."""
    remaining: Mapping[str, int] | None = None
    """Line -> pieces that the channel still lets us fulfill; none: not known."""
    dates: bool = False
    """Whether the channel takes the day of shipping."""


def plan(now: datetime, at: Situation, patience: Patience) -> Step:
    """The next step. Called again after each step that changed something, with what a fresh read then shows."""
    shown = {one.id: one for one in at.shown}
    hidden = tuple(b.fulfillment_id for b in at.bound if b.fulfillment_id not in shown)
    if hidden:
        return NotShown(hidden)
    answered = lost_answers(at)
    if answered is not None:
        return answered
    undecided = _wait(now, at.intents, patience)
    if undecided is not None:
        return undecided
    live = [(b, shown[b.fulfillment_id]) for b in at.bound if shown[b.fulfillment_id].live]
    if at.wanted is None:
        ids = tuple(b.fulfillment_id for b, _ in live)
        return _away(at, ids) if ids else Settled()
    return _converge(at, at.wanted, live)


def _converge(at: Situation, wanted: Wanted, live: Sequence[tuple[Bound, Shown]]) -> Step:
    left = dict(wanted.lines)
    for _, one in live:
        for line, count in one.lines.items():
            left[line] = left.get(line, 0) - count
    surplus = any(count < 0 for count in left.values())
    dated = at.dates and at.updates_tracking  # a day alone is no reason to withdraw what stands
    outdated = [
        b for b, one in live if not b.sent.same_details(wanted, day=dated) and not _mended_by_hand(at, wanted, one)
    ]
    if surplus or (outdated and not at.updates_tracking):
        return _away(at, tuple(b.fulfillment_id for b, _ in live if surplus or b in outdated))
    if outdated:
        return Update(tuple(b.fulfillment_id for b in outdated))
    missing = {line: count for line, count in left.items() if count > 0}
    if not missing:
        return Settled(tuple(note for _, one in live for note in rewritten(wanted, one, at.by_number, at.dates)))
    content = wanted.only(missing)
    found = _equal(at, content, [*at.taken, *(b.fulfillment_id for b, _ in live)])
    if found is not None:
        return Adopt(((found.id, content, None),))
    bare = _without_tracking(at, content)
    if bare is not None:
        return Adopt(((bare.id, Wanted(content.lines, bare.carrier), None),))
    return Create(content, tuple(intent.intent_id for intent in at.intents))


def _away(at: Situation, fulfillment_ids: tuple[str, ...]) -> Withdraw | ByHand:
    return Withdraw(fulfillment_ids) if at.cancels else ByHand(fulfillment_ids)


def _mended_by_hand(at: Situation, wanted: Wanted, one: Shown) -> bool:
    """A person corrected it there, because the channel gave us no way to."""
    return not (at.cancels or at.updates_tracking) and not rewritten(wanted, one, at.by_number)


def _without_tracking(at: Situation, content: Wanted) -> Shown | None:
    """What somebody fulfilled by hand at the channel, exactly these lines, and named no number: it takes ours."""
    if at.remaining is None or all(at.remaining.get(line, 0) >= count for line, count in content.lines.items()):
        return None
    used = [*at.taken, *(b.fulfillment_id for b in at.bound)]
    return next(
        (
            one
            for one in at.shown
            if one.live and one.id not in used and not one.numbers and dict(one.lines) == dict(content.lines)
        ),
        None,
    )


def lost_answers(at: Situation) -> Adopt | None:
    """What open intents turn out to have made."""
    used = [*at.taken, *(b.fulfillment_id for b in at.bound)]
    found: list[tuple[str, Wanted, str | None]] = []
    for intent in at.intents:
        one = _equal(at, intent.content, used)
        if one is not None:
            used.append(one.id)
            found.append((one.id, intent.content, intent.intent_id))
    return Adopt(tuple(found)) if found else None


def _equal(at: Situation, content: Wanted, used: Collection[str]) -> Shown | None:
    """A live fulfillment with exactly these lines and numbers that nothing else is bound to."""
    for one in at.shown:
        same_number = not at.by_number or sorted(one.numbers) == sorted(content.numbers)
        if one.live and one.id not in used and dict(one.lines) == dict(content.lines) and same_number:
            return one
    return None


def _wait(now: datetime, intents: Sequence[Intent], patience: Patience) -> Wait | None:
    """Not found proves nothing until the call surely had its end and the lag, and then only the second time."""
    until: list[datetime] = []
    first: list[str] = []
    for intent in intents:
        believable = intent.ended_at + patience.call_timeout + patience.lag
        if now < believable:
            until.append(believable)
        elif intent.missing_at is None:
            first.append(intent.intent_id)
            until.append(now + patience.gap)
        elif now < intent.missing_at + patience.gap:
            until.append(intent.missing_at + patience.gap)
    return Wait(max(until), tuple(first)) if until else None


def rewritten(wanted: Wanted, one: Shown, by_number: bool = True, dates: bool = False) -> list[str]:
    """What the channel shows other than it was sent, in sentences (SP-10); empty when it agrees."""
    notes: list[str] = []
    if not by_number:
        return notes
    if sorted(one.numbers) != sorted(wanted.numbers):
        notes.append(f"tracking numbers: sent {_list(wanted.numbers)}, the channel shows {_list(one.numbers)}")
    if one.carrier != wanted.carrier:
        notes.append(f"carrier: sent {wanted.carrier!r}, the channel shows {one.carrier!r}")
    if wanted.service and one.service != wanted.service:
        notes.append(f"courier service: sent {wanted.service!r}, the channel shows {one.service or 'none'!r}")
    if wanted.url and wanted.url not in one.urls:
        notes.append(f"tracking URL: sent {wanted.url}, the channel shows {_list(one.urls)}")
    if dates and wanted.shipped_on and one.shipped_on != wanted.shipped_on:
        shown = one.shipped_on or "none"
        notes.append(f"day of shipping: sent {wanted.shipped_on}, the channel shows {shown}")
    return notes


def order_status(status: str, live: int, remaining: Mapping[str, int]) -> list[str]:
    """What the channel's own status of the order says other than its fulfillments do, in a sentence (SP-10).

    `status` as platforms tell it (`ChannelFulfillmentState`); canceled, on hold and unknown ones say nothing of this.
    """
    if not live or status not in ("unfulfilled", "partial"):
        return []
    if not any(remaining.values()):
        return [f"order status: nothing is left to fulfill, the channel shows the order as {status}"]
    if status == "unfulfilled":
        return [f"order status: {live} fulfillments stand, the channel shows the order as unfulfilled"]
    return []


def _list(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"
