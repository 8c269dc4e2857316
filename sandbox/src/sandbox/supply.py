"""What every emulated source is to the rest of the sandbox, and what a shop needs so that it can be one.

A supplier that speaks the generic HTTP contract is an `EmulatedSource` by itself; a shop that ships for others is a
`SourceShop`, and `warehouse.Warehouse` makes an `EmulatedSource` of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.shops import EmulatedShop, Given


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source was asked to ship."""

    source: str
    reference: str
    order_number: str
    """The channel's; empty where only the reference tells."""
    lines: tuple[tuple[str, int], ...]
    """(the source's SKU, pieces asked for and not given up since)."""
    live: bool
    """False once it is canceled as a whole."""
    posts: int = 1
    """How often it was posted with the same content."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a source says that it shipped."""

    id: str
    source: str
    reference: str
    order_number: str
    standing: bool
    lines: tuple[tuple[str, str, int], ...]
    """(line_ref as it was submitted or empty, the source's SKU, pieces)."""
    carrier: str
    numbers: tuple[str, ...]
    url: str


class EmulatedSource(Protocol):
    """One source, however it is asked. Changes are kept and noted before a method returns; errors as in `shops`."""

    name: str
    couriers: Mapping[str, str]
    """Its word for a carrier -> ours; what is not there is the same word."""

    @property
    def conflicts(self) -> Sequence[str]:
        """References that were posted again with other content."""
        ...

    def next_due(self) -> float | None:
        """When something ships next by itself."""
        ...

    def ship_due(self, now: float) -> int:
        """Ships what is due; how many shipments that made."""
        ...

    def ship_now(self, reference: str | None) -> list[str]:
        """Ships what is planned, of one reference or of all; the ids of the shipments made."""
        ...

    def give_up(self, request_id: str, given: Given) -> None:
        """Will not ship `lines: [{line_ref, quantity}]`, or nothing of it at all."""
        ...

    def act_on_shipment(self, shipment_id: str, action: str, given: Given) -> None:
        """`cancel`; `correct` (carrier, tracking_numbers, tracking_url); `replace`: cancel it and make a new one."""
        ...

    def asked(self) -> Iterator[Asked]: ...

    def sent(self) -> Iterator[Sent]: ...

    def told_requests(self) -> Sequence[object]: ...

    def told_shipments(self) -> Sequence[object]: ...

    def count(self) -> tuple[int, int]:
        """(requests, shipments), cheap."""
        ...

    def told_settings(self) -> Given: ...

    def configure(self, given: Given) -> None: ...

    def restore(self, kind: str, document: Any) -> None: ...

    def ids(self) -> Iterable[int]: ...

    def connection(self, origin: str) -> dict[str, Any]:
        """`{platform, url, credentials}` of the product's configuration."""
        ...


class SourceShop(EmulatedShop, Protocol):
    """A shop that also ships for others: orders made there by a program are requests, and a `Warehouse` ships them."""

    def arrivals(self) -> Iterator["Arrival"]:
        """Orders that programs made and that may ship now: paid, not canceled, not held; oldest first. Cheap: only
        what arrived or changed since the last call need be there."""
        ...

    def ship(self, order_id: str, pieces: Mapping[str, int], parcel: "Parcel") -> str | None:
        """Makes a fulfillment of these pieces by line id, as the merchant does in the admin; its id. None when they
        cannot be shipped any more (canceled meanwhile)."""
        ...

    def give_up(self, order_id: str, pieces: Mapping[str, int]) -> None:
        """The merchant will not ship these pieces by line id (the rest of them: all)."""
        ...

    def act_on_shipment(self, shipment_id: str, action: str, parcel: "Parcel | None") -> None:
        """`cancel`; `correct` carrier, numbers and URL; `replace`: cancel, and the same pieces anew."""
        ...

    def asked(self) -> Iterator[Asked]: ...

    def sent(self) -> Iterator[Sent]: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    order_id: str
    reference: str
    lines: tuple[tuple[str, str, int], ...]
    """(line id, SKU, pieces to ship)."""
    refs: Mapping[str, str] = field(default_factory=dict)
    """The hub's line ref -> line id, where the shop keeps such refs."""


@dataclass(frozen=True, slots=True)
class Parcel:
    carrier: str
    numbers: tuple[str, ...]
    url: str
