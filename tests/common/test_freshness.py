"""Until when the read model is true: never later than what was handled, and no earlier than what is known (pure)."""

from datetime import UTC, datetime, timedelta

from waybill_common.freshness import Freshness, Standing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B = ("orders.imported", 0), ("fr.created", 0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_nothing_is_claimed_before_every_partition_is_known() -> None:
    fresh = Freshness()
    assert fresh.until() is None
    fresh.note([Standing(A, 5, 5, at(1)), Standing(B, None, None, None)])
    assert fresh.until() is None


def test_a_quiet_partition_is_as_fresh_as_the_brokers_last_answer() -> None:
    fresh = Freshness()
    fresh.note([Standing(A, 5, 5, at(1)), Standing(B, 0, 0, at(2))])
    assert fresh.until() == at(1)
    fresh.note([Standing(A, 5, 5, at(9)), Standing(B, 0, 0, at(8))])
    assert fresh.until() == at(8)


def test_a_backlog_is_as_fresh_as_its_last_handled_record_whatever_the_broker_says() -> None:
    fresh = Freshness()
    fresh.note([Standing(A, 5, 5, at(1)), Standing(B, 3, 3, at(1))])
    fresh.handled(B, at(-60))  # sent a minute ago: what was known stays
    fresh.note([Standing(A, 5, 5, at(9)), Standing(B, 4, 900, at(9))])
    assert fresh.until() == at(1)
    fresh.handled(B, at(3))
    assert fresh.until() == at(3)


def test_a_broker_that_is_silent_lets_the_moment_stand_still() -> None:
    fresh = Freshness()
    for _ in range(3):
        fresh.note([Standing(A, 5, 5, at(1))])
    assert fresh.until() == at(1)


def test_partitions_that_went_to_another_replica_count_no_more() -> None:
    fresh = Freshness()
    fresh.note([Standing(A, 5, 5, at(1)), Standing(B, 1, 5, None)])
    assert fresh.until() is None
    fresh.note([Standing(A, 5, 5, at(2))])
    assert fresh.until() == at(2)
    fresh.note([])
    assert fresh.until() is None
