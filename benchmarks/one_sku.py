"""G13: a backlog in which every line is of one SKU, against one with lines of thirty; the same product, in turn."""

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.hub import running_hub
from benchmarks.measure import Size, median, rounded
from waybill_contracts.topics import TOPICS


def run(size: Size) -> list[Result]:
    orders = size.orders or size.of(600, 40)
    spread, single = [], []
    with (
        stage.directory() as where,
        stage.any_broker(where, *TOPICS) as (kafka, kind),
        running_hub(where, kafka) as hub,
    ):
        skus = hub.shop.skus()
        hub.lap(size.of(100, 20), skus)
        for _ in range(1 if size.quick else 3):
            spread.append(hub.lap(orders, skus, lines=1))
            single.append(hub.lap(orders, skus[:1], lines=1))
        problems = hub.shop.problems()
    assert not problems, f"by the shop's books these figures are of no worth: {problems[:3]}"
    raw = {
        "orders": orders,
        "broker": kind,
        "spread_orders_s": rounded([lap.rate for lap in spread], digits=1),
        "one_sku_orders_s": rounded([lap.rate for lap in single], digits=1),
        "spread_cpu_ms_an_order": rounded([lap.cpu_ms for lap in spread], digits=2),
        "one_sku_cpu_ms_an_order": rounded([lap.cpu_ms for lap in single], digits=2),
    }
    return [Result("G13", median([b.rate / a.rate for a, b in zip(spread, single, strict=True)]), raw)]
