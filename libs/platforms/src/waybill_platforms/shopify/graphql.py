"""One call of the GraphQL Admin API, and what its answers mean: a 200 may carry a throttle, a refusal or an error.

The tables extend `failures.py` by what Shopify says in bodies. An error that names a path below the operation's root
came up after the work began, so a mutation's effect is then unknown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.calls import Answer, Call
from waybill_platforms.errors import PlatformError, explain
from waybill_platforms.failures import DEFAULT_WAIT, Failure
from waybill_platforms.http import Budget, Http
from waybill_platforms.shopify.documents import Document
from waybill_platforms.shopify.settings import API_VERSION, ShopifySettings

RATE = Rate(capacity=2000, per_second=100)
"""A standard shop's; the first answer tells the true one."""
UNCOUNTED = 5.0
"""What a call is taken to cost where answers name no cost: such a server counts no points, so ours must not slow it."""

BY_CODE: dict[str, Failure] = {
    "THROTTLED": Failure(Family.LATER, "rate_limit", "none", "turned away before any work"),
    "MAX_COST_EXCEEDED": Failure(Family.REFUSED, "configuration", "none", "too dear in one query, always"),
    "ACCESS_DENIED": Failure(Family.UNAUTHORIZED, "unauthorized", "none", "a scope is missing"),
    "SHOP_INACTIVE": Failure(Family.LATER, "server", "none", "the shop is not active"),
    "INTERNAL_SERVER_ERROR": Failure(Family.LATER, "server", "unknown", "it broke in the work"),
    "TIMEOUT": Failure(Family.LATER, "server", "unknown", "it took too long in the work"),
}
INVALID = Failure(Family.REFUSED, "configuration", "none", "the document was refused before any work")
BROKE = Failure(Family.LATER, "server", "unknown", "an error of no known code, in the work")
BAD_TOKEN = Failure(Family.UNAUTHORIZED, "unauthorized", "none", "token wrong, expired or revoked")
REFUSED = Failure(Family.REFUSED, "refused", "none", "understood and refused")
IGNORED_FILTER = Failure(Family.REFUSED, "configuration", "none", "a filter was ignored, so other orders came")


_Form = TypeVar("_Form", bound=BaseModel)


class Graph:
    """The shop's one endpoint."""

    def __init__(self, connection: str, settings: ShopifySettings, budget: Budget) -> None:
        token = settings.access_token.get_secret_value()
        others = (settings.client_secret, settings.previous_client_secret)
        secrets = (token, *(secret.get_secret_value() for secret in others if secret is not None))
        self._http = Http(connection, {"X-Shopify-Access-Token": token}, secrets, budget, RATE, describe)
        self._url = httpx.URL(settings.endpoint)
        self._costs: dict[str, float] = {}
        self._notices: dict[str, str] = {}
        self.aclose = self._http.aclose

    def notices(self) -> tuple[str, ...]:
        """What a person should know although calls succeed."""
        return tuple(self._notices.values())

    async def ask(
        self, document: Document, variables: Mapping[str, Any], log_type: str, *, effect: bool = False
    ) -> tuple[dict[str, Any], Answer]:
        """`data`, when there is no error in the answer; never half an answer."""
        content = orjson.dumps({"query": document.text, "variables": variables})
        cost = self._costs.get(document.text, document.cost)
        answer = await self._http.send(Call(log_type, "POST", self._url, content, effect, cost))
        body = answer.json()
        if not isinstance(body, dict):
            raise answer.wrong_form(f"the body is a {type(body).__name__}, not an object")
        self._compare_version(answer.headers.get("x-shopify-api-version"))
        extensions = body.get("extensions")
        extensions = extensions if isinstance(extensions, dict) else {}
        wait = await self._account(document, extensions.get("cost"))
        if body.get("errors"):
            raise await self._failed(answer, body["errors"], wait)
        if "cost" not in extensions:
            self._costs[document.text] = min(UNCOUNTED, document.cost)
        _refuse_ignored_filters(answer, extensions.get("search"))
        data = body.get("data")
        if not isinstance(data, dict):
            raise answer.wrong_form("data is missing, and no error is named")
        return data, answer

    def _compare_version(self, served: str | None) -> None:
        if served and served != API_VERSION:
            self._notices["version"] = f"Shopify serves API version {served} instead of {API_VERSION}: upgrade Waybill"
        elif served:
            self._notices.pop("version", None)

    async def _account(self, document: Document, cost: object) -> float:
        """Feeds the shop's own figures to the budget; returns the seconds until this query could be afforded."""
        if not isinstance(cost, dict) or not isinstance(status := cost.get("throttleStatus"), dict):
            return DEFAULT_WAIT
        numbers = [status.get("currentlyAvailable"), status.get("restoreRate"), status.get("maximumAvailable")]
        if not all(isinstance(number, (int, float)) for number in numbers):
            return DEFAULT_WAIT
        available, per_second, capacity = (float(number) for number in numbers if number is not None)
        if isinstance(actual := cost.get("actualQueryCost"), (int, float)) and actual > 0:
            self._costs[document.text] = float(actual)
        await self._http.learn(available, per_second, capacity)
        requested = cost.get("requestedQueryCost")
        missing = float(requested) - available if isinstance(requested, (int, float)) else 0.0
        return missing / per_second if missing > 0 and per_second > 0 else DEFAULT_WAIT

    async def _failed(self, answer: Answer, errors: object, wait: float) -> PlatformError:
        row, code, text = classify(errors)
        if row.cause == "rate_limit":
            await self._http.budget.block(self._http.connection, wait)
            return answer.failed(row, f"{text} ({row.why})", code=code, retry_after=wait)
        return answer.failed(row, f"{text} ({row.why})", code=code)


