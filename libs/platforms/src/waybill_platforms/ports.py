"""What a platform can do for us, in four small Protocols; one implements those that it can.

Every method raises `errors.PlatformError` when the call did not end well, and lets `waybill_common.budget.BudgetWait`
pass when the connection's rate budget says "not now" (nothing was sent then, and it is no attempt). Only `submit`,
`cancel`, `create` and `update_tracking` change something at the platform; each is one HTTP call, so that its outcome
is one outcome.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill_platforms.model import (
    CancelAnswer,
    ChannelFulfillments,
    ChannelOrder,
    CreateCall,
    Features,
    FulfillmentDraft,
    FulfillmentRecord,
    OpenRequest,
    OrderPage,
    ShipmentPage,
    SourceRequest,
    Submitted,
)


class OrderReader(Protocol):
    """Reads the orders of a channel."""

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Orders changed at or after `since`, ascending by `updated_at`, whatever their status.

        `limit` is a wish; a platform gives fewer where an order is dear. A page is never half read.
        """
        ...

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        """The order now, or None when the channel does not have it (any more)."""
        ...

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        """The order with exactly this number, as buyers see it; None when there is none (or the index lags)."""
        ...


class RequestSink(Protocol):
    """Takes the requests of a source."""

    async def submit(self, request: SourceRequest) -> Submitted:
        """Asks the source to ship. Where `features.dedupes_by_reference`, sending it again changes nothing."""
        ...

    async def find(self, reference: str) -> Submitted | None:
        """What the source has under our reference; how far None may be believed says `features.find`."""
        ...

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """Asks the source to drop it (FP-7). Asking again gives the answer of now."""
        ...


class ShipmentReader(Protocol):
    """Reads what a source shipped."""

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """Shipments changed at or after `since` (all when None), withdrawn ones included.

        Platforms without a list of changes read those of `open_requests` in as few calls as they allow.
        """
        ...


class FulfillmentWriter(Protocol):
    """Tells a channel what was shipped."""

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        """What the channel knows now; None when it does not have the order."""
        ...

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        """The calls that put `draft` there, one for each location. Pure. Raises `NotFulfillable`."""
        ...

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        """Makes one fulfillment, with exactly the call's lines and quantities."""
        ...

    async def update_tracking(
        self,
        fulfillment_id: str,
        *,
        carrier: str,
        tracking_numbers: tuple[str, ...],
        tracking_url: str | None,
        notify: bool = False,
    ) -> FulfillmentRecord:
        """Replaces carrier, numbers and URL in place, where `features.updates_tracking`."""
        ...

    async def cancel(self, fulfillment_id: str) -> None:
        """Withdraws a fulfillment; the pieces are open again (under new ids: read anew)."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelConnection:
    """An open channel: one HTTP client behind both ports."""

    id: str
    reader: OrderReader
    writer: FulfillmentWriter
    features: Features
    aclose: Callable[[], Awaitable[None]]
    notices: Callable[[], tuple[str, ...]] = tuple
    """What a person should know although calls succeed, e.g. another API version is served than the pinned one."""


@dataclass(frozen=True, slots=True)
class SourceConnection:
    """An open source: one HTTP client behind both ports."""

    id: str
    sink: RequestSink
    shipments: ShipmentReader
    features: Features
    aclose: Callable[[], Awaitable[None]]
    notices: Callable[[], tuple[str, ...]] = tuple
