"""Puts the sandbox together: world, doors, control API. The only file that builds things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from sandbox.control import Control
from sandbox.platforms import PLATFORMS
from sandbox.serving import Server
from sandbox.sources.endpoint import SourcesEndpoint
from sandbox.sources.source import Source
from sandbox.world import World

MAX_BODY = 8 * 1024 * 1024


def build(world: World) -> web.Application:
    """The application; it ships and syncs in the background for as long as it runs, then closes the world."""
    server = Server(world.journal, world.faults)
    suppliers = {name: source for name, source in world.sources.items() if isinstance(source, Source)}
    sources = SourcesEndpoint(suppliers, server, world.new_id, world.sells, world.wake)
    app = web.Application(client_max_size=MAX_BODY)
    app.add_routes(
        [
            *(route for platform in PLATFORMS for route in platform.routes(world.shops_of(platform), server)),
            web.post("/sources/{source}/requests", sources.submit),
            web.get("/sources/{source}/requests", sources.find),
            web.post("/sources/{source}/requests/{id}/cancel", sources.cancel),
            web.get("/sources/{source}/shipments", sources.shipments),
            *Control(world, server).routes(),
        ]
    )

    async def background(app: web.Application) -> AsyncIterator[None]:
        jobs = (world.run_sources(), world.journal.keep_synced(), world.postman.run())
        tasks = [asyncio.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        world.close()

    app.cleanup_ctx.append(background)
    return app
