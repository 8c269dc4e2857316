"""A shop of any platform as a source: what programs order there ships after a while, as at the other suppliers.

The shop keeps orders and fulfillments, this keeps only what is still to be shipped. Cannot promise more than the shop
can say: where it does not keep our line refs, the report judges its shipments by SKU.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from pydantic import TypeAdapter

from sandbox.journal import Journal
from sandbox.shops import Given, NotPossible
from sandbox.sources import shipping
from sandbox.sources.model import Part, RequestLine
from sandbox.supply import Asked, Parcel, Sent, SourceShop


@dataclass(slots=True)
class Settings:
    """What can be turned at run time by the control API."""

    ship_after: float = 2.0
    ships: bool = True
    cancel_rate: float = 0.0
    """Share of shipments that are given up instead."""


@dataclass(slots=True)
class Work:
    """One order that the warehouse took on, and the shipments to come."""

    order_id: str
    reference: str
    lines: list[tuple[str, str, int]]
    """(line id, SKU, pieces to ship when it arrived)."""
    refs: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    made: int = 0
    """Shipments so far."""
    done: dict[str, int] = field(default_factory=dict)
    """Pieces by line id that were shipped or given up."""


_SETTINGS = TypeAdapter(Settings)
_WORK = TypeAdapter(Work)


class Warehouse:
    """Ships what arrives at `shop`. `may_box(reference)` says whether two numbers in one shipment are safe there."""

    conflicts: Sequence[str] = ()

    def __init__(
        self,
        shop: SourceShop,
        journal: Journal,
        may_box: Callable[[str], bool] = lambda reference: False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.shop = shop
        self.name = shop.name
        self.couriers: Mapping[str, str] = {theirs: ours for ours, theirs in shop.couriers.items()}
        self.settings = Settings()
        self._journal = journal
        self._may_box = may_box
        self._now = now
        self._work: dict[str, Work] = {}
        self._due: list[tuple[float, str]] = []

    # -- shipping

    def next_due(self) -> float | None:
        self._take_on()
        return self._due[0][0] if self._due and self.settings.ships else None

    def ship_due(self, now: float) -> int:
        self._take_on()
        made = 0
        while self._due and self._due[0][0] <= now and self.settings.ships:
            work = self._work[heapq.heappop(self._due)[1]]
            while work.parts and work.parts[0].due <= now:
                made += self._ship(work) is not None
            self._keep(work)
        return made

    def ship_now(self, reference: str | None) -> list[str]:
        self._take_on()
        made = []
        for work in list(self._work.values()):
            while work.parts and reference in {None, work.reference}:
                shipment = self._ship(work)
                made += [shipment] if shipment else []
            self._keep(work)
        return made

    def _take_on(self) -> None:
        for arrival in self.shop.arrivals():
            if arrival.order_id not in self._work:
                work = Work(arrival.order_id, arrival.reference, list(arrival.lines), dict(arrival.refs))
                self._plan(work)
                self._keep(work)

    def _plan(self, work: Work) -> None:
        lines = [RequestLine(line_id, sku, n, work.done.get(line_id, 0)) for line_id, sku, n in work.lines]
        may_box = self._may_box(work.reference)
        work.parts = shipping.plan(work.reference, lines, self._now(), self.settings.ship_after, may_box)

    def _ship(self, work: Work) -> str | None:
        part = work.parts.pop(0)
        pieces = {work.lines[number][0]: quantity for number, quantity in part.pieces}
        _add(work.done, pieces)
        if shipping.dice(self.name, work.reference, "cancel") % 10_000 < self.settings.cancel_rate * 10_000:
            self.shop.give_up(work.order_id, pieces)
            return None
        work.made += 1
        return self.shop.ship(work.order_id, pieces, self._parcel(work, part.boxes))

    def _parcel(self, work: Work, boxes: int) -> Parcel:
        name = f"{work.reference}/{work.made}"
        spelled = sorted(self.couriers)
        numbers, url = shipping.tracking(self.name, name, boxes)
        return Parcel(spelled[shipping.dice(name, "carrier") % len(spelled)], tuple(numbers), url)

    # -- people, and what is judged

    def give_up(self, request_id: str, given: Given) -> None:
        """`line_ref` is the hub's where the shop keeps it, else the shop's line id or the SKU; `request_id` may end
        with the shop's own order id, as global ids do."""
        self._take_on()
        work = self._work[request_id.rpartition("/")[2]]
        ids = {name: line_id for line_id, sku, _ in work.lines for name in (line_id, sku)} | work.refs
        wanted = {ids[one["line_ref"]]: int(one["quantity"]) for one in given.get("lines", ())}
        pieces = wanted or {line_id: n - work.done.get(line_id, 0) for line_id, _, n in work.lines}
        self.shop.give_up(work.order_id, pieces)
        _add(work.done, pieces)
        self._plan(work)
        self._keep(work)

    def act_on_shipment(self, shipment_id: str, action: str, given: Given) -> None:
        if action not in {"cancel", "correct", "replace"}:
            raise NotPossible(f"{action!r} is unknown; there are cancel, correct, replace")
        shipment_id = shipment_id.rpartition("/")[2]
        before = next((one for one in self.sent() if one.id == shipment_id), None)
        if before is None:
            raise KeyError(f"shipment {shipment_id}")
        numbers, url = shipping.tracking(self.name, f"{shipment_id}/again", len(before.numbers) or 1)
        parcel = {
            "cancel": None,
            "replace": Parcel(before.carrier, tuple(numbers), url),
            "correct": Parcel(
                given.get("carrier", before.carrier),
                tuple(given.get("tracking_numbers", before.numbers)),
                given.get("tracking_url", before.url),
            ),
        }[action]
        self.shop.act_on_shipment(shipment_id, action, parcel)

    def asked(self) -> Iterator[Asked]:
        return self.shop.asked()

    def sent(self) -> Iterator[Sent]:
        return self.shop.sent()

    def told_requests(self) -> Sequence[object]:
        return list(self.asked())

    def told_shipments(self) -> Sequence[object]:
        return list(self.sent())

    def count(self) -> tuple[int, int]:
        return self.shop.count()

    def connection(self, origin: str) -> dict[str, Any]:
        return self.shop.connection(origin)

    # -- keeping

    def told_settings(self) -> Given:
        return {**self.shop.told_settings(), **asdict(self.settings)}

    def configure(self, given: Given) -> None:
        """Our own settings, and the shop's."""
        own = {one.name for one in fields(Settings)}
        self.settings = replace(self.settings, **{name: value for name, value in given.items() if name in own})
        self._journal.save("warehouse", self.name, self.settings)
        if others := {name: value for name, value in given.items() if name not in own}:
            self.shop.configure(others)

    def restore(self, kind: str, document: Any) -> None:
        if kind == "warehouse":
            self.settings = _SETTINGS.validate_python(document)
        else:
            self._remember(_WORK.validate_python(document))

    def ids(self) -> Iterable[int]:
        return self.shop.ids()

    def _keep(self, work: Work) -> None:
        self._journal.save("work", f"{self.name}/{work.order_id}", work)
        self._remember(work)

    def _remember(self, work: Work) -> None:
        self._work[work.order_id] = work
        if work.parts:
            heapq.heappush(self._due, (work.parts[0].due, work.order_id))


def _add(total: dict[str, int], pieces: Mapping[str, int]) -> None:
    for line_id, quantity in pieces.items():
        total[line_id] = total.get(line_id, 0) + quantity
