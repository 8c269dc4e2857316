"""G14: what all services take while no order comes, on Apache Kafka, at the default pace of polling."""

import time

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.hub import running_hub
from benchmarks.measure import Size
from waybill_contracts.topics import TOPICS

_REST = 10.0
"""Seconds after the start before it counts."""


def run(size: Size) -> list[Result]:
    seconds = size.of(30, 5)
    with stage.directory() as where, stage.real_broker(where, *TOPICS) as kafka, running_hub(where, kafka) as hub:
        hub.configure(hub.shop.configuration(backlog=False))
        time.sleep(2.0 if size.quick else _REST)
        before, began = hub.cpu(), time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        shares = {name: round((now - before[name]) / took * 100, 2) for name, now in hub.cpu().items()}
    services = sum(share for name, share in shares.items() if name != "postgresql")
    raw = {"seconds": seconds, "percent_of_a_core": shares, "with_postgresql": round(sum(shares.values()), 2)}
    return [Result("G14", services, raw)]
