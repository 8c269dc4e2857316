"""The same flow on Apache Kafka in KRaft mode, with two replicas of each service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]


def test_two_replicas_of_each_service_share_the_work_and_double_nothing(
    make_hub: Callable[..., Any], apache_kafka: str
) -> None:
    hub = make_hub(orders=120, kafka=apache_kafka, replicas=2)
    hub.start()

    hub.settle(300)

    hub.quiet()
    books = hub.books()
    assert books["ok"], books["problems"]
    assert hub.dead_letters() == 0


def test_unreadable_records_become_dead_letters_and_their_neighbours_go_on(
    make_hub: Callable[..., Any], apache_kafka: str, poison: Callable[[str], int]
) -> None:
    hub = make_hub(orders=30, kafka=apache_kafka)
    hub.start()

    planted = poison(apache_kafka)
    hub.settle(240)

    books = hub.books()
    assert books["ok"], books["problems"]
    letters = hub.get("/dead-letters", limit=500)
    assert letters["unanswered"] == []
    assert {letter["topic"] for letter in letters["items"]} >= {"orders.inbound", "fr.created", "config.changed"}
    assert all(letter["reason"] for letter in letters["items"])
    assert planted > 0
