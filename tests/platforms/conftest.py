"""Small real servers that misbehave on purpose, a budget that remembers, and the sandbox on a stage."""

import importlib.util
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web

from sandbox.app import build
from sandbox.shops import EmulatedShop, JudgedOrder
from sandbox.supply import EmulatedSource
from sandbox.world import Wish, World
from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_contracts.configuration import Channel, Source
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import OpenRequest, SourceRequest, Submitted
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.registry import open_channel, open_source

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@dataclass(frozen=True)
class Row:
    """One platform in one role."""

    shop: str
    """The emulated shop or source that plays it; address and credentials are those of its configuration."""
    creates: str
    """The sandbox's name of the operation that makes a fulfillment (channel) or the request (source)."""
    page: str = ""
    """The constant `module.NAME` that says how many shipments a page has; empty where they come in no pages."""
    withdraws: bool = True
    """Whether the platform knows shipments that were canceled."""
    keeps_refs: bool = True
    """Whether it gives our line refs back; else SKUs tell its lines apart."""
    names_refs: bool = True
    """Whether its people name lines by our refs; else by SKU, and the last of a SKU loses first."""
    method: str = "FedEx Ground"
    """A shipping method that the source offers."""
    odd_skus: bool = True
    """Whether the shop's catalogue may hold a product without a SKU, and a SKU twice."""


CHANNELS = {
    "shopify": Row("acme", "fulfillmentCreate"),
    "magento": Row("maison", "ship", odd_skus=False),
    "woocommerce": Row("willow", "fulfillment_create", odd_skus=False),
    "bigcommerce": Row("bramble", "createShipment", odd_skus=False),
}
SOURCES = {
    "http": Row("east", "submit", "waybill_platforms.http_source.client.PAGE"),
    "magento": Row(
        "mill", "place", "waybill_platforms.magento.shipments.PAGE", False, False, False, "flatrate/flatrate"
    ),
    "woocommerce": Row("yonder", "order_create", "waybill_platforms.woocommerce.shipments.MOST", withdraws=False),
    "bigcommerce": Row("bay", "createOrder", "waybill_platforms.bigcommerce.shipments.AT_ONCE", False, True, False),
    "shopify": Row("depot", "orderCreate", "waybill_platforms.shopify.source_documents.COUNTED"),
}
"""A platform joins the conformance suite by a line here."""

LATER, REFUSED, UNAUTHORIZED, UNREADABLE = Family.LATER, Family.REFUSED, Family.UNAUTHORIZED, Family.UNREADABLE
FAILURES: list[tuple[str, dict[str, Any], Family, str, str]] = [
    ("429", {"retry_after": 2}, LATER, "rate_limit", "none"),
    ("429", {"retry_after": "empty"}, LATER, "rate_limit", "none"),
    ("429", {"retry_after": "date"}, LATER, "rate_limit", "none"),
    ("503", {"retry_after": 2}, LATER, "server", "none"),
    ("503", {}, LATER, "server", "unknown"),
    ("internal", {}, LATER, "server", "unknown"),
    ("html", {}, LATER, "server", "unknown"),
    ("cut", {}, LATER, "server", "unknown"),
    ("lost", {}, LATER, "connection", "unknown"),
    ("reset", {}, LATER, "connection", "unknown"),
    ("wrong_type", {}, UNREADABLE, "unreadable", "unknown"),
    ("redirect", {}, REFUSED, "configuration", "none"),
    ("unauthorized", {}, UNAUTHORIZED, "unauthorized", "none"),
    ("throttled", {}, LATER, "rate_limit", "none"),
]
"""The sandbox's fault, its parameters, and what a call with an effect must end with on every platform."""


