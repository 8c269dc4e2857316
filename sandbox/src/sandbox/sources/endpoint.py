"""The sources' door: the four operations of the generic HTTP contract, checked as a supplier would check them."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from sandbox.faults import Call
from sandbox.serving import Answer, Manners, Server
from sandbox.sight import Sight
from sandbox.sources.model import Request, RequestLine, Shipment
from sandbox.sources.source import Conflict, Source

MAX_REFERENCE = 255
MAX_PAGE = 500


def problem(status: int, code: str, title: str, **more: object) -> Answer:
    body = orjson.dumps({"title": title, "status": status, "code": code, **more})
    return Answer(status, body, content_type="application/problem+json")


MANNERS = Manners(
    unauthorized=lambda: problem(401, "unauthorized", "The token is missing, wrong or expired"),
    throttled=lambda: problem(429, "too_many_requests", "Too many calls"),
    internal=lambda: problem(500, "internal", "Internal error"),
    too_many=lambda: problem(429, "too_many_requests", "Too many calls"),
    unavailable=lambda: problem(503, "unavailable", "Not available"),
)


class Malformed(ValueError):
    """The call itself is wrong: 400, with the field."""


class SourcesEndpoint:
    """Serves the sources of one world; `sells(source, sku)` says what is in a source's catalogue."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        server: Server,
        new_id: Callable[[], int],
        sells: Callable[[str, str], bool],
        wake: asyncio.Event,
    ) -> None:
        self._sources = sources
        self._server = server
        self._new_id = new_id
        self._sells = sells
        self._wake = wake

    async def submit(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        return await self._serve(request, "submit", lambda source, sight: self._submit(source, body))

    async def find(self, request: web.Request) -> web.StreamResponse:
        reference = request.query.get("reference", "")
        return await self._serve(request, "find", lambda source, sight: _find(source, reference, sight))

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["id"]
        return await self._serve(request, "cancel", lambda source, sight: _cancel(source, wanted))

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        return await self._serve(request, "shipments", lambda source, sight: _shipments(source, query, sight))

    async def _serve(
        self, request: web.Request, operation: str, act: Callable[[Source, Sight], Answer]
    ) -> web.StreamResponse:
        source = self._sources.get(request.match_info["source"])
        if source is None:
            return web.Response(status=404)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")

        def work(sight: Sight) -> Answer:
            if token not in source.settings.tokens:
                return MANNERS.unauthorized()
            try:
                return act(source, sight)
            except Malformed as error:
                return problem(400, "malformed", "Malformed", detail=str(error))

        return await self._server.serve(
            request, Call(source.name, operation, request.method, request.path), MANNERS, work
        )

    def _submit(self, source: Source, body: bytes) -> Answer:
        given = self._read(source, body)
        if given.reference not in source.by_reference:
            unknown = [n for n, line in enumerate(given.lines) if not self._sells(source.name, line.sku)]
            if unknown:
                errors = [{"field": f"lines[{n}].sku", "message": "not in our catalogue"} for n in unknown]
                source.note("request_refused", given, code="unknown_sku")
                detail = f"{given.lines[unknown[0]].sku} is not in our catalogue"
                return problem(422, "unknown_sku", "Unknown SKU", detail=detail, errors=errors)
            if source.refuses(given.reference):
                source.note("request_refused", given, code="out_of_stock")
                return problem(422, "out_of_stock", "Out of stock", detail="We cannot ship this.")
        try:
            stored, new = source.submit(given)
        except Conflict as error:
            return problem(409, "reference_conflict", "Reference used", detail=str(error))
        self._wake.set()
        return Answer.json(201 if new else 200, request_told(stored))

    def _read(self, source: Source, body: bytes) -> Request:
        try:
            given = orjson.loads(body)
            lines = [RequestLine(str(li["line_ref"]), str(li["sku"]), _pieces(li["quantity"])) for li in given["lines"]]
            reference, country = str(given["reference"]), str(given["ship_to"]["country"])
            order_number, currency = str(given["order_number"]), str(given["currency"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise Malformed(f"{error!r}: see NewRequest for what is required") from error
        if not 1 <= len(reference) <= MAX_REFERENCE:
            raise Malformed(f"reference: {len(reference)} characters; 1 to {MAX_REFERENCE} are taken")
        if not lines or len({line.line_ref for line in lines}) != len(lines):
            raise Malformed("lines: at least one, each with a line_ref of its own")
        if len(country) != len("XX") or not country.isupper():
            raise Malformed(f"ship_to.country: {country!r} is no ISO 3166-1 alpha-2 code")
        now = source.now()
        return Request(
            id=f"req_{self._new_id()}",
            source=source.name,
            reference=reference,
            order_number=order_number,
            currency=currency,
            ship_to=dict(given["ship_to"]),
            shipping_method=given.get("shipping_method"),
            lines=lines,
            state="received",
            created_at=now,
            updated_at=now,
        )


def _find(source: Source, reference: str, sight: Sight) -> Answer:
    if not reference:
        raise Malformed("reference: missing")
    found = source.by_reference.get(reference)
    hidden = found is not None and source.now() - found.created_at < sight.hides_newer_than
    return Answer.json(200, {"requests": [] if found is None or hidden else [request_told(found)]})


def _cancel(source: Source, wanted: str) -> Answer:
    request = source.requests.get(wanted)
    if request is None:
        return problem(404, "not_found", "No such request", detail=f"{wanted} is unknown here")
    result, message = source.cancel(request)
    return Answer.json(200, {"result": result, "message": message})


def _shipments(source: Source, query: Mapping[str, str], sight: Sight) -> Answer:
    limit = query.get("limit", "100")
    if not limit.isdigit() or not 1 <= int(limit) <= MAX_PAGE:
        raise Malformed(f"limit: {limit!r}; 1 to {MAX_PAGE} are taken")
    low = bisect_left(source.changed, (_moment(query["since"]), "")) if query.get("since") else 0
    if query.get("page"):
        updated, _, shipment_id = query["page"].partition("~")
        try:
            low = max(low, bisect_right(source.changed, (float(updated), shipment_id)))
        except ValueError as error:
            raise Malformed(f"page: {query['page']!r} is no token of ours") from error
    newest = source.now() - sight.hides_newer_than
    visible = source.changed[low : low + int(limit) + 1]
    if sight.hides_newer_than:
        visible = [entry for entry in visible if entry[0] <= newest]
    shown = visible[: int(limit)]
    more = f"{shown[-1][0]!r}~{shown[-1][1]}" if len(visible) > len(shown) else None
    told = [shipment_told(source.shipments[shipment_id]) for _, shipment_id in shown]
    return Answer.json(200, {"shipments": [s for s in told for _ in range(2)] if sight.twice else told, "next": more})


def request_told(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "reference": request.reference,
        "state": request.state,
        "lines": [
            {"line_ref": li.line_ref, "sku": li.sku, "quantity": li.quantity, "canceled": li.canceled}
            for li in request.lines
        ],
        "created_at": _iso(request.created_at),
        "updated_at": _iso(request.updated_at),
    }


def shipment_told(shipment: Shipment) -> dict[str, Any]:
    return {
        "id": shipment.id,
        "request_id": shipment.request_id,
        "reference": shipment.reference,
        "status": shipment.status,
        "lines": [{"line_ref": li.line_ref, "sku": li.sku, "quantity": li.quantity} for li in shipment.lines],
        "carrier": shipment.carrier,
        "tracking_numbers": shipment.tracking_numbers,
        "tracking_url": shipment.tracking_url,
        "shipped_at": _iso(shipment.shipped_at),
        "updated_at": _iso(shipment.updated_at),
    }


def _pieces(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Malformed(f"lines.quantity: {value!r} is no whole number of at least 1")
    return value


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"since: {text!r} is no RFC 3339 time") from error
    if moment.tzinfo is None:
        raise Malformed(f"since: {text!r} has no zone")
    return moment.timestamp()
