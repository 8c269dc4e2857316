"""Each service is killed once in the middle, while the platforms misbehave: nothing is lost, nothing is double."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
SERVICES = ("order-ingest", "router", "fulfillment-push", "shipment-poller", "console")


def test_each_service_is_killed_once_in_the_middle(
    make_hub: Callable[..., Any], apache_kafka: str, invariants: Callable[[Any], None]
) -> None:
    hub = make_hub(orders=150, kafka=apache_kafka)
    hub.start()
    hub.wait_until(lambda stats: stats["orders"]["total"] >= 20, 120)

    for service in SERVICES:
        hub.world.kill_service(service)
        hub.world.start_service(service)
        before = hub.stats()["orders"]["by_stage"].get("settled", 0)
        hub.wait_until(lambda stats, n=before: stats["orders"]["by_stage"].get("settled", 0) >= n, 60)

    hub.settle(300)
    invariants(hub)


def test_platforms_that_refuse_fail_and_lose_their_answers(
    make_hub: Callable[..., Any],
    apache_kafka: str,
    faults: list[dict[str, Any]],
    invariants: Callable[[Any], None],
) -> None:
    hub = make_hub(orders=150, kafka=apache_kafka, replicas=2)
    hub.start()
    hub.sandbox_post("faults", faults)

    hub.settle(600)

    invariants(hub)
    bitten = hub.world.sandbox("faults").json()
    assert all(rule["exercised"] for rule in bitten), f"not exercised: {bitten}"


def test_kills_while_platforms_misbehave(
    make_hub: Callable[..., Any],
    apache_kafka: str,
    faults: list[dict[str, Any]],
    invariants: Callable[[Any], None],
) -> None:
    hub = make_hub(orders=150, kafka=apache_kafka, replicas=2)
    hub.start()
    hub.sandbox_post("faults", faults)
    hub.wait_until(lambda stats: stats["orders"]["total"] >= 20, 120)

    for service in SERVICES:
        hub.world.kill_service(service)
        hub.world.start_service(service)

    hub.settle(600)
    invariants(hub)
