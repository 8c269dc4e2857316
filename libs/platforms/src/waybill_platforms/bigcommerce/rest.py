"""One call of the REST API, and what its answers mean: headers that tell the budget, 204 as the end of a list, errors
that are a list in V2 and an object in V3.

The quota belongs to the store and all its apps draw on it, so what the headers say corrects our budget every time.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.calls import Answer, Call
from waybill_platforms.errors import PlatformError, explain
from waybill_platforms.failures import Failure
from waybill_platforms.http import Budget, Described, Http

RATE = Rate(capacity=150, per_second=5)
"""Standard and Plus stores: 150 calls in 30 s; the first answer tells the true one."""
MOST = 250
"""Entries of a page; more is 413."""

ROWS = {
    507: Failure(Family.REFUSED, "configuration", "none", "the store's plan has reached its limit of such things"),
}
NO_CONTENT = 204

_Form = TypeVar("_Form", bound=BaseModel)
Params = Mapping[str, str | int]


class Rest:
    """One store."""

    def __init__(self, connection: str, settings: BigCommerceSettings, budget: Budget) -> None:
        token = settings.access_token.get_secret_value()
        own = [one.get_secret_value() for one in (settings.client_secret, settings.webhook_secret) if one]
        headers = {"X-Auth-Token": token, "Accept": "application/json"}
        self._http = Http(connection, headers, (token, *own), budget, RATE, describe, asked=asked, judge=judge)
        self._root = settings.url
        self.aclose = self._http.aclose

    @property
    def connection(self) -> str:
        return self._http.connection

    @property
    def rate(self) -> Rate:
        """As the store announced it last."""
        return self._http.rate

    async def get(self, path: str, log_type: str, params: Params | None = None) -> Answer:
        return await self._send(Call(log_type, "GET", self._url(path, params)))

    async def get_or_none(self, path: str, log_type: str, params: Params | None = None) -> Answer | None:
        """None where BigCommerce says that there is no such thing; a 404 of somebody else is an error."""
        try:
            return await self.get(path, log_type, params)
        except PlatformError as error:
            if error.status == 404 and error.code == "404":
                return None
            raise

    async def change(
        self, method: str, path: str, log_type: str, body: object = None, params: Params | None = None
    ) -> Answer:
        """A call with an effect."""
        content = b"" if body is None else orjson.dumps(body)
        return await self._send(Call(log_type, method, self._url(path, params), content, effect=True))

    async def _send(self, call: Call) -> Answer:
        answer = await self._http.send(call)
        await self._learn(answer.headers)
        return answer

    async def _learn(self, headers: httpx.Headers) -> None:
        left, quota = _number(headers, "requests-left"), _number(headers, "requests-quota")
        window = _number(headers, "time-window-ms")
        if left is None or not quota or not window:
            return
        await self._http.learn(left, quota * 1000 / window, quota)
        if left < 1 and (reset := _number(headers, "time-reset-ms")):
            # The quota does not drip back: it is whole again when the window ends, and until then all is refused.
            await self._http.budget.block(self._http.connection, reset / 1000)

    def _url(self, path: str, params: Params | None) -> httpx.URL:
        return httpx.URL(f"{self._root}{path}", params=dict(params) if params else None)


def _number(headers: httpx.Headers, name: str) -> float | None:
    try:
        value = float(headers.get(f"x-rate-limit-{name}", ""))
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def asked(status: int, headers: httpx.Headers) -> float | None:
    """Seconds to wait: `X-Retry-After`, and for 429 the rest of the window as well; the longer counts."""
    try:
        after = max(float(headers.get("x-retry-after", "")), 0.0)
    except ValueError:
        after = None
    reset = _number(headers, "time-reset-ms") if status == 429 else None
    waits = [one for one in (after, reset / 1000 if reset is not None else None) if one is not None]
    return max(waits) if waits else None


def judge(status: int, code: str | None, text: str) -> Failure | None:
    return ROWS.get(status)


def describe(body: bytes) -> Described:
    """Code (the status, as a text) and text of an answer that is not 2xx; empty when the body is none of theirs."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    found = [one for one in (read if isinstance(read, list) else [read]) if isinstance(one, dict)]
    told = [one for one in found if "status" in one or "message" in one or "title" in one]
    if not told:
        return None, ""
    status = told[0].get("status")
    return (str(status) if status is not None else None), "; ".join(map(_told, told[:3]))[:500]


def _told(error: Mapping[str, Any]) -> str:
    text = str(error.get("message") or error.get("title") or "")
    more = error.get("details") or error.get("errors")
    if isinstance(more, dict) and more:
        return f"{text} ({', '.join(f'{name}: {why}' for name, why in list(more.items())[:5])})"
    return f"{text} ({more})" if isinstance(more, (str, list)) and more else text


# -- reading bodies


def entries(answer: Answer) -> list[dict[str, Any]]:
    """A list of V2. Its end is 204 with an empty body, which is no JSON."""
    if answer.status == NO_CONTENT or not answer.content.strip():
        return []
    body = answer.json()
    if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
        raise answer.wrong_form(f"the body is a {type(body).__name__}, not a list of objects")
    return body


def listed(answer: Answer) -> wire.Listed:
    """A page of V3."""
    if answer.status == NO_CONTENT:
        return wire.Listed()
    return read_as(answer, wire.Listed, answer.json())


def read_as(answer: Answer, form: type[_Form], value: object) -> _Form:
    """A part of the answer in the form that the contract promises; PlatformError (unreadable) when it is not."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None
