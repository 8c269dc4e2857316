"""The control API under `/_sandbox`: look at the sandbox, add and change orders, turn settings, script faults.

No authentication: it is for tests and demonstrations on this machine, and the server listens on loopback.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, replace

import orjson
from aiohttp import web

from sandbox import configuration, merchant
from sandbox.faults import BadRule
from sandbox.merchant import NotPossible
from sandbox.names import Names
from sandbox.report import Facts, judge
from sandbox.seeding.stock import SOURCES
from sandbox.serving import Server
from sandbox.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MOST_ENTRIES = 10_000


def told(content: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")


def guarded(handler: Handler) -> Handler:
    """Unusable input is 400 with one sentence, an unknown thing 404."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (BadRule, NotPossible, orjson.JSONDecodeError, TypeError) as error:
            return told({"error": str(error)}, 400)
        except KeyError as error:
            return told({"error": f"there is no {error.args[0]!r} here"}, 404)

    return answer


class Control:
    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._server = server
        self._calls: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox/", self.contents),
            ("GET", "/_sandbox/health", self.health),
            ("GET", "/_sandbox/config.yaml", self.config),
            ("GET", "/_sandbox/report", self.report),
            ("GET", "/_sandbox/counts", self.counts),
            ("GET", "/_sandbox/ledger", self.ledger),
            ("GET", "/_sandbox/faults", self.faults),
            ("POST", "/_sandbox/faults", self.script),
            ("DELETE", "/_sandbox/faults", self.clear),
            ("PATCH", "/_sandbox/shops/{shop}", self.shop_settings),
            ("GET", "/_sandbox/shops/{shop}/orders", self.orders),
            ("POST", "/_sandbox/shops/{shop}/orders", self.add_orders),
            ("GET", "/_sandbox/shops/{shop}/orders/{number}", self.order),
            ("PATCH", "/_sandbox/shops/{shop}/orders/{number}", self.change_order),
            ("POST", "/_sandbox/shops/{shop}/orders/{number}/{action}", self.act_on_order),
            ("PATCH", "/_sandbox/sources/{source}", self.source_settings),
            ("GET", "/_sandbox/sources/{source}/requests", self.requests),
            ("GET", "/_sandbox/sources/{source}/shipments", self.shipments),
            ("POST", "/_sandbox/sources/{source}/ship", self.ship),
            ("POST", "/_sandbox/sources/{source}/requests/{id}/cancel", self.cancel_request),
            ("POST", "/_sandbox/sources/{source}/shipments/{id}/{action}", self.act_on_shipment),
        ]
        self._calls = [f"{method} {path}" for method, path, _ in table]
        return [web.route(method, path, guarded(handler)) for method, path, handler in table]

    # -- looking

    async def contents(self, request: web.Request) -> web.StreamResponse:
        return told({"calls": self._calls, "described_in": "sandbox/README.md"})

    async def health(self, request: web.Request) -> web.StreamResponse:
        return told({"ok": True})

    async def config(self, request: web.Request) -> web.StreamResponse:
        world = self._world
        tokens = {world.shop.name: world.shop.settings.tokens[0]}
        tokens |= {name: source.settings.tokens[0] for name, source in world.sources.items()}
        origin = f"{request.scheme}://{request.host}"
        content = configuration.configuration(origin, world.shop.name, tokens, world.goods, world.levels)
        return web.Response(text=configuration.as_yaml(content), content_type="application/yaml", charset="utf-8")

    async def report(self, request: web.Request) -> web.StreamResponse:
        judged = judge(self.all_facts())
        return told({**judged, "faults": self._world.faults.told(), **self._server.counts.told()})

    def all_facts(self) -> Facts:
        world = self._world
        return Facts(
            orders=[order for shop in world.shops.values() for order in shop.orders.values()],
            requests=[one for source in world.sources.values() for one in source.requests.values()],
            shipments=[one for source in world.sources.values() for one in source.shipments.values()],
            levels=world.levels,
            names=Names.of(world.goods, SOURCES),
            conflicts=[c for source in world.sources.values() for c in source.conflicts],
        )

    async def counts(self, request: web.Request) -> web.StreamResponse:
        """Cheap figures for a progress display."""
        world = self._world
        sources = {
            name: {"requests": len(source.requests), "shipments": len(source.shipments)}
            for name, source in world.sources.items()
        }
        made = sum(len(order.fulfillments) for order in world.shop.orders.values())
        shop = {"orders": len(world.shop.orders), "fulfillments": made}
        return told({"shops": {world.shop.name: shop}, "sources": sources, **self._server.counts.told()})

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """Entries after `after` as JSON lines, at most `limit`."""
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", MOST_ENTRIES))
        chosen = self._world.journal.entries[after : after + limit]
        return web.Response(body=b"".join(entry + b"\n" for entry in chosen), content_type="application/x-ndjson")

    # -- faults

    async def faults(self, request: web.Request) -> web.StreamResponse:
        return told(self._world.faults.told())

    async def script(self, request: web.Request) -> web.StreamResponse:
        """A list of rules, or `{faults: [...], seed}`; they are added to those in force."""
        given = orjson.loads(await request.read())
        rules, seed = (given, 0) if isinstance(given, list) else (given.get("faults", []), given.get("seed", 0))
        return told(self._world.faults.script(rules, seed), 201)

    async def clear(self, request: web.Request) -> web.StreamResponse:
        return told(self._world.faults.clear())

    # -- the shop

    async def shop_settings(self, request: web.Request) -> web.StreamResponse:
        shop = self._world.shops[request.match_info["shop"]]
        shop.configure(replace(shop.settings, **orjson.loads(await request.read())))
        return self._done(asdict(shop.settings))

    async def orders(self, request: web.Request) -> web.StreamResponse:
        shop = self._world.shops[request.match_info["shop"]]
        wanted = request.query.get("expectation")
        chosen = [o for o in shop.orders.values() if wanted is None or o.expectation.startswith(wanted)]
        return told({"orders": [{"name": o.name, "id": o.id, "expectation": o.expectation} for o in chosen]})

    async def add_orders(self, request: web.Request) -> web.StreamResponse:
        """`{count, varied?}` makes orders as the seeding does; `{orders: [...]}` takes them as given."""
        world, given = self._world, orjson.loads(await request.read())
        shop = world.shops[request.match_info["shop"]]
        if "orders" in given:
            made = [merchant.place(shop, one) for one in given["orders"]]
        else:
            made = list(world.maker.seeded(int(given["count"]), bool(given.get("varied", False))))
        return self._done({"orders": [order.name for order in made]}, 201)

    async def order(self, request: web.Request) -> web.StreamResponse:
        return told(merchant.find(self._world.shops[request.match_info["shop"]], request.match_info["number"]))

    async def change_order(self, request: web.Request) -> web.StreamResponse:
        shop = self._world.shops[request.match_info["shop"]]
        order = merchant.find(shop, request.match_info["number"])
        merchant.edit(shop, order, orjson.loads(await request.read()))
        return self._done(order)

    async def act_on_order(self, request: web.Request) -> web.StreamResponse:
        shop = self._world.shops[request.match_info["shop"]]
        order = merchant.find(shop, request.match_info["number"])
        body = await request.read()
        merchant.act(shop, order, request.match_info["action"], orjson.loads(body) if body else {})
        return self._done(order)

    # -- the sources

    async def source_settings(self, request: web.Request) -> web.StreamResponse:
        source = self._world.sources[request.match_info["source"]]
        given = orjson.loads(await request.read())
        known = {one.name for one in fields(source.settings)}
        if set(given) - known:
            raise NotPossible(f"unknown settings {sorted(set(given) - known)}; there are {sorted(known)}")
        source.configure(replace(source.settings, **given))
        return self._done(asdict(source.settings))

    async def requests(self, request: web.Request) -> web.StreamResponse:
        return told({"requests": list(self._world.sources[request.match_info["source"]].requests.values())})

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        return told({"shipments": list(self._world.sources[request.match_info["source"]].shipments.values())})

    async def ship(self, request: web.Request) -> web.StreamResponse:
        """Ship now what is planned: everything, or one `reference`."""
        source = self._world.sources[request.match_info["source"]]
        body = await request.read()
        return self._done({"shipments": merchant.ship_now(source, orjson.loads(body) if body else {})})

    async def cancel_request(self, request: web.Request) -> web.StreamResponse:
        source = self._world.sources[request.match_info["source"]]
        body = await request.read()
        merchant.supplier_cancels(source, source.requests[request.match_info["id"]], orjson.loads(body) if body else {})
        return self._done(source.requests[request.match_info["id"]])

    async def act_on_shipment(self, request: web.Request) -> web.StreamResponse:
        source = self._world.sources[request.match_info["source"]]
        shipment = source.shipments[request.match_info["id"]]
        body = await request.read()
        merchant.act_on_shipment(source, shipment, request.match_info["action"], orjson.loads(body) if body else {})
        return self._done(shipment)

    def _done(self, content: object, status: int = 200) -> web.Response:
        """After a change: keep it, and let the sources see it."""
        self._world.journal.flush()
        self._world.wake.set()
        return told(content, status)