@dataclass
class Ledger:
    """A budget that permits everything and keeps what it was told."""

    draws: list[tuple[str, float]] = field(default_factory=list)
    corrections: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)

    async def draw(self, connection_id: str, cost: float, rate: Rate) -> None:
        self.draws.append((connection_id, cost))

    async def correct(
        self, connection_id: str, available: float, per_second: float | None = None, capacity: float | None = None
    ) -> None:
        self.corrections.append((available, per_second, capacity))

    async def block(self, connection_id: str, seconds: float) -> None:
        self.blocks.append(seconds)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(handler)` -> origin of a server on a free loopback port, for every path and method."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@cache
def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_platforms_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """`load("shopify_payloads")` -> that file beside the tests, as a module."""
    return _load


class Hub:
    """Sends requests as the hub does: where a platform takes two steps, with the handle that it stored between them;
    where it does not know a request again, only after looking for it."""

    def __init__(self, source: SourceConnection) -> None:
        self._source = source
        self.handles: dict[str, str] = {}
        self._asked: dict[str, SourceRequest] = {}

    async def submit(self, request: SourceRequest) -> Submitted:
        """A handle that is used up is read back, as after an unknown outcome."""
        placer, reference = self._source.placer, request.reference
        again, self._asked[reference] = reference in self._asked, request
        if placer is None:
            known = await self.find(reference) if again and not self._source.features.dedupes_by_reference else None
            return known or await self._source.sink.submit(request)
        if reference not in self.handles:
            self.handles[reference] = await placer.prepare(request)
        try:
            return await placer.place(request, self.handles[reference])
        except PlatformError as error:
            found = await self.find(reference) if error.code == "cart_gone" else None
            if found is None:
                raise
            return found

    async def find(self, reference: str) -> Submitted | None:
        placer = self._source.placer
        if placer is None:
            return await self._source.sink.find(reference)
        if reference not in self.handles:
            return None
        return await placer.find_placed(self._asked[reference], self.handles[reference])

    async def open(self) -> list[OpenRequest]:
        """What is still watched, for platforms that list shipments by request."""
        if self._source.features.lists_changed_shipments:
            return []
        found = [await self.find(reference) for reference in self._asked]
        return [OpenRequest(one.reference, one.platform_id) for one in found if one is not None]


@dataclass
class Stage:
    """A sandbox, its address, and ways to disturb it. `shop` or `theirs` stands behind the tested connection."""

    world: World
    origin: str
    row: Row = Row("acme", "")
    sent: list[Any] = field(default_factory=list)
    """Requests that came in, when they are checked against the vendors' descriptions."""

    @property
    def shop(self) -> EmulatedShop:
        return self.world.shops[self.row.shop]

    @property
    def theirs(self) -> EmulatedSource:
        return self.world.sources[self.row.shop]

    def misbehave(self, kind: str, match: str = "*", count: int = 1, **params: Any) -> None:
        self.world.faults.script([{"kind": kind, "match": match, "count": count, "params": params}])

    def place(self, *lines: tuple[str, int], **given: Any) -> str:
        """The number of a new order of a buyer."""
        asked = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
        number = self.shop.place({"lines": asked, **given})
        self.world.journal.flush()
        return number

    def act(self, number: str, action: str) -> None:
        self.shop.act(number, action, {})
        self.world.journal.flush()

    def of_kind(self, kind: str) -> JudgedOrder:
        """A seeded order of this kind; the test is skipped where the platform has none."""
        found = next((order for order in self.shop.judged() if order.kind == kind), None)
        return found or pytest.skip(f"{self.row.shop}: the platform has no orders of kind {kind}")


@pytest.fixture(scope="session")
def contracts(load: Callable[[str], ModuleType]) -> Any:
    """The vendors' own descriptions (`make contracts SPECS=DIR`); None when SPECS is not given."""
    directory = load("contract_specs").specs()
    return load("contract_specs").Specs(directory, load) if directory else None


def _keeping(sent: list[Any]) -> Any:
    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/_sandbox"):
            one = _load("contract_rest").Sent
            body, kind = await request.read(), request.content_type
            sent.append(one(request.method, request.path, tuple(request.query.items()), body, kind))
        return await handler(request)

    return keep


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With SPECS, every test that calls an emulated platform is a check of what we send."""
    if os.environ.get("SPECS"):
        for item in items:
            fixtures = getattr(item, "fixturenames", ())
            if "tests/platforms" in item.path.as_posix() and {"channel", "source", "either"} & set(fixtures):
                item.add_marker("specs")


@pytest.fixture
async def stage(tmp_path: Path, contracts: Any) -> AsyncIterator[Stage]:
    world = World(tmp_path, Wish(orders=60 * len(CHANNELS), seed=7, ship_after=3600.0, shops=("all",)))
    made = Stage(world, "")
    app = build(world)
    if contracts:
        app.middlewares.append(_keeping(made.sent))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
    if contracts:
        complaints = {complaint for sent in made.sent for complaint in contracts.complaints(sent)}
        assert not complaints, "against the vendor's description:\n" + "\n".join(sorted(complaints))


def channel_on(stage: Stage, platform: str, ledger: Any) -> ChannelConnection:
    stage.row = CHANNELS[platform]
    given = {"id": "acme-shop", **stage.shop.connection(stage.origin)}
    assert given["platform"] == platform
    connection = open_channel(Channel.model_validate(given), given["credentials"], budget=ledger)
    assert connection is not None
    return connection


def source_on(stage: Stage, platform: str, ledger: Any) -> SourceConnection:
    stage.row = SOURCES[platform]
    costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}
    given = {"id": "east", "costs": costs, **stage.theirs.connection(stage.origin)}
    assert given["platform"] == platform
    connection = open_source(Source.model_validate(given), given["credentials"], budget=ledger)
    assert connection is not None
    return connection


@pytest.fixture(params=sorted(CHANNELS))
async def channel(request: Any, stage: Stage, ledger: Any) -> AsyncIterator[ChannelConnection]:
    connection = channel_on(stage, request.param, ledger)
    yield connection
    await connection.aclose()


@pytest.fixture(params=sorted(SOURCES))
async def source(request: Any, stage: Stage, ledger: Any) -> AsyncIterator[SourceConnection]:
    connection = source_on(stage, request.param, ledger)
    yield connection
    await connection.aclose()


@pytest.fixture(params=[*(f"{name}-channel" for name in CHANNELS), *(f"{name}-source" for name in SOURCES)])
async def either(request: Any, stage: Stage, ledger: Any) -> AsyncIterator[ChannelConnection | SourceConnection]:
    """Each platform in each of its roles."""
    platform, _, role = request.param.partition("-")
    connection = (channel_on if role == "channel" else source_on)(stage, platform, ledger)
    yield connection
    await connection.aclose()


@pytest.fixture(scope="session")
def channel_rows() -> dict[str, Row]:
    """The platforms that play a channel."""
    return CHANNELS


@pytest.fixture
def hub(source: SourceConnection) -> Hub:
    return Hub(source)


@pytest.fixture(scope="session")
def hub_of() -> Callable[[SourceConnection], Hub]:
    return Hub


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`failure` runs a test over all of `FAILURES`."""
    if "failure" in metafunc.fixturenames:
        names = ["-".join([row[0], *map(str, row[1].values())]) for row in FAILURES]
        metafunc.parametrize("failure", FAILURES, ids=names)


@pytest.fixture
async def opened(stage: Stage, ledger: Any) -> AsyncIterator[Callable[[str, str], Any]]:
    """`opened("channel", "shopify")` -> a connection, for tests that choose it themselves."""
    connections: list[Any] = []

    def open_one(role: str, platform: str) -> Any:
        connections.append((channel_on if role == "channel" else source_on)(stage, platform, ledger))
        return connections[-1]

    yield open_one
    for connection in connections:
        await connection.aclose()


@pytest.fixture(scope="session")
def conforming() -> tuple[set[str], set[str]]:
    """The channels and the sources that the conformance suite runs over."""
    return set(CHANNELS), set(SOURCES)
