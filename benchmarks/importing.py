"""G16: importing orders that are here already, against importing them afresh; through order-ingest's one verb."""

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Pairs, Size, Stopwatch, median, rounded
from benchmarks.samples import START, channel_order, channel_rules
from order_ingest.import_orders import Batch, Counts, import_orders
from order_ingest.seen import seen
from waybill_common.db import Pool, transaction
from waybill_common.telemetry import Telemetry

PAGE = 100


async def measure(size: Size) -> list[Result]:
    orders = size.of(3000, 400)
    with stage.directory() as where, stage.postgres(where) as server:
        assert server.pid is not None
        pool = await stage.schema(server.url, "order_ingest", "order_ingest")
        pairs, events = Pairs([], []), 0
        for number in range(size.pairs + 1):
            numbers = range(number * orders, (number + 1) * orders)
            watch = Stopwatch(server.pid)
            first = await _import(pool, numbers)
            fresh = watch.own + watch.database
            told = await pool.fetchval("select count(*) from facts")
            watch.start()
            again = await _import(pool, numbers)
            repeated = watch.own + watch.database
            events += await pool.fetchval("select count(*) from facts") - told
            assert (first.imported, again.unchanged) == (orders, orders), (first.as_json(), again.as_json())
            if number:
                pairs.yardstick.append(fresh / orders)
                pairs.product.append(repeated / orders)
        pool.terminate()
    raw = {
        "orders": orders,
        "page": PAGE,
        "fresh_us_an_order": rounded(pairs.yardstick, 1e6, 0),
        "again_us_an_order": rounded(pairs.product, 1e6, 0),
        "medians_us": rounded([median(pairs.yardstick), median(pairs.product)], 1e6, 0),
    }
    return [Result("G16", pairs.ratio, raw), Result("G16-events", float(events), {"orders_imported_again": orders})]


async def _import(pool: Pool, numbers: range) -> Counts:
    """From the orders as the client gives them to the committed rows and events."""
    counts, rules, telemetry = Counts(), {"shop": channel_rules()}, Telemetry("bench")
    for start in range(0, len(numbers), PAGE):
        sightings = [
            seen("shop", channel_order(number), read_at=START, via="pull") for number in numbers[start : start + PAGE]
        ]
        async with transaction(pool) as conn:
            counts.add(await import_orders(conn, Batch(sightings, rules, telemetry, START)))
    return counts
