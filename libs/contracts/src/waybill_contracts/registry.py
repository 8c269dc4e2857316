"""All event types by name and by topic, for decoding and for the generated documents."""

from waybill_contracts import topics
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised, ConfigApplied, ConnectionStateChanged
from waybill_contracts.config_changed import ChannelConfigured, RoutingConfigured, SourceConfigured
from waybill_contracts.event import Event
from waybill_contracts.exchanges_recorded import ExchangeRecorded
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrVoidRequested, OrderRouted, OrderUnroutable
from waybill_contracts.fulfillment_submitted import (
    FrAcknowledged,
    FrCanceled,
    FrFailed,
    FrOutcomeUnknown,
    FrProcessing,
    FrRecallRefused,
    FrRecallRequested,
    FrReceived,
    FrShippingChanged,
    FrSubmitted,
    FrVoided,
)
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted
from waybill_contracts.orders_imported import (
    OrderCanceled,
    OrderChanged,
    OrderExcluded,
    OrderHeld,
    OrderImported,
    OrderReleased,
)
from waybill_contracts.orders_inbound import OrderSubmitted
from waybill_contracts.shipment_synced import (
    FrWatched,
    OrderShipped,
    ShipmentConflicted,
    ShipmentRecorded,
    ShipmentRefused,
    ShipmentSynced,
    ShipmentSyncFailed,
    ShipmentWithdrawn,
)

EVENTS: dict[str, type[Event]] = {
    event.TYPE: event
    for event in (
        OrderSubmitted,
        OrderImported,
        OrderChanged,
        OrderCanceled,
        OrderHeld,
        OrderReleased,
        OrderExcluded,
        FrCreated,
        FrConfirmed,
        FrVoidRequested,
        OrderRouted,
        OrderUnroutable,
        FrReceived,
        FrProcessing,
        FrSubmitted,
        FrAcknowledged,
        FrFailed,
        FrOutcomeUnknown,
        FrRecallRequested,
        FrRecallRefused,
        FrCanceled,
        FrVoided,
        FrShippingChanged,
        FrWatched,
        ShipmentRecorded,
        ShipmentRefused,
        ShipmentConflicted,
        ShipmentSynced,
        ShipmentSyncFailed,
        ShipmentWithdrawn,
        OrderShipped,
        StockCounted,
        StockAdjusted,
        ExchangeRecorded,
        ChannelConfigured,
        SourceConfigured,
        RoutingConfigured,
        AlertRaised,
        AlertCleared,
        ConnectionStateChanged,
        ConfigApplied,
    )
}

TYPES_BY_TOPIC: dict[str, tuple[str, ...]] = {
    topic: tuple(name for name, event in EVENTS.items() if topic == event.TOPIC) for topic in topics.TOPICS
}
