"""Reads what a store shipped of the orders that we placed there. I/O; the words are in `shipping`.

WooCommerce has no list of shipments, and under posts storage a plugin's tracking does not even move its order's date.
So the orders of the open requests are read, a hundred in a call, and fulfillments only of those that have some.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from waybill_platforms.errors import PlatformError, alone
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage, SourceShipment
from waybill_platforms.woocommerce import mapping, records, shipping, wire
from waybill_platforms.woocommerce.api import WC, Api
from waybill_platforms.woocommerce.reading import MOST, Reading, parse
from waybill_platforms.woocommerce.requests import WooRequests
from waybill_platforms.woocommerce.ways import Ways

LOG_TYPE = "get_shipments"


class WooShipments:
    """The `ShipmentReader` of one store."""

    def __init__(self, api: Api, reading: Reading, requests: WooRequests, ways: Ways) -> None:
        self._api = api
        self._reading = reading
        self._requests = requests
        self._ways = ways

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """All shipments of these requests, whatever `since` is: a page is a hundred orders. A fulfillment that was
        deleted is nowhere to be seen; `whole` says whose shipments are complete."""
        start = int(page or 0)
        asked = open_requests[start : start + MOST]
        ids = [one.platform_id or await self._id_of(one) for one in asked]
        orders, problems = await self._orders([one for one in ids if one])
        found: list[SourceShipment] = []
        whole: list[str] = []
        for one in orders:
            try:
                found += await self._of(one)
            except ValueError as error:
                problems.append(f"order {one.number}: {error}")
            except PlatformError as error:
                problems.append(f"order {one.number}: {alone(error)}")
            else:
                whole.append(shipping.reference(one))
        more = str(start + MOST) if start + MOST < len(open_requests) else None
        return ShipmentPage(tuple(found), more, tuple(problems), tuple(whole))

    async def _id_of(self, request: OpenRequest) -> str | None:
        """Marked as sent by a person: the store's id of it is not known yet."""
        found = await self._requests.find(request.reference)
        return found.platform_id if found else None

    async def _orders(self, ids: Sequence[str]) -> tuple[list[wire.Order], list[str]]:
        if not ids:
            return [], []
        listed = await self._api.listed(
            LOG_TYPE,
            f"{WC}/orders",
            include=",".join(ids),
            per_page=MOST,
            status=await self._reading.statuses(LOG_TYPE),
            _fields=wire.ORDER_FIELDS,
        )
        orders, problems = parse(listed.rows)
        return [one for one in orders if mapping.wire_text(one.meta(mapping.REFERENCE))], problems

    async def _of(self, read: wire.Order) -> list[SourceShipment]:
        made: tuple[wire.Fulfillment, ...] = ()
        if read.meta(mapping.FULFILLMENT_STATUS) in ("partially_fulfilled", "fulfilled"):
            made = await self._reading.fulfillments(read.id, LOG_TYPE) or ()
        if not made and not shipping.whole(read):
            return []
        refunds = await self._reading.refunds_of(read, LOG_TYPE)
        links = await self._links(read)
        return shipping.shipments(read, made, mapping.refunded(read, shipping.before_leaving(read, refunds)), links)

    async def _links(self, read: wire.Order) -> Mapping[str, str]:
        """The plugin's carriers' links, asked each ten minutes: an order's meta names the carrier alone."""
        if not any(one.tracking_provider and not records.link(one, {}) for one in records.tracking_items(read)):
            return {}
        return (await self._ways.otherwise(read.id, LOG_TYPE)).links
