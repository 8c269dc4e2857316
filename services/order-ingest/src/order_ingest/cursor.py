"""Where a channel's next window begins and where its cursor stands after it (IN-2; pure).

The cursor is the newest (updated_at, id) that a complete window showed, taken before any filter; a failed window does
not move it, and no platform's clock carries it beyond the present. Each window reaches back over the last one: the
platform's search lags by seconds and its times are whole seconds. Reading an order again costs a comparison.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill_platforms.model.orders import ChannelOrder

LONG_OVERLAP = timedelta(minutes=5)
SHORT_OVERLAP = timedelta(seconds=15)
DEEP_EVERY = timedelta(minutes=5)
"""A channel that is pulled every few seconds reaches back far only this often."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The newest order seen: by platform time, ties broken by id."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Window:
    """What to ask the platform for, and whether it reaches back by the long overlap."""

    since: datetime
    deep: bool


def next_window(
    cursor: Cursor | None, *, starts_at: datetime, poll_every: timedelta, deep_at: datetime | None, now: datetime
) -> Window:
    """The window that follows `cursor`; without one, the channel's start."""
    if cursor is None:
        return Window(starts_at - LONG_OVERLAP, deep=True)
    overlap = min(max(poll_every * 2, SHORT_OVERLAP), LONG_OVERLAP)
    deep = overlap == LONG_OVERLAP or deep_at is None or now - deep_at >= DEEP_EVERY
    return Window(cursor.at - (LONG_OVERLAP if deep else overlap), deep)


def resumed(window: Window, committed_to: datetime | None) -> Window:
    """The rest of a window whose pages were committed up to this platform time, with the long overlap."""
    if committed_to is None or committed_to - LONG_OVERLAP <= window.since:
        return window
    return Window(committed_to - LONG_OVERLAP, window.deep)


def advanced(cursor: Cursor | None, orders: tuple[ChannelOrder, ...], now: datetime) -> Cursor | None:
    """The cursor after a page with these orders; it never goes back, and one order's wrong date hides none after it."""
    candidates = [Cursor(min(order.updated_at, now), order.id) for order in orders]
    if cursor is not None:
        candidates.append(cursor)
    return max(candidates, default=None)
