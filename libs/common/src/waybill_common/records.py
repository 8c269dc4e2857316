"""Records as aiokafka gives them, in our words and in a useful order (pure)."""

from collections.abc import Sequence
from typing import Any

from waybill_common.consuming import Record


def record_of(raw: Any) -> Record:
    """A record as aiokafka gives it, in our words."""
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in raw.headers}
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers, raw.timestamp)


def in_order(partitions: Sequence[Sequence[Record]]) -> list[Record]:
    """All records by time, as far as each partition's own order allows (pure): causes tend to come before effects."""
    keyed: list[tuple[int, int, int, Record]] = []
    for number, records in enumerate(partitions):
        newest = -1
        for place, record in enumerate(records):
            newest = max(newest, record.timestamp)
            keyed.append((newest, number, place, record))
    keyed.sort(key=lambda key: key[:3])
    return [record for *_, record in keyed]