def classify(errors: object) -> tuple[Failure, str | None, str]:
    """(row, code, text) of `errors`, which is a string, a list of errors, or a map of fields."""
    text = _text(errors)
    if not isinstance(errors, list):
        return (BAD_TOKEN if "access token" in text else REFUSED), None, text
    found = [(_row(error), error) for error in errors if isinstance(error, dict)]
    if not found:
        return BROKE, None, text
    # Of several the one that says most about trying again: unauthorized, rate limit, then the others as they stand.
    rank = {"unauthorized": 0, "rate_limit": 1}
    row, error = min(found, key=lambda pair: rank.get(pair[0].cause, 2))
    unknown = any(other.outcome == "unknown" for other, _ in found)
    return (replace(row, outcome="unknown") if unknown else row), _code(error), text


def _row(error: dict[str, Any]) -> Failure:
    row, path = BY_CODE.get(_code(error) or ""), error.get("path")
    deep = isinstance(path, list) and len(path) > 1
    if row is None:
        # Errors of the document itself have no path, or name the operation ("query WaybillOrders") instead of a field.
        started = isinstance(path, list) and bool(path) and " " not in str(path[0])
        row = BROKE if started and not _invalid(error) else INVALID
    return replace(row, outcome="unknown") if deep and row.cause != "rate_limit" and row is not INVALID else row


def _invalid(error: dict[str, Any]) -> bool:
    """Validation errors carry the kind of the wrong thing instead of a code that we know."""
    extensions = error.get("extensions")
    return isinstance(extensions, dict) and bool({"typeName", "fieldName", "argumentName"} & extensions.keys())


def _code(error: dict[str, Any]) -> str | None:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else None


def _text(errors: object) -> str:
    if isinstance(errors, list):
        return "; ".join(str(e.get("message", e)) if isinstance(e, dict) else str(e) for e in errors[:3])[:500]
    return (errors if isinstance(errors, str) else orjson.dumps(errors, default=str).decode())[:500]


def describe(body: bytes) -> tuple[str | None, str]:
    """Code and text of an answer that is not 2xx; empty when the body is none of Shopify's."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    if not isinstance(read, dict):
        return None, ""
    errors = read.get("errors") or read.get("error_description") or read.get("error")
    if not errors:
        return None, ""
    return classify(errors)[1], _text(errors)


def _refuse_ignored_filters(answer: Answer, search: object) -> None:
    """An unknown filter name is only noted here, while the whole shop comes back."""
    for entry in search if isinstance(search, list) else ():
        if isinstance(entry, dict) and entry.get("warnings"):
            raise answer.failed(IGNORED_FILTER, f"search warnings: {_text(entry['warnings'])}")


def read_as(answer: Answer, form: type[_Form], value: object) -> _Form:
    """A part of the answer in the form that the contract promises; PlatformError (unreadable) when it is not."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        raise answer.wrong_form(explain(error)) from None
