"""The shop's door: `POST /admin/api/{version}/graphql.json` and the token endpoint, as the platform answers them."""

import secrets
from collections.abc import Mapping
from math import inf
from typing import Any

import orjson
from aiohttp import web
from graphql import GraphQLError

from sandbox.faults import Call
from sandbox.serving import Answer, Manners, Server
from sandbox.shopify.cost import MAX_COST, requested
from sandbox.shopify.errors import ApiError
from sandbox.shopify.plan import Plan, Planner
from sandbox.shopify.queries import VERSIONS
from sandbox.shopify.shop import Shop
from sandbox.shopify.values import Context
from sandbox.sight import Sight

AUTHENTICATION = "X-Shopify-Access-Token"
NOT_FOUND = Answer.json(404, {"errors": "Not Found"})


def _unauthorized() -> Answer:
    text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
    return Answer.json(401, {"errors": text})


def _error(message: str, code: str, **more: object) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


MANNERS = Manners(
    unauthorized=_unauthorized,
    throttled=lambda: Answer.json(200, _error("Throttled", "THROTTLED")),
    internal=lambda: Answer.json(200, _error("Internal error. Looks like something went wrong on our end.",
                                             "INTERNAL_SERVER_ERROR", requestId=secrets.token_hex(8))),
    too_many=lambda: Answer.json(429, {"errors": "Exceeded request limit. Reduce request rates to resume."}),
    unavailable=lambda: Answer(503, b"<html><body>Service Unavailable</body></html>", content_type="text/html"),
)  # fmt: skip


class ShopifyEndpoint:
    """Serves the shops of one world."""

    def __init__(self, shops: Mapping[str, Shop], planner: Planner, server: Server) -> None:
        self._shops = shops
        self._planner = planner
        self._server = server

    async def graphql(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        shop = self._shops.get(request.match_info["shop"])
        version = _served(request.match_info["version"])
        if shop is None or version is None:
            return web.Response(status=404, body=NOT_FOUND.body, content_type="application/json")
        plan, broken = self._plan(body)
        operation = "+".join(plan.names) if plan else "invalid"
        call = Call(shop.name, operation, request.method, request.path)
        token = request.headers.get(AUTHENTICATION, "")

        def work(sight: Sight) -> Answer:
            if token not in shop.settings.tokens or shop.settings.token_ends.get(token, inf) <= shop.now():
                return _unauthorized()
            answer = self._run(shop, plan, sight) if plan else Answer.json(400 if broken is None else 200, broken)
            return Answer(answer.status, answer.body, {"X-Shopify-API-Version": version})

        return await self._server.serve(request, call, MANNERS, work)

    async def access_token(self, request: web.Request) -> web.StreamResponse:
        """Client credentials: any client id; the secret is the shop's name and `-secret`."""
        shop = self._shops.get(request.match_info["shop"])
        given = await request.json()
        if shop is None or given.get("client_secret") != shop.settings.client_secret:
            return web.json_response({"error": "invalid_client"}, status=400)
        if given.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token = f"shpca_{secrets.token_hex(16)}"
        lifetime, ends = shop.settings.token_lifetime, dict(shop.settings.token_ends)
        ends[token] = shop.now() + lifetime
        shop.configure({"tokens": [*shop.settings.tokens, token], "token_ends": ends})
        self._server.journal.flush()
        answer = {"access_token": token, "scope": ",".join(shop.settings.scopes), "expires_in": lifetime}
        return web.json_response(answer)

    def _plan(self, body: bytes) -> tuple[Plan | None, Any]:
        """The plan, or what to answer instead (None: the body is no GraphQL request at all)."""
        try:
            given = orjson.loads(body)
            text, variables, name = given["query"], given.get("variables") or {}, given.get("operationName")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return None, None
        plan = self._planner.plan(text, variables, name)
        if isinstance(plan, list):
            return None, {"errors": [_told(error) for error in plan]}
        return plan, None

    def _run(self, shop: Shop, plan: Plan, sight: Sight) -> Answer:
        wanted = requested(plan)
        if wanted > MAX_COST:
            message = f"Query cost is {wanted}, which exceeds the single query max cost limit ({MAX_COST})."
            return Answer.json(200, _error(message, "MAX_COST_EXCEEDED", cost=wanted, maxCost=MAX_COST))
        if wanted > shop.bucket.available():
            return Answer.json(200, {**_error("Throttled", "THROTTLED"), "extensions": _cost(shop, wanted, None)})
        context = Context(shop, sight)
        try:
            data, objects = plan.execute(None, context)
        except ApiError as error:
            return Answer.json(200, _error(error.message, error.code))
        actual = min(wanted, objects + (10 if plan.operation.value == "mutation" else 0))
        shop.bucket.draw(actual)
        extensions = _cost(shop, wanted, actual)
        if context.searches:
            extensions["search"] = [_noted(path, query, ignored) for path, query, ignored in context.searches]
        return Answer.json(200, {"data": data, "extensions": extensions})


def _served(version: str) -> str | None:
    """A version that has run out is answered by the oldest served one, without an error; an unknown one is 404."""
    if version in VERSIONS:
        return version
    return VERSIONS[0] if version < VERSIONS[0] and len(version) == len(VERSIONS[0]) else None


def _cost(shop: Shop, wanted: int, actual: int | None) -> dict[str, Any]:
    status = shop.bucket.status()
    return {"cost": {"requestedQueryCost": wanted, "actualQueryCost": actual, "throttleStatus": status}}


def _noted(path: str, query: str, ignored: list[str]) -> dict[str, Any]:
    warnings = [{"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}
                for name in ignored]  # fmt: skip
    return {"path": [path], "query": query, "warnings": warnings}


def _told(error: GraphQLError) -> dict[str, Any]:
    facts = dict(error.formatted)
    return {**facts, "extensions": {"code": "invalidDocument"}}
