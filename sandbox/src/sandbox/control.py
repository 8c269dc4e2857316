"""The control API under `/_sandbox`: look at the sandbox, add and change orders, turn settings, script faults.

No authentication: it is for tests and demonstrations on this machine, and the server listens on loopback.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from sandbox import configuration
from sandbox.faults import BadRule
from sandbox.names import Names
from sandbox.report import Facts, judge
from sandbox.serving import Server
from sandbox.shops import EmulatedShop, NotPossible
from sandbox.supply import EmulatedSource
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
        origin = f"{request.scheme}://{request.host}"
        content = configuration.configuration(
            origin, world.channels, list(world.supplying.values()), world.goods, world.levels
        )
        return web.Response(text=configuration.as_yaml(content), content_type="application/yaml", charset="utf-8")

    async def report(self, request: web.Request) -> web.StreamResponse:
        judged = judge(self.all_facts())
        return told({**judged, "faults": self._world.faults.told(), **self._server.counts.told()})

    def all_facts(self) -> Facts:
        world = self._world
        sources = world.sources.values()
        couriers = {name: source.couriers for name, source in world.sources.items()}
        return Facts(
            orders=[order for shop in self._channels() for order in shop.judged()],
            requests=[one for source in sources for one in source.asked()],
            shipments=[one for source in sources for one in source.sent()],
            levels=world.levels,
            names=Names.of(world.goods, couriers, {shop.name: shop.couriers for shop in self._channels()}),
            conflicts=[conflict for source in sources for conflict in source.conflicts],
        )

    def _channels(self) -> list[EmulatedShop]:
        return [shop for name, shop in self._world.shops.items() if self._world.demos[name].role == "channel"]

    async def counts(self, request: web.Request) -> web.StreamResponse:
        """Cheap figures for a progress display."""
        world = self._world
        sources = {name: dict(zip(("requests", "shipments"), source.count(), strict=True))
                   for name, source in world.supplying.items()}  # fmt: skip
        shops = {shop.name: dict(zip(("orders", "fulfillments"), shop.count(), strict=True))
                 for shop in world.channels}  # fmt: skip
        return told({"shops": shops, "sources": sources, **self._server.counts.told()})

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

    # -- the shops

    async def shop_settings(self, request: web.Request) -> web.StreamResponse:
        shop = self._shop(request)
        shop.configure(await _given(request))
        return self._done(shop.told_settings())

    async def orders(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("expectation", "")
        chosen = [order for order in self._shop(request).judged() if order.expectation.startswith(wanted)]
        return told({"orders": [{"name": o.name, "id": _id(o.id), "expectation": o.expectation} for o in chosen]})

    async def add_orders(self, request: web.Request) -> web.StreamResponse:
        """`{count, varied?}` makes orders as the seeding does; `{orders: [...]}` takes them as given."""
        shop, given = self._shop(request), await _given(request)
        if "orders" in given:
            made = [shop.place(one) for one in given["orders"]]
        else:
            made = self._world.place_seeded(shop, int(given["count"]), bool(given.get("varied", False)))
        return self._done({"orders": made}, 201)

    async def order(self, request: web.Request) -> web.StreamResponse:
        return told(self._shop(request).shown(request.match_info["number"]))

    async def change_order(self, request: web.Request) -> web.StreamResponse:
        shop, number = self._shop(request), request.match_info["number"]
        shop.edit(number, await _given(request))
        return self._done(shop.shown(number))

    async def act_on_order(self, request: web.Request) -> web.StreamResponse:
        shop, number = self._shop(request), request.match_info["number"]
        shop.act(number, request.match_info["action"], await _given(request))
        return self._done(shop.shown(number))

    def _shop(self, request: web.Request) -> EmulatedShop:
        return self._world.shops[request.match_info["shop"]]

    # -- the sources

    async def source_settings(self, request: web.Request) -> web.StreamResponse:
        source = self._source(request)
        source.configure(await _given(request))
        return self._done(source.told_settings())

    async def requests(self, request: web.Request) -> web.StreamResponse:
        return told({"requests": self._source(request).told_requests()})

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        return told({"shipments": self._source(request).told_shipments()})

    async def ship(self, request: web.Request) -> web.StreamResponse:
        """Ship now what is planned: everything, or one `reference`."""
        return self._done({"shipments": self._source(request).ship_now((await _given(request)).get("reference"))})

    async def cancel_request(self, request: web.Request) -> web.StreamResponse:
        source = self._source(request)
        source.give_up(request.match_info["id"], await _given(request))
        return self._done({"requests": source.told_requests()})

    async def act_on_shipment(self, request: web.Request) -> web.StreamResponse:
        source = self._source(request)
        source.act_on_shipment(request.match_info["id"], request.match_info["action"], await _given(request))
        return self._done({"shipments": source.told_shipments()})

    def _source(self, request: web.Request) -> EmulatedSource:
        return self._world.sources[request.match_info["source"]]

    def _done(self, content: object, status: int = 200) -> web.Response:
        """After a change: keep it, and let the sources see it."""
        self._world.journal.flush()
        self._world.wake.set()
        return told(content, status)


async def _given(request: web.Request) -> Any:
    body = await request.read()
    return orjson.loads(body) if body else {}


def _id(text: str) -> int | str:
    return int(text) if text.isdigit() else text
