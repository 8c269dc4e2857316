"""One call of a store's REST API: addresses, the three ways to present a key, and what its failures mean.

Decided by `code`, never by status alone: the same "no such order" is 404 for a GET and 400 for a PUT, and a 403 without
a code is no word of the store but a firewall's in front of it.
"""

import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.calls import Answer, Call
from waybill_platforms.errors import PlatformError, explain
from waybill_platforms.failures import Failure
from waybill_platforms.http import Budget, Described, Http
from waybill_platforms.woocommerce import oauth
from waybill_platforms.woocommerce.settings import WooSettings

RATE = Rate(capacity=60, per_second=20)
"""WooCommerce counts no calls; a PHP host of a few workers answers about this many, and should serve buyers, too."""
WC = "/wc/v3"
NO_ROUTE = "rest_no_route"
NO_ORDER = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_order_invalid_id"})
"""The core's and the tracking plugin's word for it."""

BY_CODE: dict[str, Failure] = {
    **{code: Failure(Family.REFUSED, "refused", "none", "the store has no such order") for code in NO_ORDER},
    "woocommerce_rest_order_shipment_tracking_invalid_id": Failure(
        Family.REFUSED, "refused", "none", "the order has no such tracking"
    ),
    "woocommerce_rest_cannot_view": Failure(
        Family.UNAUTHORIZED,
        "unauthorized",
        "none",
        "the key is unknown (deleted?), or a proxy dropped the Authorization header (set credentials.auth: query), or "
        "the server did not see TLS (let the proxy set X-Forwarded-Proto)",
    ),
}
NONCE_USED = Failure(Family.LATER, "connection", "none", "the same signed call arrived twice; a new one is signed anew")
NOT_THE_STORE = Failure(
    Family.LATER,
    "connection",
    "none",
    "not the store's own word: a firewall or CDN before it turned the call away",
)
NO_SUCH_KEY = Failure(Family.UNAUTHORIZED, "unauthorized", "none", "the store does not know the key: was it deleted?")
SIGNATURE = Failure(
    Family.UNAUTHORIZED,
    "unauthorized",
    "none",
    "the consumer secret is wrong, or the url is not the store's own address (WordPress Address), over which it signs",
)
_Form = TypeVar("_Form", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a collection."""

    rows: tuple[dict[str, Any], ...]
    pages: int
    answer: Answer


class Api:
    """One store. Without a key (`anonymous`) it asks what the store tells everybody."""

    def __init__(self, connection: str, settings: WooSettings, budget: Budget, *, anonymous: bool = False) -> None:
        self.connection = connection
        self.settings = settings
        self._budget = budget
        self._key = settings.consumer_key.get_secret_value()
        self._secret = settings.consumer_secret.get_secret_value()
        self._auth = () if anonymous else settings.auth
        secrets = (self._secret, settings.webhook_secret.get_secret_value(), self._basic())
        headers = {"Authorization": f"Basic {self._basic()}"} if "basic" in self._auth else {}
        self._http = Http(connection, headers, secrets, budget, RATE, describe, judge=judged)
        self.aclose = self._http.aclose

    def at(self, settings: WooSettings) -> "Api":
        """Without a key, at another address: for looking whether the store answers there."""
        return Api(self.connection, settings, self._budget, anonymous=True)

    def _basic(self) -> str:
        return b64encode(f"{self._key}:{self._secret}".encode()).decode()

    async def get(self, log_type: str, route: str, **params: str | int) -> Answer:
        return await self.send(log_type, "GET", route, params)

    async def send(
        self,
        log_type: str,
        method: str,
        route: str,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        *,
        effect: bool = False,
    ) -> Answer:
        """The answer when it is 2xx; else PlatformError with the store's own `code`."""
        content = b"" if body is None else orjson.dumps(body)
        url = self._url(method, route, params or {})
        return await self._http.send(Call(log_type, method, url, content, effect))

    async def one(self, form: type[_Form], log_type: str, route: str, **params: str | int) -> _Form:
        """`GET` of one thing, in the form that the contract promises."""
        answer = await self.get(log_type, route, **params)
        return read_as(answer, form, answer.json())

    async def listed(self, log_type: str, route: str, **params: str | int) -> Listed:
        """`GET` of a collection: a list of objects and nothing else."""
        answer = await self.get(log_type, route, **params)
        return Listed(objects(answer), _number(answer.headers.get("x-wp-totalpages")), answer)

    def _url(self, method: str, route: str, params: Mapping[str, str | int]) -> httpx.URL:
        scheme, host, path, query, _ = urlsplit(self.settings.address(route))
        pairs = [*parse_qsl(query, keep_blank_values=True), *((name, str(value)) for name, value in params.items())]
        if "query" in self._auth:
            pairs += [("consumer_key", self._key), ("consumer_secret", self._secret)]
        if "oauth1" in self._auth:
            address = urlunsplit((scheme, host, path, "", ""))
            now, nonce = int(time.time()), token_hex(16)
            pairs = [*oauth.signed(method, address, pairs, self._key, self._secret, nonce, now)]
        told = "&".join(f"{quote(name, safe='')}={quote(value, safe=',:/')}" for name, value in pairs)
        return httpx.URL(urlunsplit((scheme, host, path, told, "")))


def objects(answer: Answer) -> tuple[dict[str, Any], ...]:
    """The rows of a collection; PlatformError (unreadable) when the body is anything else."""
    body = answer.json()
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise answer.wrong_form(f"expected a list of objects, found {orjson.dumps(body, default=str)[:80].decode()}")
    return tuple(body)


def read_as(answer: Answer, form: type[_Form], value: object) -> _Form:
    """A part of the answer in the form that the contract promises; PlatformError (unreadable) when it is not."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None


def describe(body: bytes) -> Described:
    """`code` and message. The code may be a number (fulfillments: 0) or a text of digits; then it names nothing."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    if not isinstance(read, dict) or "message" not in read:
        return None, ""
    code, data = read.get("code"), read.get("data")
    fields = data.get("params") if isinstance(data, dict) else None
    told = [str(read["message"]), *(map(str, fields.values()) if isinstance(fields, dict) else ())]
    named = code if isinstance(code, str) and code and not code.isdigit() else None
    return named, " – ".join(told)[:500]


def judged(status: int, code: str | None, text: str) -> Failure | None:
    """The row for what the store says in its body, where it says more than its status."""
    if code in BY_CODE and not (status == 403 and code == "woocommerce_rest_cannot_view"):
        return BY_CODE[code]
    if status == 403 and not text:
        return NOT_THE_STORE
    if code == "woocommerce_rest_authentication_error" and "nonce" in text.lower():
        return NONCE_USED
    if code == "woocommerce_rest_authentication_error" and "consumer key" in text.lower():
        return NO_SUCH_KEY  # by OAuth; by Basic and in the query it is cannot_view
    if code == "woocommerce_rest_authentication_error" and "signature" in text.lower():
        return SIGNATURE
    return None


def missing(error: PlatformError) -> bool:
    """The store does not have the order (any more)."""
    return error.code in NO_ORDER


def no_route(error: PlatformError) -> bool:
    """The store does not have this part of the API: a feature that is off, a plugin that is not there."""
    return error.code == NO_ROUTE


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
