"""`python -m sandbox --port P --data DIR [--orders N] [--seed S] [--ship-after SECONDS] [--shops all]
[--restore-rate POINTS]`.

The options after DIR count when DIR is empty; what is stored there otherwise stays as it is. Ends with 0 on SIGTERM or
SIGINT.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from sandbox.app import build
from sandbox.world import FIRST_SHOP, Wish, World


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox", description="Emulated platforms for Waybill")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="directory of state and ledger")
    parser.add_argument("--orders", type=int, default=300, help="orders in the shop at first (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ship-after", type=float, default=2.0, help="seconds until a source ships (default 2)")
    parser.add_argument(
        "--shops", default=FIRST_SHOP, help="emulated shops that take part, with commas between, or all (default acme)"
    )
    parser.add_argument("--restore-rate", type=float, default=1_000.0, help="the shop's points a second (default 1000)")
    return parser.parse_args(given)


async def serve(given: argparse.Namespace) -> None:
    shops = tuple(given.shops.split(","))
    world = World(given.data, Wish(given.orders, given.seed, given.ship_after, given.restore_rate, shops))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, given.host, given.port).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    orders = sum(shop.count()[0] for shop in world.channels)
    sys.stdout.write(f"sandbox: {orders} orders, http://{given.host}:{given.port}/_sandbox/report\n")
    sys.stdout.flush()
    await stop.wait()
    await runner.cleanup()


def main() -> int:
    uvloop.run(serve(arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
