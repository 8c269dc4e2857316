"""Calls a supplier's implementation of docs/http-source.openapi.yaml. I/O only; the words are in `mapping`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from waybill_common.budget import Rate
from waybill_platforms.calls import Answer, Call
from waybill_platforms.errors import explain
from waybill_platforms.http import Budget, Http
from waybill_platforms.http_source import mapping
from waybill_platforms.http_source.pushed import PushedShipments
from waybill_platforms.http_source.settings import HttpSourceSettings
from waybill_platforms.http_source.wire import (
    WireCancelAnswer,
    WireFound,
    WireRequest,
    WireShipmentPage,
)
from waybill_platforms.model.features import Features
from waybill_platforms.model.requests import CancelAnswer, OpenRequest, SourceRequest, Submitted
from waybill_platforms.model.shipments import ShipmentPage
from waybill_platforms.ports import SourceConnection

FEATURES = Features(
    acknowledges=True,
    cancels=True,
    reports_shipments=True,
    lists_changed_shipments=True,
    dedupes_by_reference=True,
    find="consistent",
)
RATE = Rate(capacity=400, per_second=200)
"""Until the supplier announces its own limit: enough not to be felt, few enough not to hurt."""
PAGE = 500
_Form = TypeVar("_Form", bound=BaseModel)
CANCEL_ANSWERS: tuple[Literal["accepted", "refused", "pending"], ...] = ("accepted", "refused", "pending")


def open_supplier(connection: str, settings: HttpSourceSettings, budget: Budget) -> SourceConnection:
    """Nothing is sent yet; the first call opens the HTTP client."""
    supplier = HttpSource(connection, settings, budget)
    receiver = PushedShipments(settings.hook_secret)
    return SourceConnection(connection, supplier, supplier, FEATURES, supplier.aclose, receiver=receiver)


class HttpSource:
    """One supplier; both its ports."""

    def __init__(self, connection: str, settings: HttpSourceSettings, budget: Budget) -> None:
        token = settings.token.get_secret_value() if settings.token else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = Http(connection, headers, (token,) if token else (), budget, RATE, mapping.described)
        self._root = settings.url
        self._requests = httpx.URL(f"{settings.url}/requests")
        self._shipments = httpx.URL(f"{settings.url}/shipments")
        self._window = 1.0
        self.aclose = self._http.aclose

    async def submit(self, request: SourceRequest) -> Submitted:
        """`POST /requests`; sending it again gives what is there (the supplier dedupes by reference)."""
        body = orjson.dumps(mapping.request_body(request))
        answer = await self._send(Call("submit_request", "POST", self._requests, body, effect=True))
        found = mapping.submitted(_read(answer, WireRequest))
        if found.reference != request.reference:
            raise answer.wrong_form(f"asked for {request.reference!r}, answered about {found.reference!r}")
        return found

    async def find(self, reference: str) -> Submitted | None:
        """`GET /requests?reference=`; a request with another reference in the answer is not ours."""
        url = self._requests.copy_set_param("reference", reference)
        answer = await self._send(Call("find_request", "GET", url))
        found = [wire for wire in _read(answer, WireFound).requests if wire.reference == reference]
        if len(found) > 1:
            raise answer.wrong_form(f"{len(found)} requests with reference {reference!r}; a reference names one")
        return mapping.submitted(found[0]) if found else None

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        """`POST /requests/{id}/cancel`; an answer with another word than the three is unreadable."""
        url = httpx.URL(f"{self._root}/requests/{quote(platform_id, safe='')}/cancel")
        body = orjson.dumps({"reference": reference})
        answer = await self._send(Call("cancel_request", "POST", url, body, effect=True))
        wire = _read(answer, WireCancelAnswer)
        for result in CANCEL_ANSWERS:
            if wire.result == result:
                return CancelAnswer(result, wire.message)
        raise answer.wrong_form(f"result: {wire.result!r} is none of {', '.join(CANCEL_ANSWERS)}")

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        """`GET /shipments`: all that changed, whatever request it belongs to; one call for all open FRs."""
        params: dict[str, Any] = {"limit": PAGE}
        if since is not None:
            params["since"] = mapping.moment(since)
        if page is not None:
            params["page"] = page
        answer = await self._send(Call("get_shipments", "GET", self._shipments.copy_merge_params(params)))
        return mapping.shipment_page(_read(answer, WireShipmentPage))

    async def _send(self, call: Call) -> Answer:
        answer = await self._http.send(call)
        await self._learn(answer.headers)
        return answer

    async def _learn(self, headers: httpx.Headers) -> None:
        """`RateLimit-*` where the supplier sends it; the window's length is the longest reset seen."""
        if "ratelimit-remaining" not in headers:
            return
        try:
            remaining, limit = float(headers["ratelimit-remaining"]), float(headers.get("ratelimit-limit", 0))
            self._window = max(self._window, float(headers.get("ratelimit-reset", 0)))
        except ValueError:
            return
        if limit > 0 and remaining >= 0:
            await self._http.learn(remaining, limit / self._window, limit)


def _read(answer: Answer, form: type[_Form]) -> _Form:
    try:
        return form.model_validate(answer.json())
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None
