"""One emulated source: takes requests (idempotent on the reference), ships them when due, can refuse and cancel."""

import heapq
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from sandbox.journal import Journal
from sandbox.seeding.goods import COURIERS_BY_SOURCE
from sandbox.shops import Given
from sandbox.sources import people, sending, shipping
from sandbox.sources.model import Request, RequestLine, Shipment
from sandbox.sources.settings import Settings
from sandbox.standing import turned
from sandbox.supply import Asked, Sent

_REQUEST = TypeAdapter(Request)
_SHIPMENT = TypeAdapter(Shipment)
_SETTINGS = TypeAdapter(Settings)


class Conflict(ValueError):
    """The reference names a request with other content."""


class Source:
    """`may_box(order_number)` says whether a shipment of that order may carry two numbers."""

    def __init__(
        self,
        name: str,
        journal: Journal,
        may_box: Callable[[str], bool] = lambda number: True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.couriers: Mapping[str, str] = COURIERS_BY_SOURCE.get(name, {})
        self.journal = journal
        self._clock = now
        self.settings = Settings(tokens=[f"demo-{name}-token"])
        self.requests: dict[str, Request] = {}
        self.by_reference: dict[str, Request] = {}
        self.shipments: dict[str, Shipment] = {}
        self._made: dict[str, list[Shipment]] = {}
        self.changed: list[tuple[float, str]] = []
        """(updated_at, shipment id), sorted: what `GET /shipments` walks."""
        self.conflicts: list[str] = []
        """References posted again with other content."""
        self._may_box = may_box
        self._due: list[tuple[float, str]] = []

    def now(self) -> float:
        """To the microsecond, as its times are written: a time read back finds what it was written for."""
        return round(self._clock(), 6)

    # -- requests

    def submit(self, given: Request) -> tuple[Request, bool]:
        """(the request as it is now, is it new?). The same reference and content changes nothing."""
        known = self.by_reference.get(given.reference)
        if known is not None:
            if known.content() != given.content():
                self.conflicts.append(given.reference)
                self.note("request_conflict", given, lines=[[li.line_ref, li.sku, li.quantity] for li in given.lines])
                raise Conflict(f"{given.reference} is known with other lines, address or shipping method")
            known.posts += 1
            self.note("request_repeated", known)
            self.keep(known)
            return known, False
        self._accept(given)
        lines = [[li.line_ref, li.sku, li.quantity, li.canceled] for li in given.lines]
        self.note("request_created", given, lines=lines, order=given.order_number)
        self.keep(given)
        return given, True

    def refuses(self, reference: str) -> bool:
        return self.rolls(reference, "refuse", self.settings.refuse_rate)

    def cancel(self, request: Request) -> tuple[str, str]:
        """The hub asks for it back: (result, message)."""
        if request.state == "canceled":
            return "accepted", ""
        if request.state == "shipped" or self.shipped(request):
            return "refused", "It has shipped already."
        if self.settings.cancel_answer != "auto":
            return self.settings.cancel_answer, "Decided by a person."
        self.withdraw(request, [(number, li.quantity) for number, li in enumerate(request.lines)], "request_recalled")
        return "accepted", ""

    def withdraw(self, request: Request, pieces: list[tuple[int, int]], event: str = "request_canceled") -> None:
        """These pieces (index of the line, quantity) will not be shipped: by the source itself, or asked by the hub."""
        for number, quantity in pieces:
            line = request.lines[number]
            left = line.quantity - line.canceled - self.shipped(request).get(line.line_ref, 0)
            line.canceled += min(quantity, max(left, 0))
        open_lines = [
            RequestLine(li.line_ref, li.sku, li.quantity, li.canceled + self.shipped(request).get(li.line_ref, 0))
            for li in request.lines
        ]
        request.parts = shipping.plan(request.reference, open_lines, self.now(), self.settings.ship_after, False)
        if not request.parts:
            request.state = "shipped" if self.shipped(request) else "canceled"
        request.updated_at = self.now()
        self.note(event, request, lines=[[li.line_ref, li.canceled] for li in request.lines])
        self.keep(request)

    def _accept(self, request: Request) -> None:
        """As a new request: acknowledged or not, perhaps only a part of it, and its shipments planned."""
        if self.rolls(request.reference, "partial", self.settings.partial_rate):
            line = max(request.lines, key=lambda li: li.quantity)
            line.canceled = max(line.quantity // 2, 1)
        request.state = "acknowledged" if self.settings.acknowledges else "received"
        may_box = self._may_box(request.order_number)
        request.parts = shipping.plan(request.reference, request.lines, self.now(), self.settings.ship_after, may_box)
        if not request.parts:
            request.state = "canceled"

    # -- shipping

    def made_for(self, request: Request) -> list[Shipment]:
        return self._made.get(request.id, [])

    def shipped(self, request: Request) -> dict[str, int]:
        """Pieces by line_ref in shipments that stand."""
        total: dict[str, int] = {}
        for shipment in self.made_for(request):
            if shipment.status == "shipped":
                for line in shipment.lines:
                    total[line.line_ref] = total.get(line.line_ref, 0) + line.quantity
        return total

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due and self.settings.ships else None

    def ship_due(self, now: float) -> int:
        """Ship what is due; how many shipments that made."""
        made = 0
        while self._due and self._due[0][0] <= now and self.settings.ships:
            request = self.requests[heapq.heappop(self._due)[1]]
            while request.parts and request.parts[0].due <= now:
                made += sending.send(self, request, request.parts.pop(0)) is not None
        return made

    def change(self, shipment: Shipment, event: str) -> None:
        """Keep a shipment after a change; its `updated_at` moves."""
        key = (shipment.updated_at, shipment.id)
        place = bisect_left(self.changed, key)
        if place < len(self.changed) and self.changed[place] == key:
            del self.changed[place]
        shipment.updated_at = self.now()
        insort(self.changed, (shipment.updated_at, shipment.id))
        self.journal.save("shipment", shipment.id, shipment)
        facts: dict[str, Any] = {"carrier": shipment.carrier, "numbers": shipment.tracking_numbers}
        lines = [[li.line_ref, li.sku, li.quantity] for li in shipment.lines]
        facts |= {"reference": shipment.reference, "order": shipment.order_number, "lines": lines}
        self.journal.note(event, source=self.name, shipment=shipment.id, **facts)

    # -- people, and what is judged

    def ship_now(self, reference: str | None) -> list[str]:
        return people.ship_now(self, reference)

    def give_up(self, request_id: str, given: Given) -> None:
        people.give_up(self, self.requests[request_id], given)

    def act_on_shipment(self, shipment_id: str, action: str, given: Given) -> None:
        people.act_on_shipment(self, self.shipments[shipment_id], action, given)

    def asked(self) -> Iterator[Asked]:
        for one in self.requests.values():
            lines = tuple((line.sku, line.quantity - line.canceled) for line in one.lines)
            yield Asked(self.name, one.reference, one.order_number, lines, one.state != "canceled", one.posts)

    def sent(self) -> Iterator[Sent]:
        for one in self.shipments.values():
            lines = tuple((line.line_ref, line.sku, line.quantity) for line in one.lines)
            stands, numbers, url = one.status == "shipped", tuple(one.tracking_numbers), one.tracking_url or ""
            names = one.id, self.name, one.reference, one.order_number
            yield Sent(*names, stands, lines, one.carrier, numbers, url)

    def told_requests(self) -> Sequence[object]:
        return list(self.requests.values())

    def told_shipments(self) -> Sequence[object]:
        return list(self.shipments.values())

    def count(self) -> tuple[int, int]:
        return len(self.requests), len(self.shipments)

    def connection(self, origin: str) -> dict[str, Any]:
        credentials = {"token": self.settings.tokens[0]}
        return {"platform": "http", "url": f"{origin}/sources/{self.name}", "credentials": credentials}

    # -- keeping

    def note(self, event: str, request: Request, **facts: object) -> None:
        self.journal.note(event, source=self.name, request=request.id, reference=request.reference, **facts)

    def told_settings(self) -> Given:
        return asdict(self.settings)

    def configure(self, given: Given) -> None:
        self.settings = turned(self.settings, given)
        self.journal.save("source", self.name, self.settings)

    def restore(self, kind: str, document: Any) -> None:
        if kind == "source":
            self.settings = _SETTINGS.validate_python(document)
        elif kind == "conflict":
            self.conflicts.append(document)
        elif kind == "request":
            self._remember(_REQUEST.validate_python(document))
        else:
            shipment = _SHIPMENT.validate_python(document)
            self.known(shipment)
            insort(self.changed, (shipment.updated_at, shipment.id))

    def ids(self) -> Iterable[int]:
        return (int(request.id[4:]) for request in self.requests.values())

    def known(self, shipment: Shipment) -> None:
        self.shipments[shipment.id] = shipment
        self._made.setdefault(shipment.request_id, []).append(shipment)

    def keep(self, request: Request) -> None:
        self.journal.save("request", request.id, request)
        self._remember(request)

    def _remember(self, request: Request) -> None:
        self.requests[request.id] = self.by_reference[request.reference] = request
        if request.parts:
            heapq.heappush(self._due, (request.parts[0].due, request.id))

    def rolls(self, reference: str, what: str, rate: float) -> bool:
        return rate > 0 and shipping.dice(self.name, reference, what) % 10_000 < rate * 10_000
