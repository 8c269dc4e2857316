"""A store as a source: takes requests as orders, found again by our reference. I/O; the words are in `requesting`.

WooCommerce keeps no idempotency key, and an unknown SKU is no error there but an order with an empty line. So: look for
the reference, look the goods up, make the order, compare it line by line, and take back what is not what was asked.
Cannot promise that two calls at once make one order; only one worker sends a request at a time.
"""

from collections.abc import Iterable

from waybill_common.retry import Family
from waybill_platforms.calls import Answer
from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import Failure
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted
from waybill_platforms.woocommerce import mapping, requesting, wire
from waybill_platforms.woocommerce.api import WC, Api, read_as
from waybill_platforms.woocommerce.products import Goods
from waybill_platforms.woocommerce.reading import MOST, Reading, live, parse

NOT_AS_ASKED = Failure(Family.REFUSED, "refused", "none", "it was taken back: nothing is left of it")
NOT_TAKEN_BACK = Failure(Family.REFUSED, "refused", "unknown", "it could not be taken back: cancel it there by hand")


class WooRequests:
    """The `RequestSink` of one store."""

    def __init__(self, api: Api, reading: Reading, goods: Goods) -> None:
        self._api = api
        self._reading = reading
        self._goods = goods

    async def submit(self, request: SourceRequest) -> Submitted:
        """`POST /orders`, unless it is there. One call has an effect."""
        known = await self._find(request.reference, "submit_request")
        if known is not None:
            found = await self._submitted(known, "submit_request")
            if not requesting.same(known, found, request):
                what = f"{request.reference} is order {known.number} there, with other lines, address or method"
                raise _refused(what, "reference_conflict")
            return found
        goods = await self._goods.by_sku([line.sku for line in request.lines], "submit_request")
        try:
            body = requesting.order_body(request, goods)
        except requesting.Unknown as error:
            raise _refused(str(error), "unknown_sku") from None
        route, fields = f"{WC}/orders", {"_fields": wire.ORDER_FIELDS}
        answer = await self._api.send("submit_request", "POST", route, fields, body, effect=True)
        made = read_as(answer, wire.Order, answer.json())
        wrong = requesting.differences(made, request, goods)
        if wrong:
            raise await self._taken_back(answer, made, wrong)
        return await self._submitted(made, "submit_request")

    async def find(self, reference: str) -> Submitted | None:
        """By the mark that we gave the order; its meta has to say the very reference."""
        read = await self._find(reference, "find_request")
        return None if read is None else await self._submitted(read, "find_request")

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """`cancelled`, unless something has left: then the store's answer would be a lie."""
        read = await self._reading.order(platform_id, "cancel_request")
        if read is None:
            return CancelAnswer("accepted", "the store does not have the order any more")
        if mapping.wire_text(read.meta(mapping.REFERENCE)) != reference:
            raise _refused(f"order {read.number} is not {reference}", "reference_conflict", "cancel_request")
        if read.status in mapping.GONE:
            return CancelAnswer("accepted", f"the order is {read.status}")
        if await self._has_left(read, "cancel_request"):
            return CancelAnswer("refused", f"order {read.number} has shipped already ({read.status})")
        body = {"status": "cancelled"}
        fields = {"_fields": wire.ORDER_FIELDS}
        answer = await self._api.send("cancel_request", "PUT", f"{WC}/orders/{read.id}", fields, body, effect=True)
        after = read_as(answer, wire.Order, answer.json())
        if after.status in mapping.GONE:
            return CancelAnswer("accepted")
        return CancelAnswer("refused", f"order {read.number} stays {after.status}")

    async def _find(self, reference: str, log_type: str) -> wire.Order | None:
        """`created_via` is a filter of newer versions; older ones ignore it (all orders come) and set it themselves.
        There the search is asked, which knows the company of the bill-to in both storages."""
        if await self._reading.keeps("created_via", log_type):
            return _with(await self._rows(log_type, created_via=requesting.created_via(reference)), reference)
        return _with(await self._rows(log_type, search=requesting.company(reference)), reference)

    async def _rows(self, log_type: str, **params: str) -> list[wire.Order]:
        statuses = await self._reading.statuses(log_type)
        listed = await self._api.listed(
            log_type, f"{WC}/orders", status=statuses, per_page=MOST, _fields=wire.ORDER_FIELDS, **params
        )
        return parse(listed.rows)[0]

    async def _submitted(self, read: wire.Order, log_type: str) -> Submitted:
        known = await self._reading.known_of(read, log_type) if read.refunds else mapping.Known()
        return requesting.submitted(read, known)

    async def _has_left(self, read: wire.Order, log_type: str) -> bool:
        if mapping.FULFILLMENT.get(read.status) in {"fulfilled", "partial"} or requesting.tracked(read):
            return True
        if read.meta(mapping.FULFILLMENT_STATUS) in (None, "", "no_fulfillments", "unfulfilled"):
            return False
        made = await self._reading.fulfillments(read.id, log_type)
        return any(live(read, made or ()).values())

    async def _taken_back(self, answer: Answer, made: wire.Order, wrong: str) -> PlatformError:
        """What the store made of it is no request of ours: it is cancelled, and loses the reference."""
        what = f"order {made.number}: {wrong}"
        try:
            await self._api.send(
                "cancel_request", "PUT", f"{WC}/orders/{made.id}", body=requesting.disowned(made), effect=True
            )
        except PlatformError as error:
            return answer.failed(NOT_TAKEN_BACK, f"{what}; {error.message}", code="unknown_sku")
        return answer.failed(NOT_AS_ASKED, what, code="unknown_sku")


def _with(rows: Iterable[wire.Order], reference: str) -> wire.Order | None:
    """The oldest with exactly this reference: were there two, it is the one that was answered first."""
    same = [one for one in rows if mapping.wire_text(one.meta(mapping.REFERENCE)) == reference]
    return min(same, key=lambda one: one.id, default=None)


def _refused(message: str, code: str, action: str = "submit_request") -> PlatformError:
    """Nothing was sent."""
    return PlatformError(message, family=Family.REFUSED, cause="refused", outcome="none", action=action, code=code)
