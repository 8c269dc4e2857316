"""What every platform's words are translated into: orders, requests, shipments and fulfillments, neutral and frozen.

Promises: amounts are `Decimal` in the currency named beside them, times are aware and in UTC, quantities are whole
pieces. A value that the platform spelled in a way we do not know is `unknown` (or stands in `problems`), never a guess.
Cannot promise that an order is complete enough to ship: that is order-ingest's decision.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from waybill_contracts.values import Address, PaymentState

ChannelFulfillmentState = Literal[
    "unfulfilled", "partial", "fulfilled", "canceled", "on_hold", "not_required", "unknown"
]
FulfillmentRecordStatus = Literal["success", "canceled", "failed", "unknown"]
ShipmentStatus = Literal["shipped", "canceled", "unknown"]
Find = Literal["consistent", "indexed", "none"]


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One line of an order as the channel shows it. SKUs may repeat within an order, line ids do not."""

    line_id: str
    sku: str
    title: str
    quantity: int
    """Pieces ordered; what was canceled later is not subtracted."""
    canceled: int
    """Pieces refunded or removed since: ordered − current."""
    fulfillable: int | None
    """Pieces still open at the channel now (neither shipped nor canceled); None where the platform does not say."""
    unit_price: Decimal
    requires_shipping: bool
    address: int = 0
    """Which of the order's `addresses` it goes to."""


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """One order as the channel shows it now."""

    id: str
    number: str
    updated_at: datetime
    placed_at: datetime
    currency: str
    payment: PaymentState
    fulfillment: ChannelFulfillmentState
    canceled: bool
    raw_status: str
    """The platform's own words, `financial/fulfillment`, for people."""
    total: Decimal
    email: str
    note: str
    tags: tuple[str, ...]
    addresses: tuple[Address, ...]
    """May be empty: nothing to ship, no access to customers' data, or an address without a country (see `problems`)."""
    shipping_method: str
    reference: str | None
    """What a program wrote as its own reference when it made the order; ours if we did (IN-7)."""
    lines: tuple[ChannelLine, ...]
    problems: tuple[str, ...] = ()
    """`path: what is wrong`, one for each field that could not be read."""
    fraud_risk: str = ""
    """The platform's own words when it advises against shipping; empty when it does not (IN-10)."""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of changed orders, ascending by `updated_at`."""

    orders: tuple[ChannelOrder, ...]
    next: str | None
    """Pass it back with the same `since`; None at the end. It does not outlive the walk: a cursor is a time."""
    problems: tuple[str, ...] = ()
    """Orders that could not be read, each with its number and what is wrong; the others of the page are here."""


@dataclass(frozen=True, slots=True)
class SourceRequestLine:
    line_ref: str
    """Unique within the request; the source gives it back in acknowledgements and shipments (FP-6)."""
    sku: str
    quantity: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What one source is asked to ship, in its own names."""

    reference: str
    """The FR's number. The same reference always means the same request."""
    order_number: str
    lines: tuple[SourceRequestLine, ...]
    ship_to: Address
    shipping_method: str | None
    currency: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request as the source has it."""

    platform_id: str
    reference: str
    acknowledged: bool
    lines: tuple[tuple[str, str, int], ...] | None
    """(line_ref, sku, quantity asked); None where the platform does not give them back. Where it keeps no line_refs
    they are empty, and lines of one SKU may be one."""
    canceled: bool = False
    canceled_lines: tuple[tuple[str, int], ...] = ()
    """(line_ref, pieces that the source will not ship)."""

    def is_for(self, request: SourceRequest) -> bool:
        """May be adopted as the outcome of `request`: same reference, lines and quantities (DESIGN section 5).

        A source that keeps our line_refs may spell SKUs its own way; where it keeps none, the SKU is all there is.
        """
        if self.reference != request.reference:
            return False
        if self.lines is None:
            return True
        asked = [(line.line_ref, line.sku, line.quantity) for line in request.lines]
        if all(not line_ref for line_ref, _, _ in self.lines):
            return _pieces(self.lines) == _pieces(asked)
        have, want = ([(ref, pieces) for ref, _, pieces in lines] for lines in (self.lines, asked))
        return sorted(have) == sorted(want)


def _pieces(lines: Iterable[tuple[str, str, int]]) -> Counter[str]:
    """Pieces by SKU."""
    total: Counter[str] = Counter()
    for _, sku, quantity in lines:
        total[sku] += quantity
    return total


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What a source says to being asked to drop a request (FP-7)."""

    result: Literal["accepted", "refused", "pending"]
    message: str = ""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that may still ship; for platforms that list shipments by request."""

    reference: str
    platform_id: str | None


@dataclass(frozen=True, slots=True)
class SourceShipmentLine:
    line_ref: str | None
    """As submitted; None where the platform only names the SKU."""
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SourceShipment:
    """One parcel, or several under one number, as the source reports it."""

    id: str
    reference: str
    platform_id: str | None
    status: ShipmentStatus
    lines: tuple[SourceShipmentLine, ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_url: str | None
    shipped_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentPage:
    shipments: tuple[SourceShipment, ...]
    next: str | None
    problems: tuple[str, ...] = ()
    """Shipments that could not be read, each with its id and what is wrong; the others of the page are here."""
    whole: tuple[str, ...] = ()
    """References of which this page has every shipment that stands: one told of before and not here was withdrawn.
    For platforms that forget what is deleted; there a shipment's id begins with the request's: `platform_id/`."""


@dataclass(frozen=True, slots=True)
class FulfillmentDraft:
    """A shipment as it shall stand at the channel. Lines are always explicit (facts: left out means everything)."""

    order_id: str
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    notify: bool = False
    shipped_at: datetime | None = None
    """For channels with `features.keeps_ship_date`; the others say their own."""


@dataclass(frozen=True, slots=True)
class FulfillmentRecord:
    """A fulfillment as the channel shows it."""

    id: str
    status: FulfillmentRecordStatus
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_urls: tuple[str, ...]
    created_at: datetime
    raw_status: str = ""
    shipped_at: datetime | None = None
    """The day of shipping as the channel keeps it, where `features.keeps_ship_date`."""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """Pieces of a line that can be fulfilled now, at one location. The ids are short-lived: read again before use."""

    group: str
    """What one create call may not cross: the location."""
    parcel: str
    """The platform's container: a fulfillment order."""
    id: str
    line_id: str
    remaining: int


