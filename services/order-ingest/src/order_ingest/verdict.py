"""Why an order is not here, or where it stands: one answer with its reason and its fix (IN-15; pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from order_ingest.normalize import Excluded, Held, Outcome
from waybill_platforms.model.orders import ChannelOrder

Answer = Literal[
    "imported", "held", "canceled", "excluded", "authentication_lost", "channel_silent", "not_yet_due", "missed",
    "deleted_at_channel", "never_existed", "refused_event", "not_published",
]  # fmt: skip

SHOWN = 3
"""Values of one reason that are named; the order's own page has all."""


@dataclass(frozen=True, slots=True)
class ChannelNow:
    """The channel as it stands."""

    id: str
    polled: bool
    last_success_at: datetime | None
    next_pull_at: datetime | None
    cursor_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveLook:
    """What the channel showed just now. `trouble`: why it could not be asked."""

    order: ChannelOrder | None = None
    outcome: Outcome | None = None
    """What would become of it; none where it is here already."""
    trouble: str = ""
    unauthorized: bool = False
    """It does not let us in."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "why is my order not here?"."""

    answer: Answer
    reason: str
    fix: str


def verdict(channel: ChannelNow, stored: Any | None, live: LiveLook, letters: Sequence[str]) -> Verdict:
    """`stored`: our row, if any; `letters`: why events with its number were put aside."""
    if stored is not None:
        if channel.polled and not live.trouble and live.order is None:
            fix = "nothing is needed if that was meant; else look for it in the shop's archive"
            if stored["standing"] in ("held", "imported"):
                fix = "it goes on here all the same: cancel it (`waybill orders cancel`) unless it is to be shipped"
            return Verdict("deleted_at_channel", "it is here, but the channel does not show it any more", fix)
        return _standing(channel, stored)
    if not channel.polled:
        return _unpublished(letters)
    if live.trouble:
        if live.unauthorized:
            fix = "apply a configuration with credentials that hold; the gap is filled by itself"
            return Verdict("authentication_lost", f"the channel does not let us in: {live.trouble}", fix)
        return Verdict(
            "channel_silent", live.trouble, "it is tried again by itself; ask again when the channel answers"
        )
    if live.order is None:
        return Verdict("never_existed", "the channel has no order of this number", "check the number, and the channel")
    return _not_here(channel, live.order, live.outcome)


def _standing(channel: ChannelNow, stored: Any) -> Verdict:
    if stored["standing"] == "held":
        return Verdict("held", *_held([(hold["reason"], hold["value"] or "", hold["fix"]) for hold in stored["holds"]]))
    if stored["standing"] == "excluded":
        detail = f": {stored['detail']}" if stored["detail"] else ""
        return Verdict("excluded", stored["reason"] + detail, _way_in(channel.id, stored["reason"]))
    if stored["standing"] == "canceled":
        return Verdict("canceled", stored["reason"], "nothing is wanted of it any more")
    return Verdict("imported", f"imported by {stored['via']} on {stored['created_at']:%Y-%m-%d %H:%M:%S} UTC", "")


def _held(holds: Sequence[tuple[str, str, str]]) -> tuple[str, str]:
    """(reasons with their values, steps) of (reason, value, fix); an order of hundreds of lines is told in short."""
    reasons, steps = [], []
    for reason in dict.fromkeys(reason for reason, _, _ in holds):
        values = list(dict.fromkeys(value for why, value, _ in holds if why == reason and value))
        fixes = list(dict.fromkeys(fix for why, _, fix in holds if why == reason))
        reasons.append(reason + (f" ({_few(values)})" if values else ""))
        steps.append(fixes[0] + (f" (and {len(fixes) - 1} more like it)" if len(fixes) > 1 else ""))
    return ", ".join(reasons), "; ".join(steps)


def _few(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def _unpublished(letters: Sequence[str]) -> Verdict:
    if letters:
        fix = "mend the cause, then replay it: `waybill dead-letters list`"
        return Verdict("refused_event", f"it was published, and put aside: {letters[0]}", fix)
    fix = "check the number, and whether upstream published it to orders.inbound, or hand it in by file"
    return Verdict("not_published", "nobody has told us of it; this channel has no API to look at", fix)


def _not_here(channel: ChannelNow, order: ChannelOrder, outcome: Outcome | None) -> Verdict:
    """The channel shows it, and we do not have it yet."""
    if isinstance(outcome, Excluded):
        return Verdict("excluded", f"{outcome.reason}: {outcome.detail}", _way_in(channel.id, outcome.reason))
    then = ""
    if isinstance(outcome, Held):
        reasons, steps = _held([(hold.reason.value, hold.value or "", hold.fix) for hold in outcome.holds])
        then = f"; it will be held: {reasons}: {steps}"
    if channel.cursor_at is not None and order.updated_at < channel.cursor_at and channel.last_success_at is not None:
        reason = f"the channel shows it, changed {order.updated_at:%Y-%m-%d %H:%M:%S}, and no pull brought it"
        return Verdict("missed", reason + then, f"audit the channel: `waybill channels audit {channel.id}` imports it")
    when = f"the next pull is due {channel.next_pull_at:%H:%M:%S} UTC" if channel.next_pull_at else "no pull is planned"
    fix = f"wait for it, or `waybill channels pull {channel.id}`"
    return Verdict("not_yet_due", f"the channel shows it; {when}{then}", fix)


def _way_in(channel: str, reason: str) -> str:
    """What brings an excluded order in, if it is wanted."""
    if reason == "before_start":
        return f"import the window it lies in: `waybill channels pull {channel} --since ... --until ...`"
    if reason.startswith("payment_"):
        return "it comes by itself when its payment passes the filter; or add this state to import.payment or deferred"
    if reason.startswith("fulfillment_"):
        return "add this state to import.fulfillment of the channel, if orders like this are to be shipped from here"
    return "nothing: there is nothing in it for us to ship"
