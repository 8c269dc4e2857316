"""Asks a shop to ship: an order of ours under our reference. I/O only; the words are in `requesting`.

Promises: explicit variants and quantities, never a line that only names a SKU (no stock stands behind such a one); one
call with an effect. Cannot promise that the same request sent twice is one: Shopify knows no idempotency key for
orders, so what is under our reference is looked up (`features.find`: by a search that lags) before a second try.
"""

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted
from waybill_platforms.shopify import requesting
from waybill_platforms.shopify import source_documents as documents
from waybill_platforms.shopify import source_wire as wire
from waybill_platforms.shopify.changing import change
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.variants import Variants

READ_LINES = 50
"""Lines that are read of an order that we look for; longer ones are read again, whole."""
NOTHING_STANDS = frozenset({"CANCELLED", "ERROR", "FAILURE"})


class ShopifyRequests:
    """The `RequestSink` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._variants = Variants(graph)

    async def submit(self, request: SourceRequest) -> Submitted:
        """`orderCreate`, after the variants were looked up (which has no effect, and is remembered)."""
        if len(request.lines) > documents.MOST_LINES:
            raise _too_long(request)
        skus = [line.sku for line in request.lines]
        variants = await self._variants.ids(skus)
        order = requesting.order_input(request, variants, self._variants.currency)
        variables = {"order": order, "options": requesting.OPTIONS, "lines": len(request.lines)}
        try:
            payload, answer = await change(
                self._graph, documents.CREATE, variables, "orderCreate", "submit_request", makes="order"
            )
        except PlatformError as error:
            if error.family is Family.REFUSED:
                self._variants.forget(skus)
            raise
        return requesting.submitted(read_as(answer, wire.Request, payload.get("order")))

    async def find(self, reference: str) -> Submitted | None:
        """By the search index, then compared exactly. Two orders under one reference are a conflict for a person."""
        found, longest = await self._search(reference, READ_LINES), READ_LINES
        if any(one.lineItems.pageInfo.hasNextPage for one in found):
            found, longest = await self._search(reference, documents.MOST_LINES), documents.MOST_LINES
        live = [one for one in found if one.cancelledAt is None] or found
        if len(live) > 1:
            raise _conflict(reference, [one.name for one in live])
        if live and live[0].lineItems.pageInfo.hasNextPage:
            raise _conflict(reference, [f"{live[0].name} of more than {longest} lines"])
        return requesting.submitted(live[0]) if live else None

    async def _search(self, reference: str, lines: int) -> list[wire.Request]:
        variables = {"query": requesting.search_references([reference]), "lines": lines}
        data, answer = await self._graph.ask(documents.FIND, variables, "find_request")
        page = read_as(answer, wire.Requests, data.get("orders"))
        return [one for one in page.nodes if one.sourceIdentifier == reference]

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """`orderCancel`, unless something has left already; it is a job there, so the answer may be `pending`."""
        state = await self._state(platform_id, reference)
        if state.cancelledAt is not None:
            return CancelAnswer("accepted")
        left = [one for one in state.fulfillments if one.status not in NOTHING_STANDS]
        if left:
            return CancelAnswer("refused", f"{len(left)} fulfillment(s) of it have left the shop")
        variables = {"id": platform_id, "note": f"Taken back by Waybill, request {reference}"}
        await change(
            self._graph, documents.CANCEL, variables, "orderCancel", "cancel_request",
            makes="job", errors="orderCancelUserErrors",
        )  # fmt: skip
        after = await self._state(platform_id, reference)
        return CancelAnswer("accepted") if after.cancelledAt is not None else CancelAnswer("pending", "under way there")

    async def _state(self, platform_id: str, reference: str) -> wire.State:
        data, answer = await self._graph.ask(documents.STATE, {"id": platform_id}, "find_request")
        if data.get("order") is None:
            raise _refusal(f"the shop has no order {platform_id} (request {reference})", "not_found", "cancel_request")
        state = read_as(answer, wire.State, data["order"])
        if state.sourceIdentifier != reference:
            text = f"order {platform_id} carries {state.sourceIdentifier!r}, not our reference {reference!r}"
            raise _refusal(text, "reference_conflict", "cancel_request")
        return state


def _too_long(request: SourceRequest) -> PlatformError:
    text = f"{len(request.lines)} lines; Shopify takes {documents.MOST_LINES} in one order: split the request"
    return _refusal(text, "too_many_lines", "submit_request")


def _conflict(reference: str, names: list[str]) -> PlatformError:
    text = f"under reference {reference!r} the shop has {', '.join(names)}: see which one is meant, cancel the rest"
    return _refusal(text, "reference_conflict", "find_request")


def _refusal(text: str, code: str, action: str) -> PlatformError:
    return PlatformError(text, family=Family.REFUSED, cause="refused", outcome="none", action=action, code=code)
