"""The source under test, as certification calls it: plain HTTP, every answer kept, `Retry-After` honoured."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from console.certify.document import wrong_in
from console.certify.rules import Broken, NotTried

TIMEOUT = 20.0
"""Seconds after which Waybill gives a call up: a rule of the document."""
TRIES = 5
LONGEST_WAIT = 30.0
PATIENCE = 0.2
"""Seconds between two looks for a shipment."""


class Unreachable(Exception):
    """Nobody answers at the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `body` is None when it was no JSON."""

    status: int
    body: Any
    raw: bytes
    kind: str

    def __str__(self) -> str:
        return f"{self.status} {' '.join(self.raw[:200].decode('utf-8', 'replace').split())}".strip()

    def must_be(self, schema: str, *statuses: int) -> Any:
        """The body, which has to be what the document says for one of these statuses."""
        if self.status not in statuses:
            raise Broken(f"expected {' or '.join(map(str, statuses))}, got {self}")
        wrong = wrong_in(self.body, schema)
        if wrong:
            raise Broken(f"the body of {self.status} is no {schema}: {wrong}")
        return self.body

    def must_be_problem(self, status: int, code: str | None = None) -> None:
        """A problem (RFC 9457) with this status, and this code where the document fixes one."""
        self.must_be("Problem", status)
        if not self.kind.startswith("application/problem+json"):
            raise Broken(f"a problem is sent as application/problem+json, not as {self.kind or 'nothing'}")
        if self.body["status"] != status:
            raise Broken(f"the problem's status is {self.body['status']}, the answer's {status}")
        if code is not None and self.body["code"] != code:
            raise Broken(f"the code has to be {code}, not {self.body['code']!r}")


@dataclass
class Supplier:
    """A base URL, a token, and SKUs that may be asked for. What was asked for is remembered, to be given back."""

    url: str
    token: str | None
    sku: str
    http: httpx.AsyncClient
    ship_wait: float = 0.0
    run: str = field(default_factory=lambda: uuid4().hex[:8])
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # reference -> the request as answered
    slowest: float = 0.0
    turned_away: list[tuple[str, bool]] = field(default_factory=list)  # (reference, was it stored all the same?)
    _numbers: int = 0

    # -- what is asked

    def new_request(self, *, reference: str | None = None, quantity: int = 2, **changes: Any) -> dict[str, Any]:
        """A NewRequest with the same SKU on two lines; each call makes another reference."""
        self._numbers += 1
        lines = [
            {"line_ref": f"gid://shopify/LineItem/{self.run}1", "sku": self.sku, "quantity": quantity, "title": "Lamp"},
            {"line_ref": f"gid://shopify/LineItem/{self.run}2", "sku": self.sku, "quantity": 1, "title": "Lamp"},
        ]
        ship_to = {
            "name": "Zoë Müller", "company": "", "line1": "5 High Street", "line2": "", "city": "Springfield",
            "region": "IL", "postal_code": "62701", "country": "US", "phone": "", "email": "",
        }  # fmt: skip
        return {
            "reference": reference or f"CERTIFY-{self.run}-{self._numbers}", "order_number": f"#{self._numbers}",
            "currency": "USD", "shipping_method": None, "ship_to": ship_to, "lines": lines,
        } | changes  # fmt: skip

    async def submit(self, body: Mapping[str, Any]) -> Answer:
        answer = await self.call("POST", "/requests", body)
        if answer.status in (200, 201) and isinstance(answer.body, dict):
            self.made[str(body.get("reference"))] = answer.body
        return answer

    async def stored(self, body: Mapping[str, Any], *statuses: int) -> dict[str, Any]:
        """The request as the source now has it, which it must have taken."""
        answer = await self.submit(body)
        if answer.status == 422:
            code = answer.body.get("code") if isinstance(answer.body, dict) else None
            raise NotTried(f"the source refuses {self.sku} ({code}): name a SKU that it sells and has with --sku")
        taken: dict[str, Any] = answer.must_be("Request", *(statuses or (200, 201)))
        return taken

    async def find(self, reference: str) -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/requests?reference={quote(reference, safe='')}")
        if (
            answer.status != 200
            or not isinstance(answer.body, dict)
            or not isinstance(answer.body.get("requests"), list)
        ):
            raise Broken(f"GET /requests?reference= has to answer 200 with {{requests: [...]}}, got {answer}")
        found: list[dict[str, Any]] = answer.body["requests"]
        for request in found:
            if wrong := wrong_in(request, "Request"):
                raise Broken(f"what GET /requests gives is no Request: {wrong}")
        if len(found) > 1:
            raise Broken(f"{len(found)} requests under {reference!r}: a reference names one")
        return found

    async def cancel(self, request_id: str, reference: str = "") -> Answer:
        body = {"reference": reference} if reference else {}
        return await self.call("POST", f"/requests/{quote(request_id, safe='')}/cancel", body)

    async def shipments(self, **query: str) -> dict[str, Any]:
        """One page."""
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        answer = await self.call("GET", f"/shipments{'?' if text else ''}{text}")
        page: dict[str, Any] = answer.must_be("ShipmentPage", 200)
        return page

    async def walk(self, pages: int = 200, **query: str) -> list[dict[str, Any]]:
        """All pages, at most `pages` of them."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        for _ in range(pages):
            page = await self.shipments(**query, **more)
            found += page["shipments"]
            if page["next"] is None:
                break
            if not page["shipments"]:
                raise Broken("an empty page with a `next`: the walk would never end")
            more = {"page": page["next"]}
        return found

    # -- how it is asked

    async def reach(self) -> None:
        """Raises Unreachable when not even a connection can be made."""
        try:
            await self.http.get(f"{self.url}/shipments", timeout=TIMEOUT)
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self.url} does not answer within {TIMEOUT:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"nobody answers at {self.url} ({type(error).__name__})") from error

    async def call(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None, token: str | None = None
    ) -> Answer:
        """The answer; one that says "later, nothing was done" is waited for."""
        for _ in range(TRIES):
            response = await self._once(method, path, body, raw, self.token if token is None else token)
            answer = _read(response)
            if not _turned_away(response):
                return answer
            if method == "POST" and path == "/requests" and isinstance(body, dict):
                await self._look_whether_stored(str(body.get("reference")))
            await asyncio.sleep(min(_seconds(response.headers.get("retry-after")), LONGEST_WAIT))
        raise NotTried(f"the source said {answer.status} (later) {TRIES} times: raise its limit for the test")

    async def _look_whether_stored(self, reference: str) -> None:
        """Right after a post was turned away, when nobody else has posted it."""
        if reference not in self.made:
            path = f"/requests?reference={quote(reference, safe='')}"
            answer = _read(await self._once("GET", path, None, None, self.token))
            stored = isinstance(answer.body, dict) and bool(answer.body.get("requests"))
            self.turned_away.append((reference, stored))

    async def _once(self, method: str, path: str, body: object, raw: bytes | None, token: str | None) -> httpx.Response:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = raw if raw is not None else None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        started = monotonic()
        try:
            return await self.http.request(method, self.url + path, content=content, headers=headers, timeout=TIMEOUT)
        except httpx.TimeoutException as error:
            raise Broken(f"{method} {path.partition('?')[0]}: no answer within {TIMEOUT:g} s") from error
        except httpx.HTTPError as error:
            raise Broken(f"{method} {path.partition('?')[0]}: no answer ({type(error).__name__})") from error
        finally:
            self.slowest = max(self.slowest, monotonic() - started)


def _turned_away(response: httpx.Response) -> bool:
    return response.status_code == 429 or (response.status_code == 503 and "retry-after" in response.headers)


def _seconds(header: str | None) -> float:
    try:
        return max(float(header or 1.5), 0.05)
    except ValueError:
        return 1.5  # a date: close enough for a test


def _read(response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = None
    return Answer(response.status_code, body, response.content, response.headers.get("content-type", ""))
