"""What an HTTP status, a lost connection or a wrong body means: literal tables, pure functions (SP-8, SP-9, SP-11).

`outcome` is what a call *with an effect* may have left behind; a read never leaves anything. The rule of
that column: `none` only where the platform says, or the protocol makes sure, that the request was not carried out.
Cannot know what a proxy in between did: whatever is not in the table counts as `unknown` when it is the server's fault.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import aiohttp
import httpx

from waybill_common.addresses import AddressRefused
from waybill_common.retry import Family
from waybill_platforms.departure import TooLate
from waybill_platforms.errors import Cause, Outcome

DEFAULT_WAIT = 1.5
"""Seconds that a rate-limited connection waits when the answer does not say how long (SP-8's step)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One row of the table."""

    family: Family
    cause: Cause
    outcome: Outcome
    why: str


_L, _R, _U = Family.LATER, Family.REFUSED, Family.UNAUTHORIZED

BY_STATUS: dict[int, Failure] = {
    400: Failure(_R, "refused", "none", "the request is malformed for it; the same one stays malformed"),
    401: Failure(_U, "unauthorized", "none", "checked before any work: token wrong, expired or revoked"),
    402: Failure(_L, "server", "none", "shop frozen (unpaid): nothing works there until its owner pays"),
    403: Failure(_U, "unauthorized", "none", "the token may not do this: a scope is missing"),
    404: Failure(_R, "configuration", "none", "no such address: wrong url, version or id"),
    405: Failure(_R, "configuration", "none", "the address does not take this method: wrong url"),
    407: Failure(_L, "connection", "none", "a proxy in between wants credentials; the platform saw nothing"),
    408: Failure(_L, "connection", "none", "it did not receive the whole request in time (RFC 9110)"),
    409: Failure(_R, "refused", "none", "it conflicts with what is there"),
    410: Failure(_R, "configuration", "none", "the address was given up: wrong url or version"),
    421: Failure(_L, "connection", "none", "the wrong server of several was reached, and it declined"),
    422: Failure(_R, "refused", "none", "understood and refused; the same request is refused again"),
    423: Failure(_L, "server", "none", "shop locked: nothing works until it is unlocked"),
    425: Failure(_L, "connection", "none", "declined to take the risk of a replay; nothing done"),
    429: Failure(_L, "rate_limit", "none", "turned away before any work"),
    430: Failure(_L, "rate_limit", "none", "Shopify's own: turned away as suspicious, before any work"),
    500: Failure(_L, "server", "unknown", "broke somewhere in the work"),
    501: Failure(_R, "configuration", "none", "does not know the method"),
    502: Failure(_L, "server", "unknown", "a proxy lost the answer; the work may be done"),
    503: Failure(_L, "server", "unknown", "often from a proxy with the request already passed on"),
    504: Failure(_L, "server", "unknown", "a proxy stopped waiting; the work may be going on"),
}
TURNED_AWAY_503 = Failure(_L, "server", "none", "503 with Retry-After is a server that declines before it works")
REDIRECT = Failure(_R, "configuration", "none", "an API root does not redirect: use the address it names")
OTHER_4XX = Failure(_R, "refused", "none", "the platform says that the request is at fault")
OTHER_5XX = Failure(_L, "server", "unknown", "the platform or a proxy broke; the work may be done")

NOT_JSON = Failure(_L, "server", "unknown", "a proxy's or maintenance page, or a cut body; passes by itself")
WRONG_FORM = Failure(Family.UNREADABLE, "unreadable", "unknown", "JSON, but not what the platform's contract says")

TOO_LONG = Failure(Family.UNREADABLE, "unreadable", "unknown", "an answer longer than any that its contract can give")

NOT_SENT = Failure(_L, "connection", "none", "no connection, so the request did not leave")
SENT = Failure(_L, "connection", "unknown", "the connection was lost, or too slow, after the request left")
ADDRESS_REFUSED = Failure(_R, "configuration", "none", "the url leads where this service must not call")
NO_ADDRESS = Failure(_R, "configuration", "none", "the url is none that can be called")


def by_status(status: int, retry_after: float | None) -> Failure | None:
    """The row for an answer's status; None for 2xx."""
    if 200 <= status < 300:
        return None
    if status == 503 and retry_after is not None:
        return TURNED_AWAY_503
    row = BY_STATUS.get(status)
    if row is not None:
        return row
    if status < 400:
        return REDIRECT
    return OTHER_4XX if status < 500 else OTHER_5XX


_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ConnectionRefusedError, TooLate)
_NO_ADDRESS = (aiohttp.InvalidURL, httpx.InvalidURL, httpx.UnsupportedProtocol)


def by_exception(error: BaseException) -> Failure:
    """The row for a call without an answer, by aiohttp's own exception.

    httpx's name must not be trusted here: its aiohttp transport calls a connection that was reset *after* the request
    left a `ConnectTimeout`. The true exception is its cause.
    """
    origin: BaseException = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    if isinstance(origin, _NO_ADDRESS):
        return NO_ADDRESS
    if isinstance(getattr(origin, "os_error", origin), AddressRefused):
        return ADDRESS_REFUSED
    return NOT_SENT if isinstance(origin, _BEFORE_SENDING) else SENT


def seconds_to_wait(header: str | None, now: datetime, date: str | None = None) -> float | None:
    """`Retry-After` in seconds: decimal seconds or an HTTP date; None when it is missing, empty or no such thing.

    A date is measured against the answer's own `Date`, so that a clock that is wrong on either side does no harm.
    """
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until, base = _http_date(text), _http_date(date or "") or now
        return None if until is None else max((until - base).total_seconds(), 0.0)
    return max(seconds, 0.0) if isfinite(seconds) else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
