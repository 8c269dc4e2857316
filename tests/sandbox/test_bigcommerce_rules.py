"""The emulated BigCommerce store keeps the platform's rules: how it is asked, what it refuses, what it leaves alone."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from sandbox.bigcommerce.quota import Quota
from sandbox.seeding.orders import EXPECTED
from sandbox.supply import Parcel
from sandbox.world import Wish, World

INCLUDED = "include=consignments,consignments.line_items&consignment_structure=object"


@dataclass
class Shop:
    """A store of the running sandbox, and a client for its API."""

    box: Any
    name: str = "bramble"

    @property
    def store(self) -> Any:
        return self.box.world.shops[self.name]

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, Any]:
        url = f"{self.box.url}/bigcommerce/stores/{self.name}{path}"
        given = {"X-Auth-Token": f"bc_demo_{self.name}", "Accept": "application/json", **headers}
        async with self.box.http.request(method, url, json=body, headers=given) as answer:
            text = await answer.read()
            kind = answer.headers.get("Content-Type", "")
            return answer.status, orjson.loads(text) if text and "json" in kind else text, answer.headers

    async def get(self, path: str) -> Any:
        status, body, _ = await self.call("GET", path)
        assert status == 200, (status, body)
        return body

    def place(self, *quantities: int, **given: Any) -> Any:
        lines = [{"sku": f"SKU-{number}", "quantity": quantity} for number, quantity in enumerate(quantities)]
        return self.store.shown(self.store.place({"lines": lines, **given}))

    async def ship(self, order: Any, *pieces: tuple[int, int], **changes: Any) -> tuple[int, Any]:
        items = [{"order_product_id": order.lines[place].id, "quantity": quantity} for place, quantity in pieces]
        body = {"order_address_id": order.addresses[0].id, "tracking_number": "1Z1", "items": items, **changes}
        wanted = {name: value for name, value in body.items() if value is not None}
        status, answer, _ = await self.call("POST", f"/v2/orders/{order.id}/shipments", wanted)
        return status, answer


@pytest.fixture
def shop(box: Any) -> Shop:
    return Shop(box)


@pytest.fixture
def bay(box: Any) -> Shop:
    return Shop(box, "bay")


# -- how it is asked


async def test_a_wrong_token_is_401_a_missing_scope_and_another_store_are_403(shop: Shop) -> None:
    assert (await shop.call("GET", "/v2/orders", None, **{"X-Auth-Token": "wrong"}))[0] == 401
    shop.store.configure({"missing_scopes": ["orders"]})
    status, body, _ = await shop.call("GET", "/v2/orders")
    assert (status, type(body)) == (403, list)
    async with shop.box.http.get(f"{shop.box.url}/bigcommerce/stores/nobody/v2/orders") as answer:
        assert answer.status == 403


async def test_v2_answers_xml_unless_json_is_asked_for(shop: Shop) -> None:
    _, body, headers = await shop.call("GET", "/v2/orders", None, Accept="*/*")
    assert headers["Content-Type"].startswith("application/xml")
    assert body.startswith(b"<?xml")


async def test_every_answer_tells_the_stores_quota_and_an_empty_one_is_429(shop: Shop) -> None:
    shop.store.configure({"quota": 2, "window": 60.0})
    _, _, headers = await shop.call("GET", "/v2/store")
    assert (headers["X-Rate-Limit-Requests-Left"], headers["X-Rate-Limit-Requests-Quota"]) == ("1", "2")
    assert headers["X-Rate-Limit-Time-Window-Ms"] == "60000"
    await shop.call("GET", "/v2/store")
    status, _, headers = await shop.call("GET", "/v2/store")
    assert status == 429
    assert 0 < int(headers["X-Retry-After"]) <= 60
    assert 0 < int(headers["X-Rate-Limit-Time-Reset-Ms"]) <= 60_000


def test_the_quota_does_not_drip_but_is_whole_again_at_the_windows_end() -> None:
    now = [0.0]
    quota = Quota(2, 30.0, lambda: now[0])
    assert [quota.draw(), quota.draw(), quota.draw()] == [True, True, False]
    now[0] = 29.9
    assert not quota.draw()
    now[0] = 30.0
    assert [quota.draw(), quota.draw(), quota.draw()] == [True, True, False]


# -- lists


async def test_the_end_of_a_list_is_204_without_a_body(shop: Shop) -> None:
    assert (await shop.call("GET", "/v2/orders"))[:2] == (204, b"")
    order = shop.place(1)
    assert len(await shop.get("/v2/orders")) == 1
    assert (await shop.call("GET", "/v2/orders?page=2"))[:2] == (204, b"")
    assert (await shop.call("GET", f"/v2/orders/{order.id}/shipments"))[:2] == (204, b"")


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=250", 200), ("limit=251", 413), ("sort=date_modified:asc", 200), ("sort=date_modified:up", 400),
     ("sort=total:asc", 400), ("payment_status=paid", 400), ("min_date_modified=soon", 400), ("include=lines", 400),
     ("min_date_modified=Thu, 20 Apr 2017 11:32:00 -0400", 200), ("page=0", 400)],
)  # fmt: skip
async def test_what_the_list_of_orders_takes(shop: Shop, query: str, status: int) -> None:
    shop.place(1)
    assert (await shop.call("GET", f"/v2/orders?{query}"))[0] == status


async def test_an_order_names_neither_lines_nor_addresses_unless_they_are_included(shop: Shop) -> None:
    order = shop.place(3)
    plain = await shop.get(f"/v2/orders/{order.id}")
    assert set(plain["consignments"]) == set(plain["products"]) == {"url", "resource"}
    [shipping] = (await shop.get(f"/v2/orders/{order.id}?{INCLUDED}"))["consignments"]["shipping"]
    assert [line["quantity"] for line in shipping["line_items"]] == [3]
    assert shipping["country_iso2"] == "US"


async def test_dates_are_rfc_2822_and_amounts_have_four_decimals(shop: Shop) -> None:
    shown = await shop.get(f"/v2/orders/{shop.place(1).id}")
    assert shown["date_modified"].endswith("+0000")
    assert shown["total_inc_tax"] == "10.0000"


async def test_more_than_fifty_lines_come_in_pages(shop: Shop) -> None:
    order = shop.place(*([1] * 60))
    assert len(await shop.get(f"/v2/orders/{order.id}/products")) == 50
    assert len(await shop.get(f"/v2/orders/{order.id}/products?page=2")) == 10


# -- shipments

REFUSED = [
    ({"order_address_id": None}, "order_address_id"),
    ({"order_address_id": 1}, "order_address_id"),
    ({"items": None}, "items"),
    ({"items": [{"order_product_id": 1, "quantity": 1}]}, "order_product_id"),
    ({"tracking_number": "1" * 51}, "tracking_number"),
    ({"tracking_link": "https://x.example/" + "a" * 500}, "tracking_link"),
    ({"shipping_provider": "UPS"}, "shipping_provider"),
    ({"tracking_carrier": "northern-vans"}, "tracking_carrier"),
    ({"tracking": "1"}, "tracking"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
async def test_what_a_shipment_needs(shop: Shop, changes: dict[str, Any], field: str) -> None:
    order = shop.place(2)
    status, body = await shop.ship(order, (0, 1), **changes)
    assert (status, f"'{field}'" in body[0]["message"]) == (400, True)
    assert order.standing == []


async def test_more_than_is_open_is_refused(shop: Shop) -> None:
    order = shop.place(2)
    assert (await shop.ship(order, (0, 3)))[0] == 400
    assert (await shop.ship(order, (0, 1)))[0] == 201
    assert (await shop.ship(order, (0, 2)))[0] == 400


async def test_shipping_moves_the_status_and_a_second_part_does_not_move_the_date(shop: Shop) -> None:
    order = shop.place(3)
    order.date_modified = 1_700_000_000
    await shop.ship(order, (0, 1))
    assert order.status_id == 3
    moved, order.date_modified = order.date_modified, 1_700_000_000
    assert moved > 1_700_000_000
    await shop.ship(order, (0, 1))
    assert (order.status_id, order.date_modified) == (3, 1_700_000_000)
    await shop.ship(order, (0, 1))
    assert order.status_id == 2


async def test_a_deleted_shipment_is_gone_for_good_and_the_order_stays_shipped(shop: Shop) -> None:
    order = shop.place(2)
    _, made = await shop.ship(order, (0, 2))
    path = f"/v2/orders/{order.id}/shipments/{made['id']}"
    assert (await shop.call("DELETE", path))[:2] == (204, b"")
    assert (await shop.call("DELETE", path))[0] == 404
    assert (await shop.call("GET", f"/v2/orders/{order.id}/shipments"))[0] == 204
    shown = await shop.get(f"/v2/orders/{order.id}")
    assert (shown["status_id"], shown["items_shipped"]) == (2, 0)
    [remembered] = shop.store.find(str(order.id)).fulfillments
    assert not remembered.standing  # the report knows it still


async def test_a_link_is_generated_for_a_known_carrier_and_an_own_one_is_kept(shop: Shop) -> None:
    order = shop.place(2)
    _, made = await shop.ship(order, (0, 1), shipping_provider="ups", tracking_link="https://track.example/1")
    assert made["tracking_link"] == "https://track.example/1"
    assert "1Z1" in made["generated_tracking_link"]
    _, bare = await shop.ship(order, (0, 1))
    assert (bare["generated_tracking_link"], bare["shipping_method"]) == ("", "None")


# -- orders made by programs


def new_order(bay: Shop, **changes: Any) -> dict[str, Any]:
    product = next(iter(bay.store.products.values()))
    address = {"first_name": "Zoë", "zip": "62701", "country_iso2": "US", "email": "z@mail.example"}
    return {
        "billing_address": address,
        "shipping_addresses": [{**address, "shipping_method": "Standard"}],
        "products": [{"product_id": product.id, "variant_id": product.variant_id, "quantity": 2}],
        "external_order_id": "B-1001",
        "status_id": 11,
        **changes,
    }


@pytest.fixture
def stocked(bay: Shop) -> Shop:
    world = bay.box.world
    bay.store.stock(world.goods, {good.sku: 5 for good in world.goods})
    return bay


async def test_the_same_order_twice_is_two_orders_found_under_one_reference(stocked: Shop) -> None:
    for _ in range(2):
        assert (await stocked.call("POST", "/v2/orders", new_order(stocked)))[0] == 201
    assert len(await stocked.get("/v2/orders?external_order_id=B-1001")) == 2
    assert (await stocked.call("GET", "/v2/orders?external_order_id=B-100"))[0] == 204


@pytest.mark.parametrize(
    "changes",
    [{"billing_address": None}, {"billing_address": {"zip": "1", "country_iso2": "US"}}, {"products": []},
     {"products": [{"product_id": 1, "quantity": 1}]}, {"external_id": "B-1001"}, {"status_id": 99}, {"lines": []},
     {"products": [{"name": "Thing", "quantity": 1}]}],
)  # fmt: skip
async def test_what_an_order_needs(stocked: Shop, changes: dict[str, Any]) -> None:
    status, body, _ = await stocked.call("POST", "/v2/orders", new_order(stocked, **changes))
    assert (status, body[0]["status"]) == (400, 400)
    assert stocked.store.orders == {}


async def test_an_order_stands_as_pending_unless_it_says_otherwise_and_is_not_shipped(stocked: Shop) -> None:
    given = new_order(stocked)
    del given["status_id"]
    _, made, _ = await stocked.call("POST", "/v2/orders", given)
    assert made["status_id"] == 1
    assert list(stocked.store.arrivals()) == []
    await stocked.call("PUT", f"/v2/orders/{made['id']}", {"status_id": 11})
    assert [arrival.reference for arrival in stocked.store.arrivals()] == ["B-1001"]


async def test_a_canceled_order_is_not_shipped_any_more(stocked: Shop) -> None:
    _, made, _ = await stocked.call("POST", "/v2/orders", new_order(stocked))
    [arrival] = stocked.store.arrivals()
    await stocked.call("PUT", f"/v2/orders/{made['id']}", {"status_id": 5})
    pieces = {line_id: count for line_id, _, count in arrival.lines}
    assert stocked.store.ship(str(made["id"]), pieces, Parcel("ups", ("1Z1",), "https://t.example/1")) is None
    assert not next(stocked.store.asked()).live


# -- webhooks


async def test_what_happens_is_posted_to_the_hooks_of_its_scope_signed(shop: Shop) -> None:
    posts: list[Any] = []
    shop.store.post = posts.append
    hook = {"scope": "store/order/*", "destination": "https://hub.example/h", "headers": {"X-Own": "mine"}}
    assert (await shop.call("POST", "/v3/hooks", hook))[0] == 200
    order = shop.place(1)
    [post] = posts
    told = orjson.loads(post.body)
    assert (told["scope"], told["data"]) == ("store/order/created", {"type": "order", "id": order.id})
    name, at = post.headers["webhook-id"], post.headers["webhook-timestamp"]
    mac = hmac.new(b"bramble-client-secret", f"{name}.{at}.".encode() + post.body, hashlib.sha256).digest()
    assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert post.headers["X-Own"] == "mine"
    await shop.ship(order, (0, 1))
    assert len(posts) == 1  # shipments are another scope


async def test_a_hook_that_is_switched_off_is_silent_until_it_is_on_again(shop: Shop) -> None:
    posts: list[Any] = []
    shop.store.post = posts.append
    hook = {"scope": "store/order/created", "destination": "https://hub.example/h", "is_active": False}
    _, made, _ = await shop.call("POST", "/v3/hooks", hook)
    shop.place(1)
    assert posts == []
    assert (await shop.call("PUT", f"/v3/hooks/{made['data']['id']}", {"is_active": True}))[0] == 200
    shop.place(1)
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("hook", "field"),
    [({"destination": "https://hub.example/"}, "scope"), ({"scope": "store/order/created"}, "destination"),
     ({"scope": "store/moon/full", "destination": "https://hub.example/"}, "scope"),
     ({"scope": "store/order/created", "destination": "http://hub.example/"}, "destination"),
     ({"scope": "store/order/created", "destination": "https://hub.example:8443/"}, "destination")],
)  # fmt: skip
async def test_a_hook_goes_to_https_on_port_443(shop: Shop, hook: Any, field: str) -> None:
    shop.store.configure({"strict_destinations": True})
    status, body, _ = await shop.call("POST", "/v3/hooks", hook)
    assert (status, list(body["errors"])) == (422, [field])


# -- a whole store


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path / "all", Wish(orders=80, seed=7, shops=("bramble", "bay")))
    yield made
    made.close()


def test_it_has_every_kind_of_order_and_abandoned_payment_pages_beside(world: World) -> None:
    store: Any = world.shops["bramble"]
    kinds = {order.kind: order.expectation for order in store.judged()}
    assert kinds == EXPECTED
    assert any(order.status_id == 0 for order in store.orders.values())
    assert not any(order.kind == "" for order in store.judged())
    two = next(order for order in store.orders.values() if order.kind == "two_locations")
    assert len({line.order_address_id for line in two.lines}) == 2
    assert {order.payment_status for order in store.orders.values()} >= {"", "captured", "authorized", "refunded"}


def test_a_store_is_the_same_after_a_restart(world: World, tmp_path: Path) -> None:
    store: Any = world.shops["bramble"]
    store.merchant_ships(store.shown(store.place({"lines": [{"sku": "SKU-101", "quantity": 2}]})), {})
    world.journal.flush()
    again: Any = World(tmp_path / "all", Wish()).shops["bramble"]
    assert again.orders == store.orders
    assert again.products == store.products
    assert again.next_number() == store.next_number()


def test_ids_are_never_given_twice(world: World) -> None:
    stores: list[Any] = [world.shops[name] for name in ("bramble", "bay")]
    seen = [number for store in stores for number in store.ids()]
    assert len(seen) == len(set(seen))
