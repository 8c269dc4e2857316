"""Stock and allocations as numbers that always add up (RT-6). Pure: rows in, rows out.

on_hand = free + reserved at every moment. What live FRs ask for beyond what is on hand (a count came below it) is
`uncovered`, never reserved. An allocation's units are open, shipped or released, and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

Key = tuple[str, str]
"""(source, SKU)."""


@dataclass(slots=True)
class Shelf:
    """One SKU at one source."""

    source: str
    sku: str
    on_hand: int = 0
    reserved: int = 0
    uncovered: int = 0
    unit_cost: Decimal | None = None
    weight_g: int | None = None
    counted_at: datetime | None = None

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved

    @property
    def asked(self) -> int:
        """By all live FRs together."""
        return self.reserved + self.uncovered

    def set(self, on_hand: int, asked: int) -> None:
        """What is on hand covers what is asked as far as it goes."""
        self.on_hand = max(on_hand, 0)
        self.reserved = min(asked, self.on_hand)
        self.uncovered = asked - self.reserved

    def knows(self, moment: datetime) -> bool:
        """Whether the newest count was taken after `moment`: it contains what happened then."""
        return self.counted_at is not None and self.counted_at >= moment


@dataclass(slots=True)
class Move:
    """What happened to one shelf: `asked` by FRs changed; units left or came at a moment; units were written off."""

    asked: int = 0
    physical: list[tuple[datetime, int]] = field(default_factory=list)
    written_off: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """An absolute count with what moved after it was taken."""

    on_hand: int
    counted_at: datetime
    unit_cost: Decimal | None
    weight_g: int | None
    moved_since: int = 0


def count(shelf: Shelf, counted: Count) -> bool:
    """Takes the count unless a newer one was taken in; what left or came since it is not in it."""
    if shelf.counted_at is not None and shelf.counted_at >= counted.counted_at:
        return False
    shelf.counted_at = counted.counted_at
    shelf.unit_cost = shelf.unit_cost if counted.unit_cost is None else counted.unit_cost
    shelf.weight_g = shelf.weight_g if counted.weight_g is None else counted.weight_g
    shelf.set(counted.on_hand + counted.moved_since, shelf.asked)
    return True


def adjust(shelf: Shelf, delta: int, at: datetime) -> None:
    """A difference, unless the newest count was taken after it."""
    if not shelf.knows(at):
        shelf.set(shelf.on_hand + delta, shelf.asked)


def move(shelf: Shelf, moved: Move) -> None:
    """A shipment takes from on hand unless the newest count was taken after it left; giving back likewise."""
    physical = sum(units for at, units in moved.physical if not shelf.knows(at))
    shelf.set(shelf.on_hand + physical - moved.written_off, shelf.asked + moved.asked)


@dataclass(slots=True)
class Allocation:
    """The units of one SKU of one line that one FR asks its source for."""

    fr_id: str
    line_id: str
    sku: str
    source: str
    tracked: bool
    asked: int
    open: int
    shipped: int = 0
    released: int = 0
    source_canceled: int = 0
    killed: int = 0
    astray: int = 0
    """Of what was shipped: left although the FR was over, and a person decided that it does not count"""

    @property
    def key(self) -> Key:
        return self.source, self.sku

    @property
    def served(self) -> int:
        """What of it the buyer is said to get."""
        return max(self.shipped - self.astray, 0)

    def release(self, units: int) -> int:
        """Gives back up to `units` of what is open; returns how many."""
        given = min(units, self.open)
        self.open -= given
        self.released += given
        return given

    def ship(self, units: int) -> int:
        """Units left: from what is open, else from what was released all the same. Returns those from open."""
        from_open = min(units, self.open)
        from_released = min(units - from_open, self.released)
        self.open -= from_open
        self.released -= from_released
        self.source_canceled = min(self.source_canceled, self.released)
        self.killed = min(self.killed, self.source_canceled)
        self.shipped += from_open + from_released
        return from_open

    def unship(self, units: int, *, live: bool) -> int:
        """The source took a shipment back: open again while the FR is live. Returns how many are open again."""
        back = min(units, self.shipped)
        self.shipped -= back
        if live:
            self.open += back
            return back
        self.released += back
        return 0


@dataclass(slots=True)
class Moves:
    """What one batch of events does to shelves and allocations; applied together, under the shelves' locks."""

    shelves: dict[Key, Move] = field(default_factory=dict)
    allocations: dict[tuple[str, str, str], Allocation] = field(default_factory=dict)

    def at(self, key: Key) -> Move:
        return self.shelves.setdefault(key, Move())

    def touch(self, allocation: Allocation) -> None:
        self.allocations[(allocation.fr_id, allocation.line_id, allocation.sku)] = allocation

    def release(
        self, allocation: Allocation, units: int, *, source_canceled: bool = False, killed: bool = False
    ) -> int:
        """Once: what is not open any more is not given back again. What the source canceled leaves its free stock."""
        given = allocation.release(units)
        if not given:
            return 0
        self.touch(allocation)
        if source_canceled:
            allocation.source_canceled += given
            allocation.killed += given if killed else 0
        if allocation.tracked:
            self.at(allocation.key).asked -= given
            if source_canceled:
                self.at(allocation.key).written_off += given
        return given

    def ship(self, allocation: Allocation, units: int, shipped_at: datetime, *, live: bool) -> None:
        """Positive: units left; negative: they are back, open again while the FR is live."""
        taken = allocation.ship(units) if units > 0 else -allocation.unship(-units, live=live)
        self.touch(allocation)
        if allocation.tracked:
            self.at(allocation.key).asked -= taken
            self.at(allocation.key).physical.append((shipped_at, -units))


def freed(before: Mapping[Key, tuple[int, Decimal | None, int | None]], shelves: Iterable[Shelf]) -> list[str]:
    """SKUs of which more is free somewhere than before, or whose cost or weight has become known."""
    return sorted(
        {
            shelf.sku
            for shelf in shelves
            if shelf.free > before[(shelf.source, shelf.sku)][0]
            or (shelf.unit_cost, shelf.weight_g) != before[(shelf.source, shelf.sku)][1:]
        }
    )
