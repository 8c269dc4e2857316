"""A sandbox on a port of its own, and a little hub: the smallest program that handles the seeded orders rightly.

The hub shares no code with the product, so that the report is tried against something that is known to be right, and
then against planted mistakes.
"""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from sandbox.app import build
from sandbox.world import Wish, World

TOKEN = "shpat_demo_acme"
ORDERS = """query($q: String, $after: String) {
  orders(first: 50, after: $after, query: $q, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id name displayFinancialStatus displayFulfillmentStatus cancelledAt shippingLine { title }
      shippingAddress { countryCodeV2 }
      lineItems(first: 25) { nodes { id sku currentQuantity unfulfilledQuantity requiresShipping } } } } }"""
OPEN = """query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 20) { nodes { id status
  assignedLocation { location { id } }
  lineItems(first: 50) { nodes { id remainingQuantity lineItem { id } } } } } } }"""
CREATE = """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id status } userErrors { field message } } }"""


@dataclass
class Box:
    """A running sandbox and a client for it."""

    world: World
    url: str
    http: aiohttp.ClientSession

    async def control(self, method: str, path: str, content: object = None) -> Any:
        async with self.http.request(method, f"{self.url}/_sandbox{path}", json=content) as answer:
            assert answer.status < 300, (answer.status, await answer.text())
            return await answer.json()

    async def report(self) -> Any:
        return await self.control("GET", "/report")

    async def graphql(self, query: str, token: str = TOKEN, version: str = "2026-10", **variables: object) -> Any:
        url = f"{self.url}/shopify/acme/admin/api/{version}/graphql.json"
        body = {"query": query, "variables": variables}
        async with self.http.post(url, json=body, headers={"X-Shopify-Access-Token": token}) as answer:
            return await answer.json()

    async def source(self, method: str, path: str, content: object = None, name: str = "east") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer demo-{name}-token"}
        url = f"{self.url}/sources/{name}{path}"
        async with self.http.request(method, url, json=content, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def order(self, number: str) -> Any:
        return await self.control("GET", f"/shops/acme/orders/{number}")

    async def named(self, expectation: str) -> list[str]:
        """Names of the orders expected to end so."""
        found = await self.control("GET", f"/shops/acme/orders?expectation={expectation}")
        return [order["name"].removeprefix("#") for order in found["orders"]]


@dataclass
class Hub:
    """Does what the product is for, in the simplest way: one order after the other, first source that has it."""

    box: Box
    config: Any
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    orders: dict[str, Any] = field(default_factory=dict)

    @property
    def channel(self) -> Any:
        return self.config["stores"][0]["channels"][0]

    async def run(self, rounds: int = 60) -> Any:
        """Request everything, then tell the shop of each shipment until nothing is open."""
        await self.request_all()
        for _ in range(rounds):
            await asyncio.sleep(0.05)
            await self.tell()
            report = await self.box.report()
            if report["settled"]:
                return report
        return await self.box.report()

    async def request_all(self) -> None:
        after, query = None, "updated_at:>='2001-01-01T00:00:00Z'"
        while True:
            answer = await self.box.graphql(ORDERS, q=query, after=after)
            page = answer["data"]["orders"]
            for order in page["nodes"]:
                if self.importable(order):
                    self.orders[order["name"]] = order
                    await self.request(order)
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def importable(self, order: Any) -> bool:
        mapped = all(
            line["sku"] in self.channel["skus"]["map"] or line["sku"] in self.channel["skus"]["services"]
            for line in order["lineItems"]["nodes"]
        )
        return (
            mapped
            and order["cancelledAt"] is None
            and order["displayFinancialStatus"] in {"PAID", "AUTHORIZED"}
            and order["displayFulfillmentStatus"] in {"UNFULFILLED", "PARTIALLY_FULFILLED"}
            and order["shippingLine"]["title"] in self.channel["shipping_methods"]["map"]
        )

    async def request(self, order: Any) -> None:
        by_source = defaultdict(list)
        country = order["shippingAddress"]["countryCodeV2"]
        for line in order["lineItems"]["nodes"]:
            if line["sku"] in self.channel["skus"]["services"] or not line["requiresShipping"]:
                continue
            sku, left = self.channel["skus"]["map"][line["sku"]], line["unfulfilledQuantity"]
            for source in self.config["sources"]:
                serves = source["serves"]["countries"]
                free = self.stock[source["id"], sku] - source["stock"]["safety"]
                if (serves == "all" or country in serves) and left and free > 0:
                    taken = min(left, free)
                    self.stock[source["id"], sku] -= taken
                    left -= taken
                    theirs = source["skus"]["map"].get(sku, sku)
                    by_source[source["id"]].append({"line_ref": line["id"], "sku": theirs, "quantity": taken})
            assert left == 0, f"the ready-made stock does not suffice for {order['name']}, {sku}"
        for name, lines in by_source.items():
            status, _ = await self.box.source("POST", "/requests", request_for(name, order["name"], lines), name)
            assert status in {200, 201}

    async def tell(self) -> None:
        for source in self.config["sources"]:
            page = ""
            while True:
                _, told = await self.box.source("GET", f"/shipments?limit=50{page}", name=source["id"])
                for shipment in told["shipments"]:
                    if shipment["id"] not in self.done:
                        await self.fulfill(source, shipment)
                        self.done.add(shipment["id"])
                if told["next"] is None:
                    break
                page = f"&page={told['next']}"

    async def fulfill(self, source: Any, shipment: Any, **changes: object) -> None:
        number = "#" + shipment["reference"].rpartition("-")[2]
        order = self.orders[number]
        left = Counter({line["line_ref"]: line["quantity"] for line in shipment["lines"]})
        answer = await self.box.graphql(OPEN, id=order["id"])
        by_location = defaultdict(list)
        for part in answer["data"]["order"]["fulfillmentOrders"]["nodes"]:
            if part["status"] not in {"OPEN", "IN_PROGRESS"}:
                continue
            items = []
            for item in part["lineItems"]["nodes"]:
                taken = min(item["remainingQuantity"], left[item["lineItem"]["id"]])
                left[item["lineItem"]["id"]] -= taken
                items += [{"id": item["id"], "quantity": taken}] if taken else []
            if items:
                entry = {"fulfillmentOrderId": part["id"], "fulfillmentOrderLineItems": items}
                by_location[part["assignedLocation"]["location"]["id"]].append(entry)
        ours = source["couriers"]["map"].get(shipment["carrier"], shipment["carrier"])
        tracking = {"company": self.channel["couriers"]["map"][ours], "numbers": shipment["tracking_numbers"]}
        tracking |= {"urls": [shipment["tracking_url"]] * len(shipment["tracking_numbers"]), **changes}
        for entries in by_location.values():
            wanted = {"lineItemsByFulfillmentOrder": entries, "trackingInfo": tracking}
            made = (await self.box.graphql(CREATE, f=wanted))["data"]["fulfillmentCreate"]
            assert made["userErrors"] == [], made


def request_for(source: str, order: str, lines: list[Any], reference: str | None = None) -> Any:
    return {
        "reference": reference or f"{source[0].upper()}-{order.removeprefix('#')}",
        "order_number": order,
        "currency": "USD",
        "shipping_method": None,
        "ship_to": {"name": "Zoë", "country": "US"},
        "lines": lines,
    }


async def start(directory: Path, port: int, wish: Wish) -> AsyncIterator[Box]:
    world = World(directory, wish)
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        yield Box(world, f"http://127.0.0.1:{port}", http)
    await runner.cleanup()


@pytest.fixture
async def box(tmp_path: Path, unused_port: int) -> AsyncIterator[Box]:
    """A sandbox with one order of each kind; its sources ship at once."""
    async for running in start(tmp_path, unused_port, Wish(orders=40, seed=7, ship_after=0.02)):
        yield running


@pytest.fixture
async def hub(box: Box) -> Hub:
    return await hub_for(box)


async def hub_for(box: Box) -> Hub:
    async with box.http.get(f"{box.url}/_sandbox/config.yaml") as answer:
        config = yaml.safe_load(await answer.text())
    stock = Counter({(level["source"], level["sku"]): level["on_hand"] for level in config["stock"]})
    return Hub(box, config, stock)


@pytest.fixture
def submission() -> Callable[..., Any]:
    """Makes the body of `POST /requests`; each has another reference unless one is given."""
    counter = itertools.count(1)

    def make(order: str = "#9001", sku: str = "E-101", quantity: int = 2, reference: str | None = None) -> Any:
        lines = [{"line_ref": "gid://shopify/LineItem/1", "sku": sku, "quantity": quantity}]
        return request_for("east", order, lines, reference or f"T-{next(counter)}")

    return make
