"""One sighting of an order: what the channel (or upstream) said, when, and a digest to tell it from others (pure).

Sightings of one order are totally ordered by `age`: platform time, then when we read it, then the digest, so that any
order of arrival ends in the same newest one (IN-16). The digest covers everything but `updated_at`, which the platform
moves without changing anything.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from waybill_platforms.model.orders import ChannelOrder

_ORDERS: TypeAdapter[ChannelOrder] = TypeAdapter(ChannelOrder)
_TIME = {"updated_at"}

Age = tuple[datetime, datetime, bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as it was seen. Build it with `seen`."""

    channel: str
    order: ChannelOrder
    read_at: datetime
    """When the reading began; decides between sightings of the same platform time."""
    via: str
    """How it came: pull, webhook, event, file, api."""
    snapshot: object
    """The order without `updated_at`, as JSON: kept so that it can be judged again when the rules change."""
    digest: bytes
    traceparent: str | None = None
    """The trace that upstream began, if it did."""

    @property
    def key(self) -> tuple[str, str]:
        """(channel, channel order id): unique in the database (IN-6)."""
        return self.channel, self.order.id

    @property
    def age(self) -> Age:
        return self.order.updated_at, self.read_at, self.digest


def seen(channel: str, order: ChannelOrder, *, read_at: datetime, via: str, traceparent: str | None = None) -> Seen:
    """Takes note of an order. Text that PostgreSQL or JSON cannot hold (NUL, half surrogates) is replaced."""
    try:
        snapshot = _ORDERS.dump_json(order, exclude=_TIME)
        storable = b"\\u0000" not in snapshot
    except PydanticSerializationError:  # half surrogates have no UTF-8
        storable = False
    if not storable:
        order = _ORDERS.validate_python(_clean(_ORDERS.dump_python(order)))
        snapshot = _ORDERS.dump_json(order, exclude=_TIME)
    digest = hashlib.blake2b(snapshot, digest_size=16).digest()
    return Seen(channel, order, read_at, via, orjson.Fragment(snapshot), digest, traceparent)


def restored(snapshot: Mapping[str, Any], updated_at: datetime) -> ChannelOrder:
    """The order in a stored snapshot."""
    return _ORDERS.validate_python({**snapshot, "updated_at": updated_at})


def newest(sightings: Iterable[Seen]) -> list[Seen]:
    """The newest sighting of each order, sorted by key (one lock order for everybody)."""
    found: dict[tuple[str, str], Seen] = {}
    for sighting in sightings:
        known = found.get(sighting.key)
        if known is None or sighting.age > known.age:
            found[sighting.key] = sighting
    return [found[key] for key in sorted(found)]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
