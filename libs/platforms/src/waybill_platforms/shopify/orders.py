"""Reads a shop's orders: what changed, one, one by number. I/O only.

Promises: nested pages are followed to the end and an order's lines are all of one moment; a walk never ends because
Shopify's lists do. Cannot promise that the search index shows what was just made (`features.index_lag`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import ValidationError

from waybill_platforms.errors import PlatformError, alone, explain
from waybill_platforms.model.orders import ChannelOrder, OrderPage
from waybill_platforms.shopify import documents, mapping, wire
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.parcels import read_parcels

DEEPEST = 20_000
"""Orders after which a walk starts again at the last one's time: Shopify's lists end at 25,000."""
REREADS = 3


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk through the changed orders stands; `page` tokens are made of it."""

    since: datetime
    after: str | None = None
    seen: int = 0

    @classmethod
    def read(cls, page: str | None, since: datetime) -> Self:
        if page is None:
            return cls(since)
        seen, moment, after = page.split("|", 2)
        return cls(datetime.fromisoformat(moment), after or None, int(seen))

    def next(self, cursor: str, count: int, last: datetime) -> str:
        """The token of the next page; beyond `DEEPEST` it begins anew at the last order's time."""
        if self.seen + count >= DEEPEST and last > self.since:
            return f"0|{last.isoformat()}|"
        return f"{self.seen + count}|{self.since.isoformat()}|{cursor}"


class ShopifyOrders:
    """The `OrderReader` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._most = documents.MOST_ORDERS

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Orders by `updatedAt`, whatever their status; each with all its lines."""
        walk = Walk.read(page, since)
        found = await self._page(walk, limit)
        orders, problems = [], []
        for raw in found.nodes:
            named = f"order {raw.get('name') or raw.get('id')}"
            try:
                orders.append(await self._whole(wire.Order.model_validate(raw), "get_orders"))
            except ValidationError as error:
                problems.append(f"{named}: {explain(error)}")
            except PlatformError as error:
                problems.append(f"{named}: {alone(error)}")
        last = orders[-1].updated_at if orders else walk.since
        more = found.pageInfo.hasNextPage and found.pageInfo.endCursor
        return OrderPage(tuple(orders), walk.next(more, len(found.nodes), last) if more else None, tuple(problems))

    async def _page(self, walk: Walk, limit: int) -> wire.Orders:
        while True:
            first, lines = documents.page_sizes(limit, self._most)
            variables = {"first": first, "after": walk.after, "query": mapping.search_time(walk.since), "lines": lines}
            try:
                data, answer = await self._graph.ask(documents.ORDERS, variables, "get_orders")
            except PlatformError as error:
                if error.code != "MAX_COST_EXCEEDED" or first == 1:
                    raise
                self._most = max(first // 2, 1)  # this shop counts dearer than the rule that we know
                continue
            return read_as(answer, wire.Orders, data.get("orders"))

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        read = await self._order(order_id, "get_order")
        return None if read is None else await self._whole(read, "get_order")

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        """By the search index (which lags some seconds), then compared exactly."""
        variables = {"first": 5, "after": None, "query": mapping.search_number(number), "lines": documents.LEAST_LINES}
        data, answer = await self._graph.ask(documents.ORDERS, variables, "get_order")
        for raw in read_as(answer, wire.Orders, data.get("orders")).nodes:
            if mapping.same_number(str(raw.get("name", "")), number):
                return await self._whole(read_as(answer, wire.Order, raw), "get_order")
        return None

    async def _order(self, order_id: str, log_type: str) -> wire.Order | None:
        variables = {"id": order_id, "lines": documents.MOST_LINES}
        data, answer = await self._graph.ask(documents.ORDER, variables, log_type)
        return read_as(answer, wire.Order, data["order"]) if data.get("order") is not None else None

    async def _whole(self, read: wire.Order, log_type: str) -> ChannelOrder:
        """With all its lines, all of one moment: an order that changes while it is paged is read again."""
        for _ in range(REREADS):
            lines, page = list(read.lineItems.nodes), read.lineItems.pageInfo
            moment = read.updatedAt
            while page.hasNextPage and moment == read.updatedAt:
                variables = {"id": read.id, "first": documents.LONGEST_PAGE, "after": page.endCursor}
                data, answer = await self._graph.ask(documents.ORDER_LINES, variables, log_type)
                more = read_as(answer, wire.MoreLines, data.get("order"))
                lines, page, moment = [*lines, *more.lineItems.nodes], more.lineItems.pageInfo, more.updatedAt
            if moment == read.updatedAt:
                break
            read = await self._order(read.id, log_type) or read
        whole = read.model_copy(update={"lineItems": wire.Lines(pageInfo=page, nodes=tuple(lines))})
        if not mapping.open_is_ambiguous(whole):
            return mapping.order(whole)
        parcels = await read_parcels(self._graph, read.id, log_type)
        return mapping.order(whole, mapping.owed(parcels.parcels) if parcels else None)
