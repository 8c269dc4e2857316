"""What can go wrong with a platform, in the words that decide what happens next (SP-9).

`family` decides whether it is tried again, `cause` is what people read, and `outcome` says whether the call may have
had an effect: `none` permits an ordinary retry, `unknown` demands reading back first (SP-11).
"""

from typing import Literal

from pydantic import ValidationError

from waybill_common.retry import Family

Cause = Literal["connection", "rate_limit", "configuration", "refused", "server", "unauthorized", "unreadable"]
Outcome = Literal["none", "unknown"]


class PlatformError(Exception):
    """A call to a platform did not end well. The message is fit for people and holds no secret."""

    def __init__(
        self,
        message: str,
        *,
        family: Family,
        cause: Cause,
        outcome: Outcome,
        action: str,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.family = family
        self.cause = cause
        self.outcome = outcome
        self.action = action
        """What was tried: a log type of `exchange.recorded`, e.g. `submit_fulfillment`."""
        self.status = status
        """The HTTP status; None when no answer came."""
        self.retry_after = retry_after
        """Seconds that the platform asked for; None when it did not say."""
        self.code = code
        """The platform's or our own name of the refusal, e.g. `reference_conflict`; None when it has none."""


def alone(error: PlatformError) -> str:
    """What is wrong with the one thing that this call was about, so that its neighbours go on without it. Any other
    failure than an answer that cannot be read concerns them all, and is raised again."""
    if error.family is not Family.UNREADABLE:
        raise error
    return error.message


class NotFulfillable(Exception):
    """The channel has fewer open pieces of a line than the shipment holds; nothing was sent.

    The order changed there (refund, hold, fulfilled by somebody else), or the shipment is already shown.
    """

    def __init__(self, line_id: str, wanted: int, remaining: int, why: str = "") -> None:
        reason = f" ({why})" if why else ""
        super().__init__(f"line {line_id}: {wanted} to fulfill, but {remaining} open at the channel{reason}")
        self.line_id = line_id
        self.wanted = wanted
        self.remaining = remaining
        self.why = why


class SignatureRefused(Exception):
    """A webhook call that the platform did not sign with the connection's secret, or too old; it changes nothing.

    The message says which header or secret is meant, and holds neither.
    """


class UnsupportedPlatform(ValueError):
    """The configuration names a platform that cannot play this role."""


def explain(error: ValidationError) -> str:
    """Each wrong field of a platform's answer with what is expected there, in one line."""
    return "; ".join(
        f"{'.'.join(str(step) for step in item['loc']) or 'body'}: {item['msg']} (found {str(item['input'])[:60]!r})"
        for item in error.errors(include_url=False)[:5]
    )
