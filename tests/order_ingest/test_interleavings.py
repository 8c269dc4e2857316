"""IN-6, IN-16: any order, batching and duplication of versions, also with crashes, ends in the same state."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_samples import channel, configured, line, order, sighting

from order_ingest.seen import Seen
from waybill_contracts.values import PaymentState

IDS = ("o1", "o2", "o3")


@dataclass(frozen=True)
class Version:
    """One version of one order: its minute decides, not when it arrives."""

    order_id: str
    minute: int
    quantity: int
    sku: str
    payment: PaymentState

    def open(self, via: str) -> int | None:
        return None if via == "event" else self.quantity

    def seen(self, via: str) -> Seen:
        of = order(
            self.order_id, minute=self.minute, payment=self.payment,
            fulfillment="unfulfilled",
            lines=(line(quantity=self.quantity, sku=self.sku, fulfillable=self.open(via)),),
        )  # fmt: skip
        return sighting(of, via=via)


versions = st.builds(
    Version,
    order_id=st.sampled_from(IDS),
    minute=st.integers(0, 6),
    quantity=st.integers(1, 3),
    sku=st.sampled_from(["S1", "PACK-6", "UNKNOWN"]),
    payment=st.sampled_from([PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED]),
)
FILTER = {"import": {"payment": ["paid", "partially_refunded"]}}


class Crash(Exception):
    """The process dies before its commit."""


def _expected(arrivals: Sequence[Seen]) -> dict[str, tuple[int, str]]:
    newest: dict[str, Seen] = {}
    for one in arrivals:
        known = newest.get(one.order.id)
        if known is None or one.age > known.age:
            newest[one.order.id] = one
    return {order_id: (one.order.lines[0].quantity, one.order.lines[0].sku) for order_id, one in newest.items()}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(versions, max_size=5), max_size=6), seed=st.integers(0, 2**16))
async def test_in16_any_interleaving_ends_in_the_newest_version(
    batches: list[list[Version]], seed: int, house: Any
) -> None:
    await house.pool.execute("truncate orders, order_moves, facts, outbox, receipts_due, channels, config_entities")
    await house.configure(configured(channel(**FILTER)))
    await _interleave(house, batches, random.Random(seed))


async def _interleave(house: Any, batches: list[list[Version]], chance: random.Random) -> None:
    arrivals = [[v.seen(chance.choice(["pull", "event", "webhook"])) for v in batch] for batch in batches]
    flat = [one for batch in arrivals for one in batch]
    again = [chance.sample(flat, k=len(flat) // 2)] if flat else []
    work = [*arrivals, *again]
    chance.shuffle(work)
    for first, second in zip(work[::2], [*work[1::2], []], strict=False):
        if chance.random() < 0.3:
            with pytest.raises(Crash):
                await _crash(house, first)
        await asyncio.gather(house.see(*first), house.see(*second))

    rows = {row["channel_order_id"]: row for row in await house.rows()}
    assert {i: (r["body"]["lines"][0]["quantity"], r["body"]["lines"][0]["channel_sku"]) for i, r in rows.items()} == (
        _expected(flat)
    )
    for row in rows.values():
        assert row["standing"] == ("held" if row["body"]["lines"][0]["channel_sku"] == "UNKNOWN" else "imported")
        assert (row["body"]["version"], row["body"]["sequence"]) == (row["version"], row["sequence"])
    await _told_in_sequence(house, rows)


async def _crash(house: Any, batch: list[Seen]) -> None:
    from order_ingest.import_orders import Batch, import_orders
    from waybill_common.db import transaction

    async with transaction(house.pool) as conn:
        rules = await house.rulebook.of(conn, batch)
        await import_orders(conn, Batch(batch, rules, house.telemetry, order().updated_at))
        raise Crash


async def _told_in_sequence(house: Any, rows: dict[str, asyncpg.Record]) -> None:
    """Every order's facts are numbered without a gap, versions only grow, and the last one is the row."""
    by_order: dict[str, list[Any]] = {}
    for event in await house.told():
        by_order.setdefault(event.order.channel_order_id, []).append(event)
    assert by_order.keys() == rows.keys()
    for order_id, events in by_order.items():
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert sorted(e.order.version for e in events) == [e.order.version for e in events]
        last = events[-1].order
        assert last.sequence == rows[order_id]["sequence"]
        assert last.lines[0].quantity == rows[order_id]["body"]["lines"][0]["quantity"]
