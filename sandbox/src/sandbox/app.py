"""Puts the sandbox together: world, doors, control API. The only file that builds things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from sandbox.control import Control
from sandbox.serving import Server
from sandbox.shopify.endpoint import ShopifyEndpoint
from sandbox.shopify.schema import planner
from sandbox.sources.endpoint import SourcesEndpoint
from sandbox.world import World

MAX_BODY = 8 * 1024 * 1024


def build(world: World) -> web.Application:
    """The application; it ships and syncs in the background for as long as it runs, then closes the world."""
    server = Server(world.journal, world.faults)
    shopify = ShopifyEndpoint(world.shops, planner(), server)
    sources = SourcesEndpoint(world.sources, server, world.new_id, world.sells, world.wake)
    app = web.Application(client_max_size=MAX_BODY)
    app.add_routes(
        [
            web.post("/shopify/{shop}/admin/api/{version}/graphql.json", shopify.graphql),
            web.post("/shopify/{shop}/admin/oauth/access_token", shopify.access_token),
            web.post("/sources/{source}/requests", sources.submit),
            web.get("/sources/{source}/requests", sources.find),
            web.post("/sources/{source}/requests/{id}/cancel", sources.cancel),
            web.get("/sources/{source}/shipments", sources.shipments),
            *Control(world, server).routes(),
        ]
    )

    async def background(app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(world.run_sources()), asyncio.create_task(world.journal.keep_synced())]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        world.close()

    app.cleanup_ctx.append(background)
    return app
