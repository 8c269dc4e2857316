"""Records that nobody can read, on every topic that a service consumes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer

from waybill_contracts.registry import TYPES_BY_TOPIC
from waybill_contracts.topics import TOPICS

WRONG = (b"\x00\xff no json", b"{}", b"[1, 2]", b'{"at": "yesterday"}', b"null")


async def _plant(bootstrap: str) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    planted = 0
    try:
        for topic in TOPICS:
            kind = TYPES_BY_TOPIC[topic][0]
            for value in WRONG:
                headers = [("ce_id", f"poison-{planted}".encode()), ("ce_type", kind.encode())]
                await producer.send_and_wait(topic, value, b"poison", headers=headers)
                planted += 1
            await producer.send_and_wait(topic, b"no headers at all", b"poison")
            planted += 1
    finally:
        await producer.stop()
    return planted


@pytest.fixture
def poison() -> Callable[[str], int]:
    """`poison(bootstrap)` plants unreadable records on all topics and returns how many."""
    return lambda bootstrap: asyncio.run(_plant(bootstrap))
