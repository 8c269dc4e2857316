"""Whether a channel still shows what it was told of one shipment (IN-14). Pure.

Drift is measured by what a fresh read showed when it was called synced, not by what was sent: what the channel had
rewritten by then was said then. Promises: the first row of `standing` that holds counts; a shipment that is being
worked on is never called drifted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Bound, Shown, Wanted
from waybill_contracts.fulfillment_submitted import Reason

DRIFTED = "drifted"
"""The code of the reason, by which such failures are grouped."""


class Kind(StrEnum):
    """How one fulfillment that is owed to the channel stands."""

    SHOWN = "shown"
    PENDING = "pending"
    FAILED = "failed"
    DRIFTED = "drifted"
    MENDED = "mended"
    """It had drifted, and the channel shows it again."""
    MISSING = "healed_missing"
    """Owed, and neither shown nor about to be pushed: it is pushed now."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One shipment's side at the channel, as it is stored. `waits`: a push of it is due, or under way."""

    wanted: Wanted
    state: SyncState
    waits: bool
    code: str | None = None
    bound: Sequence[Bound] = ()
    confirmed: Mapping[str, Shown] = field(default_factory=dict)
    """Fulfillment id -> what the channel showed when it was called synced."""
    by_number: bool = True

    @property
    def has_drifted(self) -> bool:
        return self.state is SyncState.FAILED and self.code == DRIFTED

    @property
    def asks_for_a_read(self) -> bool:
        """Whether only the channel can tell how it stands."""
        return not self.waits and (self.state is SyncState.SYNCED or self.has_drifted)


@dataclass(frozen=True, slots=True)
class Standing:
    """`said`: what has changed, in sentences. `gone`: fulfillments that do not stand there any more."""

    kind: Kind
    said: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def standing(owed: Owed, shown: Mapping[str, Shown] | None, taken: Collection[str] = ()) -> Standing:
    """`shown`: the channel's fulfillments of the order by id; None: it does not have the order any more.

    `taken`: ids of fulfillments that belong to other shipments of ours.
    """
    if owed.waits:
        return Standing(Kind.PENDING)
    if owed.state is SyncState.FAILED and not owed.has_drifted:
        return Standing(Kind.FAILED)
    if owed.state not in (SyncState.SYNCED, SyncState.FAILED):
        return Standing(Kind.MISSING)
    if shown is None:
        return Standing(Kind.DRIFTED, ("the channel does not have the order any more",))
    said = [text for bound in owed.bound for text in changes(owed, bound, shown.get(bound.fulfillment_id))]
    gone = tuple(b.fulfillment_id for b in owed.bound if not _stands(shown.get(b.fulfillment_id)))
    if not said and not _covered(owed, shown, taken):
        said.append("the channel shows less than was shipped")
    if said:
        return Standing(Kind.DRIFTED, tuple(said), gone)
    return Standing(Kind.MENDED if owed.has_drifted else Kind.SHOWN)


def changes(owed: Owed, bound: Bound, now: Shown | None) -> list[str]:
    """What is other than when it was confirmed, in sentences."""
    name = f"fulfillment {bound.fulfillment_id}"
    if now is None:
        return [f"{name} is not there any more"]
    if not now.live:
        return [f"{name} was canceled there"]
    was = owed.confirmed.get(bound.fulfillment_id)
    said = []
    lines = dict(bound.sent.lines if was is None else was.lines)
    if dict(now.lines) != lines:
        said.append(f"lines of {name}: {_lines(lines)} became {_lines(now.lines)}")
    if owed.by_number and was is not None:
        said += [
            f"{what} of {name}: {before or 'none'} became {after or 'none'}"
            for what, before, after in (
                ("tracking numbers", _list(was.numbers), _list(now.numbers)),
                ("carrier", was.carrier, now.carrier),
                ("courier service", was.service, now.service),
                ("tracking URL", _list(was.urls), _list(now.urls)),
            )
            if before != after
        ]
    return said


def reason(said: Sequence[str], gone: Collection[str]) -> Reason:
    """Why the shipment requires a person, and what each choice is."""
    if gone:
        action = "resync makes it again, if it should stand there; otherwise leave it"
    else:
        action = "resync takes it as the channel shows it; to have it back, correct it at the channel"
    return Reason(code=DRIFTED, message=f"it was shown, and then changed at the channel: {'; '.join(said)}"[:1000],
                  action=action)  # fmt: skip


def _stands(one: Shown | None) -> bool:
    return one is not None and one.live


def _covered(owed: Owed, shown: Mapping[str, Shown], taken: Collection[str]) -> bool:
    """Whether what stands for it, or was made for it by hand, has all its pieces."""
    bound = {b.fulfillment_id for b in owed.bound}
    left = dict(owed.wanted.lines)
    for one in (shown[i] for i in bound if i in shown):
        for line, count in one.lines.items():
            left[line] = left.get(line, 0) - count
    missing = {line: count for line, count in left.items() if count > 0}
    free = [one for one in shown.values() if one.live and one.id not in bound and one.id not in taken]
    return not missing or any(
        dict(one.lines) == missing and (not owed.by_number or sorted(one.numbers) == sorted(owed.wanted.numbers))
        for one in free
    )


def _list(values: Sequence[str]) -> str:
    return ", ".join(sorted(values))


def _lines(lines: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of line {line}" for line, count in sorted(lines.items())) or "nothing"
