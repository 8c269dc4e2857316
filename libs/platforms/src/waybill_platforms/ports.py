"""What a platform can do for us, in small Protocols; one implements those that it can.

Every method raises `errors.PlatformError` when the call did not end well, and lets `waybill_common.budget.BudgetWait`
pass when the connection's rate budget says "not now" (nothing was sent then, and it is no attempt). Only `submit`,
`place`, `cancel`, `create` and `update_tracking` change something at the platform; each is one HTTP call with an
effect, so that its outcome is one outcome.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill_platforms.model.catalogue import Carrier, ProductPage
from waybill_platforms.model.deliveries import Delivery, Registered
from waybill_platforms.model.features import Features
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.model.orders import ChannelOrder, OrderPage
from waybill_platforms.model.probes import Probe
from waybill_platforms.model.renewal import Renewed
from waybill_platforms.model.requests import CancelAnswer, OpenRequest, SourceRequest, Submitted
from waybill_platforms.model.shipments import ShipmentPage
from waybill_platforms.model.stock import StockPage


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


class RequestPlacer(Protocol):
    """For a platform that keeps no reference of ours, instead of `submit` and `find` (`features.prepares`).

    The caller stores the handle that `prepare` gives before it calls `place`, and gives it back to both others: so a
    lost answer is found by the handle, and a handle is placed once at most.
    """

    async def prepare(self, request: SourceRequest) -> str:
        """Everything that has no effect: nobody ships what is only prepared. Gives the handle to store."""
        ...

    async def place(self, request: SourceRequest, handle: str) -> Submitted:
        """Asks the source to ship what was prepared. One HTTP call. A handle that is used up has an unknown outcome."""
        ...

    async def find_placed(self, request: SourceRequest, handle: str) -> Submitted | None:
        """What the source has under the handle, told in the request's lines as far as it agrees with them."""
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


class ShipmentReceiver(Protocol):
    """Understands the shipments that a source posts to us by itself (SP-1)."""

    def received(self, headers: Mapping[str, str], body: bytes, now: datetime) -> ShipmentPage:
        """Checks token or signature over the raw body, then reads it. Pure; header names come in any case.

        Raises `SignatureRefused`, and ValueError naming the field where the body has another form.
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
        shipped_at: datetime | None = None,
        service: str = "",
        notify: bool = False,
    ) -> FulfillmentRecord:
        """Replaces carrier, numbers and URL in place (the day and the service too, where it takes them):
        `features.updates_tracking`."""
        ...

    async def cancel(self, fulfillment_id: str) -> None:
        """Withdraws a fulfillment; the pieces are open again (under new ids: read anew)."""
        ...


class Prober(Protocol):
    """Looks at a connection when it is added, and says in one sentence each what is missing (SP-14)."""

    async def probe(self) -> Probe:
        """Reads only, in a few calls. What is missing is a finding; an unreachable platform raises PlatformError."""
        ...


class WebhookReader(Protocol):
    """Understands what a platform posts to us."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Checks the signature over the raw body, then says what it is about. Pure. Raises `SignatureRefused`.

        Header names come in any case. A delivery is a hint: what it says is read live, never believed.
        """
        ...

    async def register(self, address: str) -> Registered:
        """Makes the platform post to `address` what order-ingest and shipment-poller want to hear; what is registered
        and switched on already stays. Says what is on now. Two at the same moment could make each one twice."""
        ...

    async def unregister(self, address: str) -> None:
        """Ends what is registered for exactly this address, whoever registered it; nothing there is done already."""
        ...


class StockReader(Protocol):
    """Reads what a source has on its shelves."""

    async def levels(self, skus: Sequence[str], page: str | None = None) -> StockPage:
        """Levels of these SKUs (theirs), or of all that the source has when none is named."""
        ...


class CatalogueReader(Protocol):
    """What a shop itself offers, to be mapped by a person (IN-9)."""

    async def products(self, page: str | None = None) -> ProductPage: ...
    async def shipping_methods(self) -> tuple[str, ...]: ...


class CarrierReader(Protocol):
    """The carriers that a channel accepts (SP-7)."""

    async def carriers(self) -> tuple[Carrier, ...]: ...


class TokenRenewer(Protocol):
    """Exchanges lasting credentials for the next access token, where tokens expire. One renewer a connection."""

    async def renew(self) -> Renewed: ...


@dataclass(frozen=True, slots=True)
class ChannelConnection:
    """An open channel: one HTTP client behind all its ports. A port that the platform lacks is None."""

    id: str
    reader: OrderReader
    writer: FulfillmentWriter
    features: Features
    aclose: Callable[[], Awaitable[None]]
    notices: Callable[[], tuple[str, ...]] = tuple
    """What a person should know although calls succeed, e.g. another API version is served than the pinned one."""
    prober: Prober | None = None
    webhooks: WebhookReader | None = None
    catalogue: CatalogueReader | None = None
    carriers: CarrierReader | None = None
    renewer: TokenRenewer | None = None


@dataclass(frozen=True, slots=True)
class SourceConnection:
    """An open source: one HTTP client behind all its ports. A port that the platform lacks is None."""

    id: str
    sink: RequestSink
    shipments: ShipmentReader
    features: Features
    aclose: Callable[[], Awaitable[None]]
    notices: Callable[[], tuple[str, ...]] = tuple
    prober: Prober | None = None
    webhooks: WebhookReader | None = None
    receiver: ShipmentReceiver | None = None
    stock: StockReader | None = None
    renewer: TokenRenewer | None = None
    placer: RequestPlacer | None = None
