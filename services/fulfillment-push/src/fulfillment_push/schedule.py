"""When a source's next send run is (FP-2). Pure.

Runs lie on a grid of `send_every`, shifted per source so that not all sources run at once; every replica computes the
same moment, so a run needs no row of its own: an FR that enters the queue becomes due at its source's next run.
"""

import zlib
from datetime import UTC, datetime, timedelta


def next_run(source: str, now: datetime, every: timedelta) -> datetime:
    """The first run of `source` at or after `now`; `every` of 0 s sends as rows come due."""
    seconds = every.total_seconds()
    if seconds <= 0:
        return now
    shift = zlib.crc32(source.encode()) % max(int(seconds), 1)
    turns = -((shift - now.timestamp()) // seconds)
    return datetime.fromtimestamp(shift + turns * seconds, UTC)
