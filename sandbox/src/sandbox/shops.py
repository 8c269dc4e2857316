"""What every emulated shop is to the rest of the sandbox, whatever its platform: people act on it, a report judges it.

A platform's folder implements `EmulatedShop` (and `supply.SourceShop` when shops of it also ship for others) and
describes itself in a `Platform`; `platforms.py` lists them. The neutral words below are all that `report`, `control`,
`world` and the conformance suite know of a shop. Ids are texts, times seconds since the epoch.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from aiohttp import web

from sandbox.journal import Journal
from sandbox.seeding.drafts import Draft
from sandbox.seeding.goods import Good

if TYPE_CHECKING:
    from sandbox.serving import Server

Given = Mapping[str, Any]
Role = Literal["channel", "source"]
EDITABLE = frozenset({"lines", "address", "shipping_method", "note", "tags", "email", "expectation", "announce"})
"""What `EmulatedShop.edit` takes."""


class NotPossible(ValueError):
    """What was asked for makes no sense here; the message says why."""


# -- what is judged


@dataclass(frozen=True, slots=True)
class JudgedLine:
    id: str
    """What the product's line id ends with (after the last `/`, if it has any)."""
    sku: str
    ordered: int
    """Pieces at first, refunded ones included."""
    owed: int
    """Pieces that must be fulfilled in the end, those that were before the run included; 0 for what never ships.
    Services are known by their SKU, the report sees to them."""
    before: int = 0
    """Pieces that stood in fulfillments before the run began."""


@dataclass(frozen=True, slots=True)
class JudgedFulfillment:
    """One fulfillment as the shop recorded it: as it was sent, not as the shop shows it."""

    id: str
    lines: Mapping[str, int]
    """Line id -> pieces."""
    carrier: str
    numbers: tuple[str, ...]
    urls: tuple[str, ...]
    standing: bool
    ours: bool
    """Made through the API in this run; False for those that were seeded or made by the merchant."""


@dataclass(frozen=True, slots=True)
class JudgedOrder:
    shop: str
    name: str
    """The number as buyers see it and as the product shows it; unique over all shops but for a leading `#`."""
    id: str
    kind: str
    """Of the seeding: plain, scarce, two_locations, …; empty for those made since."""
    expectation: str
    """What a right run makes of it: shipped, held:<reason>, excluded:<reason>, canceled, or any (not judged)."""
    lines: tuple[JudgedLine, ...]
    fulfillments: tuple[JudgedFulfillment, ...] = ()

    def fulfilled(self, line_id: str) -> int:
        """Pieces of the line in fulfillments that stand."""
        return sum(made.lines.get(line_id, 0) for made in self.fulfillments if made.standing)


# -- what people do and what is configured


class EmulatedShop(Protocol):
    """One shop of any platform. Every change is kept in the journal and noted there before the method returns.

    `KeyError` when something named is not there, `NotPossible` when it cannot be done.
    """

    name: str
    kinds: Mapping[str, str]
    """Kinds of seeded orders that it can make -> expectation; of other kinds it is given plain orders."""
    couriers: Mapping[str, str]
    """Our courier name -> the name or code that a fulfillment there carries."""

    def next_position(self) -> int:
        """How many orders buyers placed so far: what the next one's number is counted from."""
        ...

    def stock(self, goods: Sequence[Good], on_hand: Mapping[str, int]) -> None:
        """What it sells, told once, when seeded: under `Good.channel_sku` as a channel, as a source under
        `Good.source_sku(name)`. `on_hand` by our SKU is empty for a channel, whose shelves do not matter."""
        ...

    def seed(self, draft: Draft) -> str:
        """One order of the draft's kind, with what happened to it before anybody looked; its name."""
        ...

    def place(self, given: Given) -> str:
        """`{lines: [{sku, quantity, title?, price?, requires_shipping?}], country?, payment?, shipping_method?, note?,
        tags?, email?, expectation?, …}` -> the new order's name. `payment` is paid, pending, authorized or refunded."""
        ...

    def edit(self, number: str, given: Given) -> None:
        """`{lines: [{id, current_quantity}], address: {…}, shipping_method, note, tags, email, expectation, announce}`.

        `announce: false`: the order's time of change does not move and no webhook is posted, so only an audit finds it.
        """
        ...

    def act(self, number: str, action: str, given: Given) -> None:
        """`pay`, `refund`, `hold`, `release`, `cancel`, `suspect` (of fraud), `clear` (of the suspicion); what the
        platform does not have is `NotPossible`."""
        ...

    def shown(self, number: str) -> object:
        """The order as it is kept, for `GET /_sandbox/shops/{shop}/orders/{number}`."""
        ...

    def judged(self) -> Iterator[JudgedOrder]:
        """Every order that the run is judged by (not those that programs made in a shop which plays a source)."""
        ...

    def find(self, number: str) -> JudgedOrder | None:
        """The order of this number, written with or without `#`."""
        ...

    def count(self) -> tuple[int, int]:
        """(orders, fulfillments), cheap."""
        ...

    def may_box(self, number: str) -> bool:
        """May one shipment of this order carry two tracking numbers?"""
        ...

    def told_settings(self) -> Given: ...

    def configure(self, given: Given) -> None:
        """Change these settings, keep them; an unknown name is `NotPossible`."""
        ...

    def restore(self, kind: str, document: Any) -> None:
        """Take back what was saved under a key that begins with `<name of the shop>/`, or is that name."""
        ...

    def ids(self) -> Iterable[int]:
        """Every id that came from `Place.new_id`, so that none is given twice after a restart."""
        ...

    def connection(self, origin: str) -> dict[str, Any]:
        """`{platform, url, credentials}` of the product's configuration, for a channel or a source."""
        ...

    def imports(self) -> dict[str, Any]:
        """The channel's `import:` in the words of this platform, so that every `held` expectation is imported."""
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook call, signed and ready."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    what: str
    """For the ledger: the topic."""
    attempts: int = 3
    answered: "Callable[[bool], None]" = field(default=lambda good: None)
    """Told once, at the end: whether it was taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the world gives a shop: its name, where it keeps things, ids that no two things share, a clock."""

    name: str
    role: Role
    first_number: int
    """Order numbers begin here; each shop has a range of its own, as sources know orders by their numbers."""
    journal: Journal
    new_id: Callable[[], int]
    now: Callable[[], float] = field(default=time.time)
    wake: Callable[[], None] = field(default=lambda: None)
    """To be called when something arrived that a warehouse may ship."""
    post: Callable[[Post], None] = field(default=lambda post: None)
    """Sends a webhook soon, from outside of the call that caused it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A shop of the demonstration."""

    name: str
    role: Role
    first_number: int


@dataclass(frozen=True, slots=True)
class Platform:
    """One emulated platform: how its shops are opened and where they answer."""

    name: str
    """As the product's configuration calls it."""
    demos: tuple[Demo, ...]
    open: Callable[[Place], EmulatedShop]
    routes: "Callable[[Mapping[str, Any], Server], Sequence[web.RouteDef]]"
    """Given the shops of this platform by name."""
