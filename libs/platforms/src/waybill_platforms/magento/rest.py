"""One store's REST API: addresses, authentication, and which refusals mean something else than their status says.

I/O only.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.calls import Answer, Call
from waybill_platforms.errors import PlatformError, explain
from waybill_platforms.failures import Failure
from waybill_platforms.http import Budget, Http
from waybill_platforms.magento import messages
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.magento.signing import authorization

RATE = Rate(capacity=100, per_second=50)
"""Magento announces no limit; its host may. Enough not to be felt, few enough not to hurt."""
Query = Sequence[tuple[str, str]]
Form = TypeVar("Form", bound=BaseModel)


class Rest:
    """The calls of one connection."""

    def __init__(self, connection: str, settings: MagentoSettings, budget: Budget) -> None:
        self._settings = settings
        token = settings.access_token.get_secret_value()
        headers = {} if settings.signs or not token else {"Authorization": f"Bearer {token}"}
        self._http = Http(connection, headers, settings.secrets, budget, RATE, messages.described, judge=judged)
        self.timeout = self._http.timeout
        self.aclose = self._http.aclose

    async def get(self, path: str, log_type: str, query: Query = ()) -> Answer:
        """`path` begins behind `/V1`."""
        return await self._send(Call(log_type, "GET", self._address(path, query)))

    async def post(
        self, path: str, log_type: str, body: object, *, effect: bool = True, private: bool = False
    ) -> Answer:
        """`effect=False` for what nobody ships by: carts, until they are placed; `private` as in `Call`."""
        call = Call(log_type, "POST", self._address(path), orjson.dumps(body), effect=effect, private=private)
        return await self._send(call)

    async def delete(self, path: str, log_type: str) -> Answer:
        return await self._send(Call(log_type, "DELETE", self._address(path), effect=True))

    async def outside(self, path: str, log_type: str) -> Answer:
        """Of the shop itself, not its API."""
        return await self._send(Call(log_type, "GET", httpx.URL(self._settings.origin + path)))

    def _address(self, path: str, query: Query = ()) -> httpx.URL:
        url = httpx.URL(self._settings.root + path)
        return url.copy_with(params=httpx.QueryParams(list(query))) if query else url

    async def _send(self, call: Call) -> Answer:
        if self._settings.signs:
            signed = authorization(self._settings, call.method, call.url, secrets.token_hex(16), int(time.time()))
            call = replace(call, headers={"Authorization": signed})
        return await self._http.send(call)


MEANT = {
    # It broke while it wrote; what it wrote before stays, so it has to be read back.
    messages.SAVE_FAILED: Failure(Family.LATER, "server", "unknown", "broke while it wrote"),
    messages.CART_GONE: Failure(Family.LATER, "server", "unknown", "the cart was placed before, or given up"),
    messages.CLOCK_SKEW: Failure(
        Family.UNAUTHORIZED, "unauthorized", "none", "this machine's clock or the shop's is off"
    ),
    # Something on the way sent the same call again: the first one was taken, and its answer is lost.
    messages.NONCE: Failure(Family.LATER, "connection", "unknown", "this very call was taken before"),
    messages.SIGNATURE: Failure(Family.UNAUTHORIZED, "unauthorized", "none", "one of the four secrets is wrong"),
}
"""Our code of what Magento says -> what that means, whatever its status."""


def judged(status: int, code: str | None, text: str) -> Failure | None:
    return MEANT.get(code) if code else None


def missing(error: PlatformError) -> bool:
    """A 404 about the thing itself, not about the address."""
    return error.status == 404 and error.code != messages.NO_ROUTE


def read_as(answer: Answer, form: type[Form], body: Any = None) -> Form:
    """PlatformError (unreadable) when the answer is JSON of another form than the contract's."""
    try:
        return form.model_validate(answer.json() if body is None else body)
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None


def read_list(answer: Answer, form: type[Form]) -> list[Form]:
    """As `read_as`, for an answer that is a list."""
    try:
        return TypeAdapter(list[form]).validate_python(answer.json())  # type: ignore[valid-type]  # a type made at run time
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None


def read_id(answer: Answer) -> str:
    """A bare id: a number in some versions, a quoted one in others."""
    body = answer.json()
    if isinstance(body, bool) or not isinstance(body, int | str) or not str(body).isdigit():
        raise answer.wrong_form(f"{str(body)[:60]!r} is no id")
    return str(body)