@dataclass(frozen=True, slots=True)
class ChannelFulfillments:
    """What the channel knows about one order's shipping, read live."""

    order_id: str
    canceled: bool
    fulfillment: ChannelFulfillmentState
    remaining: Mapping[str, int]
    """Line id -> pieces that a fulfillment may still be made for, now."""
    fulfillments: tuple[FulfillmentRecord, ...]
    parts: tuple[OpenPart, ...] = ()
    """The platform's own handle on `remaining`, for `calls_for`."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Line id -> why some of its pieces cannot be fulfilled now, e.g. `ON_HOLD`."""

    def showing(self, lines: tuple[tuple[str, int], ...], numbers: tuple[str, ...]) -> tuple[FulfillmentRecord, ...]:
        """Records, not canceled, with these lines, quantities and tracking numbers: ours, if an answer was lost."""
        wanted = sorted(lines), sorted(numbers)
        return tuple(
            record
            for record in self.fulfillments
            if record.status != "canceled" and (sorted(record.lines), sorted(record.tracking_numbers)) == wanted
        )

    def after(self, calls: Iterable["CreateCall"]) -> "ChannelFulfillments":
        """What is open once these calls of `calls_for` are made: they take a location's parts in the parts' order.

        Several shipments planned on one read must not take the same pieces.
        """
        remaining, parts = dict(self.remaining), list(self.parts)
        for call in calls:
            for line_id, quantity in call.lines:
                remaining[line_id] = remaining.get(line_id, 0) - quantity
                left = quantity
                for place, part in enumerate(parts):
                    if (part.group, part.line_id) == (call.group, line_id):
                        taken = min(part.remaining, left)
                        parts[place], left = replace(part, remaining=part.remaining - taken), left - taken
        return replace(self, remaining=remaining, parts=tuple(part for part in parts if part.remaining))


@dataclass(frozen=True, slots=True)
class CreateCall:
    """One call that makes one fulfillment. `body` is the platform's own form of it."""

    order_id: str
    group: str
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_url: str | None
    body: Mapping[str, object]


Severity = Literal["missing", "warning", "info"]
"""`missing`: it cannot work so; `warning`: it works, and something is lost; `info`: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a probe found, as a sentence for people, and what mends it."""

    code: str
    severity: Severity
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection turned out to be."""

    version: str
    """Of the platform or its API, as it names it; empty where it does not say."""
    timezone: str = ""
    """IANA name or offset of the shop's clock; empty where it does not say."""
    currency: str = ""
    scopes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        return all(finding.severity != "missing" for finding in self.findings)


DeliveryKind = Literal["order", "fulfillment", "stock", "ping", "uninstalled", "redaction", "other"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook call whose signature was right."""

    id: str
    """The platform's id of the event, the same for each repetition; deduplicate by it."""
    topic: str
    """The platform's own word."""
    kind: DeliveryKind
    order_id: str | None = None
    """As `OrderReader.get_order` takes it."""


@dataclass(frozen=True, slots=True)
class StockLevel:
    sku: str
    """Theirs."""
    on_hand: int | None
    """Pieces that can be sold; None where the source does not count them."""


@dataclass(frozen=True, slots=True)
class StockPage:
    levels: tuple[StockLevel, ...]
    as_of: datetime
    next: str | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be ordered at a shop. SKUs may be empty or repeat there; both are worth a person's look."""

    id: str
    sku: str
    title: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    products: tuple[Product, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier as a channel accepts it. `code` is what is sent."""

    code: str
    name: str
    links: bool = False
    """Whether the channel builds the tracking link of this one by itself (and so rewrites ours)."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """New credentials to be sealed and published; the keys are those of the connection's `credentials`."""

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """What a platform can do (FP-4); what it cannot is declared here, never faked."""

    acknowledges: bool = False
    cancels: bool = False
    updates_tracking: bool = False
    cancels_fulfillments: bool = False
    forgets_canceled: bool = False
    """A fulfillment that was canceled is not shown any more, instead of being shown as canceled."""
    several_numbers: bool = False
    reports_shipments: bool = False
    lists_changed_shipments: bool = False
    dedupes_by_reference: bool = False
    prepares: bool = False
    """Requests are placed in two steps (`RequestPlacer`): the handle of the first is stored before the second."""
    notifies_buyer: bool = False
    keeps_ship_date: bool = False
    """Whether a fulfillment takes the day of shipping that we name; it is read back, because some drop it."""
    stock_is_available: bool = False
    """The figures of `StockReader` are what is left to sell: what we asked for and has not left is gone from them."""
    find: Find = "none"
    index_lag: timedelta = timedelta(0)
    """How long after its creation a thing may still be missing from a search."""
    call_timeout: float = 20.0
    """Seconds after which one call is given up; a lease must outlive it."""
