"""Until when everything that the broker had is in the database: what a read model may call its `as_of`.

Promises: the moment never lies behind what was handled, and never ahead of it: a partition that was read to its end is
as fresh as the broker's last answer about it, one with a backlog as its last handled record, and the whole as its
stalest partition. A broker that does not answer, a database that is away and a consumer that stands still all let the
moment stand still.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

Partition = tuple[str, int]


class Standing(NamedTuple):
    """One partition of ours after a batch: `end` and `asked_at` are the broker's last word, None before it had any."""

    partition: Partition
    position: int | None
    end: int | None
    asked_at: datetime | None


class Freshness:
    """Of one replica's partitions; told by its consumer."""

    def __init__(self) -> None:
        self._at: dict[Partition, datetime | None] = {}

    def handled(self, partition: Partition, sent_at: datetime) -> None:
        """Everything up to a record that was sent then is in the database."""
        known = self._at.get(partition)
        self._at[partition] = sent_at if known is None else max(known, sent_at)

    def note(self, standings: Iterable[Standing]) -> None:
        """Nothing is in hand: what has been read is in the database. Partitions that are not named are not ours."""
        found = {}
        for one in standings:
            read_to_its_end = one.position is not None and one.end is not None and one.position >= one.end
            found[one.partition] = one.asked_at if read_to_its_end else self._at.get(one.partition)
        self._at = found

    def until(self) -> datetime | None:
        """None before anything is known of one of our partitions, or where we have none."""
        moments = list(self._at.values())
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None


def moment(milliseconds: int) -> datetime:
    """A broker's timestamp."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
