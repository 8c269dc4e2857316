"""G7: a request to a source by the product's client, with budget and recording, against bare aiohttp."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import orjson

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size, Stopwatch, in_turn, median, rounded
from waybill_common.budget import Budget
from waybill_common.embedded.processes import GuardedProcess, free_port
from waybill_contracts.configuration import Source
from waybill_contracts.envelope import encode
from waybill_contracts.values import Address
from waybill_platforms.http_source.mapping import request_body
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection
from waybill_platforms.recording import recording
from waybill_platforms.registry import open_source

IN_FLIGHT = 16
_TOKEN = "a-token-for-benchmarks"
_ADDRESS = Address(name="Zoë", line1="1 High Street", city="Springfield", postal_code="62701", country="US")
_LINES = (SourceRequestLine("l1", "SKU-101", 2, "A thing"), SourceRequestLine("l2", "SKU-102", 1, "Another"))
_BODY = request_body(SourceRequest("", "1", _LINES, _ADDRESS, "ground", "USD"))


async def measure(size: Size) -> list[Result]:
    calls = size.of(3000, 400)
    with stage.directory() as where, stage.postgres(where) as server, _supplier(where) as url:
        pool = await stage.schema(server.url, "bench")
        costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}
        source = Source.model_validate({"id": "east", "platform": "http", "url": url, "costs": costs})
        connection = open_source(source, {"token": _TOKEN}, budget=Budget(pool))
        assert connection is not None
        bare = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=64), headers={"Authorization": f"Bearer {_TOKEN}"}
        )
        pairs = await in_turn(
            size.pairs,
            lambda: _timed(calls, lambda number: _bare(bare, url, number)),
            lambda: _timed(calls, lambda number: _ours(connection, number)),
        )
        await bare.close()
        await connection.aclose()
        pool.terminate()
    raw = {
        "calls": calls,
        "in_flight": IN_FLIGHT,
        "aiohttp_ms_a_call": rounded(pairs.yardstick, 1000),
        "waybill_ms_a_call": rounded(pairs.product, 1000),
        "medians_ms": rounded([median(pairs.yardstick), median(pairs.product)], 1000),
    }
    return [Result("G7", pairs.ratio, raw)]


async def _timed(calls: int, call: Callable[[int], Awaitable[None]]) -> float:
    """Seconds of this process's CPU a call."""
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            await call(number)

    watch = Stopwatch()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return watch.own / calls


async def _bare(session: aiohttp.ClientSession, url: str, number: int) -> None:
    body = orjson.dumps(_BODY | {"reference": f"E-{number}"})
    async with session.post(f"{url}/requests", data=body, headers={"Content-Type": "application/json"}) as answer:
        assert orjson.loads(await answer.read())["reference"] == f"E-{number}"


async def _ours(connection: SourceConnection, number: int) -> None:
    """As fulfillment-push does it: the exchange becomes the bytes of an event."""
    request = SourceRequest(f"E-{number}", str(number), _LINES, _ADDRESS, "ground", "USD")
    with recording(order_ids=("an-order",), fr_ids=("an-fr",)) as exchanges:
        await connection.sink.submit(request)
    for exchange in exchanges:
        encode(exchange.event("fulfillment-push"), source="fulfillment-push")


@contextmanager
def _supplier(where: Path) -> Iterator[str]:
    """A server that answers each request with itself, in a process of its own."""
    port = free_port()
    process = GuardedProcess([sys.executable, "-m", "benchmarks.supplier", str(port)], log=where / "supplier.log")
    try:
        stage.wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop(5)
