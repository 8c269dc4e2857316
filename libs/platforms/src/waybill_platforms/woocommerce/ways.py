"""How a store can be told of a shipment: found out once, and again from time to time, since features are switched.

1. WooCommerce's own fulfillments (10.1 on, a feature that is off by default): lines, quantities, tracking.
2. A tracking plugin: tracking of the order; which pieces stands in our record alone.
3. Neither: an order note, our record, and the status. It cannot tell the buyer of a part shipment in a form.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.woocommerce import wire
from waybill_platforms.woocommerce.api import Api, missing, no_route, read_as
from waybill_platforms.woocommerce.fulfilling import Way
from waybill_platforms.woocommerce.reading import Reading

NAMESPACES = ("wc-shipment-tracking/v3", "wc-ast/v3")
"""Of the tracking plugins: AST has both and the paid one the first."""
BELIEVED_FOR = 600.0
"""Seconds; a plugin that is installed, or a feature switched on, is used after this without anybody's doing."""

LACKS = {
    "tracking": "The store's fulfillments feature is off, so tracking is told by the shipment-tracking plugin: it "
    "knows the order's numbers, but not which pieces they belong to; a part shipment cannot be told apart there.",
    "note": "The store has neither a shipment-tracking plugin nor the fulfillments feature: shipments are told by an "
    "order note, and the order is completed with the last one; a part shipment cannot be told apart there.",
}
REMEDY = (
    "Install a shipment-tracking plugin (e.g. Advanced Shipment Tracking), or switch WooCommerce's fulfillments "
    "feature on (10.1 or later: option woocommerce_feature_fulfillments_enabled = yes)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """The way of one store, and the plugin's routes and carriers where there is one."""

    way: Way
    namespace: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    """The plugin's providers: name -> template of the tracking link, with `%number%`."""
    asked: bool = True
    """False: the providers could not be asked, as they hang on an order and the store has none yet."""

    def route(self, order_id: str | int, rest: str = "") -> str:
        return f"/{self.namespace}/orders/{order_id}/shipment-trackings{rest}"


class Ways:
    """Finds a store's way out, and says what is lost by it (`notices`)."""

    def __init__(self, api: Api, index: Api, reading: Reading) -> None:
        self._api = api
        self._index = index
        self._reading = reading
        self._told: Told | None = None
        self._at = 0.0

    @property
    def lacks(self) -> str:
        """What this store cannot be told, in a sentence; empty when all can, or nobody has asked yet."""
        return LACKS.get(self._told.way, "") if self._told else ""

    async def fulfillments(self, order_id: int, log_type: str) -> tuple[wire.Fulfillment, ...] | None:
        """The order's fulfillments where the store has the feature, else None: this is also how it is found out."""
        if self._fresh and self._told is not None and self._told.way != "fulfillments":
            return None
        made = await self._reading.fulfillments(order_id, log_type)
        if made is not None:
            self._found(Told("fulfillments"))
        elif self._told is not None and self._told.way == "fulfillments":
            self._told = None  # the feature was switched off
        return made

    async def otherwise(self, order_id: int, log_type: str) -> Told:
        """The way of a store without the feature."""
        if self._told is not None and self._fresh:
            return self._told
        told = await self._ask_plugin(order_id, log_type)
        if told.asked:
            self._found(told)
        return told

    async def _ask_plugin(self, order_id: int, log_type: str) -> Told:
        spaces = await namespaces(self._index, log_type)
        namespace = next((one for one in NAMESPACES if one in spaces), "")
        if not namespace:
            return Told("note")
        told = Told("tracking", namespace)
        try:
            answer = await self._api.get(log_type, told.route(order_id, "/providers"))
        except PlatformError as error:
            if not missing(error):
                raise
            return replace(told, asked=False)
        return Told("tracking", namespace, providers(answer.json()))

    @property
    def _fresh(self) -> bool:
        return time.monotonic() - self._at < BELIEVED_FOR

    def _found(self, told: Told) -> None:
        self._told, self._at = told, time.monotonic()


async def index_of(index: Api, log_type: str) -> wire.Index:
    """What the store tells everybody; asked without the key, which WordPress itself would take for a wrong password."""
    answer = await index.get(log_type, "/", _fields="name,url,namespaces,timezone_string,gmt_offset")
    return read_as(answer, wire.Index, answer.json())


async def namespaces(index: Api, log_type: str) -> tuple[str, ...]:
    """Which parts of the API the store has; none where it tells strangers nothing."""
    try:
        return (await index_of(index, log_type)).namespaces
    except PlatformError as error:
        if error.family is Family.UNAUTHORIZED or no_route(error):
            return ()
        raise


def providers(body: object) -> dict[str, str]:
    """`{"Germany": {"DHL": "https://…%number%"}}`, flat; an empty one is `[]` in PHP."""
    countries = body.values() if isinstance(body, dict) else ()
    return {
        str(name): str(link) for one in countries if isinstance(one, dict) for name, link in one.items() if str(name)
    }
