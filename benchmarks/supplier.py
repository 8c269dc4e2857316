"""The least that a supplier can be: each request is accepted, and the rate limit is never in the way."""

import asyncio
import sys

import orjson
import uvloop
from aiohttp import web

_PLENTY = {"RateLimit-Limit": "1000000", "RateLimit-Remaining": "1000000", "RateLimit-Reset": "1"}


async def accept(request: web.Request) -> web.Response:
    asked = orjson.loads(await request.read())
    body = {"id": f"r-{asked['reference']}", "reference": asked["reference"], "state": "accepted"}
    lines = [{"line_ref": "l1", "sku": "SKU-101", "quantity": 2}, {"line_ref": "l2", "sku": "SKU-102", "quantity": 1}]
    content = orjson.dumps(body | {"lines": lines})
    return web.Response(body=content, content_type="application/json", headers=_PLENTY)


async def serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/requests", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
