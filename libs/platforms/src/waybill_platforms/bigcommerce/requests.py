"""Asks a store to ship: a request of ours is an order there. I/O only; what it looks like is in `requesting`.

There is no idempotency key: the same call twice makes two orders. So whoever calls looks under the reference first,
and a reference that names two orders is an error that people have to see.
"""

from waybill_common.retry import Family
from waybill_platforms.bigcommerce import mapping, requesting, wire
from waybill_platforms.bigcommerce.reading import WITH_LINES, completed, whole_order
from waybill_platforms.bigcommerce.rest import Rest, entries, read_as
from waybill_platforms.bigcommerce.variants import Variants
from waybill_platforms.bigcommerce.whole import Whole
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted

UNKNOWN_SKU = "unknown_sku"
REFERENCE_CONFLICT = "reference_conflict"


class BigCommerceRequests:
    """The `RequestSink` of one store."""

    def __init__(self, rest: Rest, variants: Variants) -> None:
        self._rest = rest
        self._variants = variants

    async def submit(self, request: SourceRequest) -> Submitted:
        """`POST /orders`; the SKUs' variants are looked up before, once each."""
        skus = [line.sku for line in request.lines]
        variants = await self._variants.find(skus, "submit_request")
        missing = sorted(set(skus) - variants.keys())
        if missing:
            raise _refused(f"the store has no product with SKU {', '.join(missing)}", UNKNOWN_SKU)
        body = requesting.order_body(request, variants)
        try:
            answer = await self._rest.change("POST", "/v2/orders", "submit_request", body, WITH_LINES)
        except PlatformError as error:
            if error.family is Family.REFUSED:
                self._variants.forget(skus)
            raise
        made = read_as(answer, wire.Order, answer.json())
        if made.external_order_id and made.external_order_id != request.reference:
            raise answer.wrong_form(f"asked for {request.reference!r}, answered about {made.external_order_id!r}")
        # what was made is what was sent: its lines are compared when it is read, which costs no call here
        lines = tuple((line.line_ref, line.sku, line.quantity) for line in request.lines)
        return Submitted(str(made.id), request.reference, made.status_id in requesting.ACKNOWLEDGED, lines)

    async def find(self, reference: str) -> Submitted | None:
        """`GET /orders?external_order_id=` (`external_id` is another field, and not ours to write)."""
        whole = await find_order(self._rest, reference, "find_request")
        return None if whole is None else requesting.submitted(whole)

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """By status, unless something has left. What ships while the call is under way is told in the answer."""
        whole = await whole_order(self._rest, platform_id, "cancel_request")
        if whole is None or whole.head.external_order_id != reference:
            return CancelAnswer("pending", f"the store shows no order {platform_id} under {reference}")
        if whole.head.items_shipped:
            return CancelAnswer("refused", f"{whole.head.items_shipped} pieces of it have shipped already")
        if not mapping.canceled(whole):
            body = {"status_id": mapping.CANCELED}
            answer = await self._rest.change("PUT", f"/v2/orders/{platform_id}", "cancel_request", body)
            after = read_as(answer, wire.Order, answer.json())
            if after.items_shipped:
                return CancelAnswer("refused", f"{after.items_shipped} pieces of it shipped while it was canceled")
            if after.status_id not in mapping.ENDED:
                return CancelAnswer("pending", f"the store shows status {after.status or after.status_id}")
        return CancelAnswer("accepted")


async def find_order(rest: Rest, reference: str, log_type: str) -> Whole | None:
    """The one order that carries the reference exactly; None when there is none (or the search lags)."""
    answer = await rest.get("/v2/orders", log_type, {"external_order_id": reference, "limit": 10, **WITH_LINES})
    found = [read_as(answer, wire.Order, entry) for entry in entries(answer)]
    ours = {one.id: one for one in found if one.external_order_id == reference}
    if len(ours) > 1:
        ids = ", ".join(map(str, sorted(ours)))
        raise _refused(f"orders {ids} all have external_order_id {reference!r}; cancel all but one", REFERENCE_CONFLICT)
    return await completed(rest, next(iter(ours.values())), log_type) if ours else None


def _refused(message: str, code: str) -> PlatformError:
    return PlatformError(
        message, family=Family.REFUSED, cause="refused", outcome="none", action="submit_request", code=code
    )
