"""One call to a source, and what came of it. I/O only: nothing is decided here.

Before a call that has an effect, the lease must outlive the call's total timeout, else nothing is sent; and no request
leaves after the lease's end, also when the process was frozen between that check and the socket: a worker that wakes up
while another holds the row stays silent.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fulfillment_push.fr import Fr
from fulfillment_push.request import source_request
from fulfillment_push.sources import KnownSource
from fulfillment_push.steps import Step
from waybill_common.budget import BudgetWait
from waybill_common.leases import Lease
from waybill_common.retry import Family
from waybill_common.telemetry import Telemetry
from waybill_contracts import tracing
from waybill_platforms.departure import leaving_before
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted
from waybill_platforms.ports import SourceConnection
from waybill_platforms.recording import Exchange, recording

GRACE = 5.0
"""Seconds beyond the platform's own timeout (the wait for the rate budget, our own work)."""
PREPARING = 45.0
"""Seconds for all the calls that prepare one request: each waits for the one before."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The source's handle of what was prepared and not yet placed."""

    handle: str


@dataclass(frozen=True, slots=True)
class Job:
    """A step that is under way: the row as prepared, the lease it is done under, and whom to call."""

    step: Step
    fr: Fr
    lease: Lease
    known: KnownSource
    connection: SourceConnection
    request: SourceRequest | None

    @property
    def longest(self) -> float:
        """Seconds after which the call is surely over on our side."""
        return PREPARING if self.step is Step.PREPARE else self.connection.features.call_timeout + GRACE


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing left this process: the lease was too short, the service stops, or the rate budget says later."""

    why: str
    seconds: float = 0.0
    budget: bool = False


Result = Submitted | Prepared | CancelAnswer | PlatformError | NotSent | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a job; None is a read-back that found nothing."""

    job: Job
    result: Result
    exchanges: list[Exchange] = field(default_factory=list)
    traceparent: str | None = None

    @property
    def timeout(self) -> timedelta:
        """For how long the source may still be at work on a call that we gave up."""
        return timedelta(seconds=self.job.connection.features.call_timeout)


async def call(job: Job, telemetry: Telemetry) -> Answer:
    """Makes the call. Never raises for what a platform can do."""
    if not job.lease.outlives(job.longest):
        return Answer(job, NotSent("the lease would end before the call"))
    fr = job.fr
    attributes: dict[str, str | int] = {
        "attempt": max(fr.attempts, 1),
        tracing.ORDER_ID: fr.order_id,
        tracing.FR_ID: fr.fr_id,
        tracing.FR_NUMBER: fr.number,
        tracing.SOURCE: fr.source,
    }
    with (
        telemetry.span(f"fr.{job.step}", parent=fr.traceparent, kind="client", attributes=attributes) as span,
        recording(attempt=max(fr.attempts, 1), order_ids=(fr.order_id,), fr_ids=(fr.fr_id,)) as exchanges,
    ):
        result = await _guarded(job)
        if isinstance(result, PlatformError):
            span.fail(result.family.value)
        return Answer(job, result, exchanges, span.traceparent)


async def _guarded(job: Job) -> Result:
    try:
        async with asyncio.timeout(job.longest):
            with leaving_before(job.lease.ends):
                return await _made(job)
    except BudgetWait as wait:
        return NotSent(str(wait), wait.seconds, budget=True)
    except PlatformError as error:
        return error
    except Exception as error:
        # Our own bug, or a client that hung: whatever it was, a call with an effect may have had it.
        return PlatformError(
            f"{type(error).__name__}: {error}", family=Family.LATER, cause="connection",
            outcome="none" if job.step is Step.PREPARE else "unknown", action=job.step.value,
        )  # fmt: skip


async def _made(job: Job) -> Result:
    if job.step is Step.PREPARE:
        assert job.connection.placer is not None
        assert job.request is not None
        return Prepared(await job.connection.placer.prepare(job.request))
    if job.step is Step.SEND:
        return _narrowed(job, await _send(job))
    if job.step in (Step.READ_BACK, Step.LOOK):
        found = await _find(job)
        return None if found is None else _narrowed(job, found)
    return await _recall(job)


async def _send(job: Job) -> Submitted:
    assert job.request is not None
    placer, handle = job.connection.placer, job.fr.handle
    if placer is None:
        return await job.connection.sink.submit(job.request)
    assert handle is not None
    return await placer.place(job.request, handle)


async def _find(job: Job) -> Submitted | None:
    """By our reference; by the handle where there is one (without a handle nothing was ever placed)."""
    placer, fr = job.connection.placer, job.fr
    if placer is None or fr.handle is None:
        return await job.connection.sink.find(fr.number)
    return await placer.find_placed(job.request or source_request(fr.request), fr.handle)


async def _recall(job: Job) -> Result:
    sink, fr = job.connection.sink, job.fr
    platform_id = fr.platform_id
    if platform_id is None:  # marked as sent by a person: the source's id of it is not known yet
        found = await _find(job)
        if found is None:
            return CancelAnswer("pending", f"the source shows nothing under {fr.number}")
        platform_id = found.platform_id
    return await sink.cancel(platform_id, fr.number)


def _narrowed(job: Job, submitted: Submitted) -> Submitted:
    """A source that is configured not to acknowledge only ever receives (FP-4)."""
    if submitted.acknowledged and job.known.source.capabilities.acknowledges is False:
        return replace(submitted, acknowledged=False)
    return submitted
