"""What a try at a channel works with, and how it ends a part that failed. Shared by `sync_order` and `acts`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import random
from typing import Any

from shipment_poller import couriers, failures, plan_sync
from shipment_poller.jobs import Job, Part
from waybill_common.retry import Family
from waybill_contracts.configuration import Channel
from waybill_contracts.fulfillment_submitted import Reason
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.features import Features
from waybill_platforms.ports import FulfillmentWriter


@dataclass(frozen=True, slots=True)
class AtChannel:
    """What a try needs of its channel. `announce` commits a job's acts; `blocked` says that it is down or locked;
    `chance` is a number from 0 to 1 for the jitter of each wait."""

    channel: Channel
    writer: FulfillmentWriter
    features: Features
    announce: Callable[[Job, list[Any]], Awaitable[None]]
    blocked: Callable[[], bool]
    chance: Callable[[], float] = random

    @property
    def patience(self) -> plan_sync.Patience:
        return plan_sync.Patience(timedelta(seconds=self.features.call_timeout), self.features.index_lag)


def note(job: Job, error: PlatformError) -> None:
    """For the channel's health."""
    job.health.append((error.family, error.message))


def fail_by(job: Job, part: Part, at: AtChannel, error: PlatformError, *, outcome_open: bool = False) -> None:
    """The part's end for this try, by the platform's error."""
    reason = (
        couriers.refused(at.channel.id, part.content.carrier if part.content else "", error.message)
        if error.code == couriers.REFUSED
        else failures.reason_for(error.cause, error.message, error.code)
    )
    fail(job, part, at, error.family, reason, retry_after=error.retry_after, outcome_open=outcome_open)


def unread(part: Part, at: AtChannel, error: PlatformError) -> None:
    """The part's end for this try, when the channel could not be read."""
    part.finish = failures.after_unread(
        error.family,
        part.looks,
        part.attempts,
        failures.reason_for(error.cause, error.message, error.code),
        retry_after=error.retry_after,
        random=at.chance(),
        blocked=at.blocked(),
        only_read_back=bool(part.bound or part.intents),
    )


def fail(
    job: Job,
    part: Part,
    at: AtChannel,
    family: Family,
    reason: Reason,
    *,
    retry_after: float | None = None,
    outcome_open: bool = False,
) -> None:
    """The part's end for this try."""
    part.finish = failures.after_failure(
        family,
        part.attempts,
        reason,
        retry_after=retry_after,
        random=at.chance(),
        blocked=at.blocked(),
        outcome_open=outcome_open or bool(part.intents),
    )
