"""What a service says about the events it takes in: the words of `consumer.py` and `batches.py`.

The promise of consuming as a whole: every record of every subscribed topic is either handled in a committed
transaction, or stored as a dead letter with its original bytes, reason and position, in that same transaction; only
then is its offset committed. A record may be handed to `handle` more than once (a crash between the two commits), so
`handle` applies an event only when its sequence is newer than what is stored.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from waybill_common.db import Connection

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it came. `timestamp` is milliseconds since 1970, the broker's or the producer's."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]
    timestamp: int


class Unreadable(ValueError):
    """A record's bytes are no event that we know. Its text is the dead letter's reason: name the field and the fix."""


@dataclass(frozen=True)
class Subscription(Generic[E]):
    """What a service reads, and what it does with it.

    `decode` turns one record into an event, None when it is not for us, or raises Unreadable. `handle` takes the events
    of a batch, in order within each partition, inside one transaction. `upstream` are topics that others write: their
    dead letters never stop consuming. `on_commit` are called after each committed batch that had events.
    """

    group: str
    topics: Sequence[str]
    decode: Callable[[Record], E | None]
    handle: Callable[[Connection, Sequence[E]], Awaitable[None]]
    upstream: frozenset[str] = frozenset()
    on_commit: Sequence[Callable[[], None]] = field(default=())
