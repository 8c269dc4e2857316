"""The emulated Magento's own rules, asked as a program would ask it: what it ships, what it refuses, how it pages."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web

from sandbox.app import build
from sandbox.world import Wish, World

BEARER = {"Authorization": "Bearer at-mill-demo-token"}


class Asked:
    """A world, and its shop `mill` over HTTP."""

    def __init__(self, world: World, origin: str, session: ClientSession) -> None:
        self.world = world
        self.shop: Any = world.shops["mill"]
        self._root = f"{origin}/magento/mill/rest/default/V1"
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        async with self._session.request(method, self._root + path, json=body, headers=BEARER | headers) as answer:
            return answer.status, await answer.json()

    def place(self, *lines: dict[str, Any], **given: Any) -> Any:
        return self.shop.shown(self.shop.place({"lines": list(lines), **given}))


@pytest.fixture
async def mill(tmp_path: Path) -> Any:
    world = World(tmp_path, Wish(orders=40, seed=7, ship_after=3600.0, shops=("all",)))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        yield Asked(world, f"http://127.0.0.1:{runner.addresses[0][1]}", session)
    await runner.cleanup()


def criteria(**given: object) -> str:
    return "?" + urlencode({f"searchCriteria[{name}]": value for name, value in given.items()})


@pytest.mark.parametrize("body", [{}, {"items": []}, {"entity": {"items": [{"order_item_id": 1, "qty": 1}]}}])
async def test_without_items_everything_ships(mill: Asked, body: Any) -> None:
    order = mill.place({"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1, "ship_as": "configurable"})
    status, told = await mill.call("POST", f"/order/{order.entity_id}/ship", body)
    assert (status, isinstance(told, str)) == (200, True)
    assert [row.qty_shipped for row in order.rows] == [2, 1, 0]  # the child of a configurable is a dummy


async def test_a_dummy_row_takes_any_quantity_and_a_real_one_none_too_many(mill: Asked) -> None:
    order = mill.place({"sku": "A", "quantity": 2, "ship_as": "configurable"})
    parent, child = order.rows
    items = [{"order_item_id": child.item_id, "qty": 99}]
    assert (await mill.call("POST", f"/order/{order.entity_id}/ship", {"items": items}))[0] == 200
    items = [{"order_item_id": parent.item_id, "qty": 3}]
    status, said = await mill.call("POST", f"/order/{order.entity_id}/ship", {"items": items})
    assert status == 400
    assert said["message"].endswith('We found an invalid quantity to ship for item "A".')


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"order_item_id": 1, "qty": 1}], 'We can not found item "1" in order.'),
        ([{"order_item_id": None, "qty": 0}], "You can't create a shipment without products."),
    ],
)
async def test_what_cannot_ship_is_refused_in_magentos_words(mill: Asked, items: Any, said: str) -> None:
    order = mill.place({"sku": "A", "quantity": 1})
    for one in items:
        one["order_item_id"] = one["order_item_id"] or order.rows[0].item_id
    status, told = await mill.call("POST", f"/order/{order.entity_id}/ship", {"items": items})
    assert (status, said in told["message"]) == (400, True)


async def test_a_held_order_ships_nothing_and_completes_when_shipped_and_paid(mill: Asked) -> None:
    order = mill.place({"sku": "A", "quantity": 1}, payment="pending")
    mill.shop.act(order.increment_id, "hold", {})
    status, told = await mill.call("POST", f"/order/{order.entity_id}/ship", {})
    assert (status, "status of holded" in told["message"]) == (400, True)
    mill.shop.act(order.increment_id, "release", {})
    await mill.call("POST", f"/order/{order.entity_id}/ship", {})
    assert order.state == "processing"  # shipped, and not paid: processing says neither
    paid = mill.place({"sku": "A", "quantity": 1})
    await mill.call("POST", f"/order/{paid.entity_id}/ship", {})
    assert paid.state == "complete"


async def test_a_page_past_the_end_is_the_last_page_again(mill: Asked) -> None:
    for _ in range(5):
        mill.place({"sku": "A", "quantity": 1})
    pages = [(await mill.call("GET", "/orders" + criteria(pageSize=2, currentPage=n)))[1] for n in (3, 4, 9)]
    ids = [[one["entity_id"] for one in page["items"]] for page in pages]
    assert ids[0] == ids[1] == ids[2]
    assert [page["total_count"] for page in pages] == [5, 5, 5]
    assert len((await mill.call("GET", "/orders" + criteria(currentPage=1)))[1]["items"]) == 5  # no size: everything


async def test_what_changed_last_is_listed_last(mill: Asked) -> None:
    first, second = mill.place({"sku": "A", "quantity": 1}), mill.place({"sku": "A", "quantity": 1})
    first.updated_at, second.updated_at = second.updated_at + 60, second.updated_at
    sort = {"sortOrders][0][field": "updated_at", "sortOrders][0][direction": "ASC"}
    told = (await mill.call("GET", "/orders" + criteria(pageSize=10, **sort)))[1]
    assert [one["entity_id"] for one in told["items"]] == [second.entity_id, first.entity_id]


async def test_an_answer_is_trimmed_to_the_fields(mill: Asked) -> None:
    mill.place({"sku": "A", "quantity": 1})
    query = criteria(pageSize=1) + "&fields=" + "items[entity_id,items[sku]],total_count"
    told = (await mill.call("GET", "/orders" + query))[1]
    assert set(told) == {"items", "total_count"}
    assert told["items"][0]["items"] == [{"sku": "A"}]


async def test_a_cart_is_placed_once_and_stock_is_kept_for_it(mill: Asked) -> None:
    product = mill.shop.products["SKU-101"]
    product.on_hand = {"default": 3}
    masked = (await mill.call("POST", "/guest-carts"))[1]
    item = {"cartItem": {"quote_id": masked, "sku": "SKU-101", "qty": 3}}
    assert (await mill.call("POST", f"/guest-carts/{masked}/items", item))[0] == 200
    address = {"firstname": "A", "lastname": "B", "street": ["1"], "city": "C", "country_id": "DE", "postcode": "1"}
    told = {"shipping_address": {**address, "telephone": "1"}, "shipping_carrier_code": "flatrate"}
    information = {"addressInformation": {**told, "shipping_method_code": "flatrate"}}
    await mill.call("POST", f"/guest-carts/{masked}/shipping-information", information)
    payment = {"email": "a@b.example", "paymentMethod": {"method": "purchaseorder", "po_number": "M-1"}}
    status, order_id = await mill.call("POST", f"/guest-carts/{masked}/payment-information", payment)
    assert (status, mill.shop.orders[int(order_id)].po_number) == (200, "M-1")
    status, said = await mill.call("POST", f"/guest-carts/{masked}/payment-information", payment)
    assert (status, said["parameters"]["fieldName"]) == (404, "cartId")
    another = (await mill.call("POST", "/guest-carts"))[1]
    item["cartItem"]["quote_id"] = another
    status, said = await mill.call("POST", f"/guest-carts/{another}/items", item)
    assert (status, said["message"]) == (400, "The requested qty is not available")


async def test_everything_wrong_with_credentials_looks_alike(mill: Asked) -> None:
    for header in ("Bearer nonsense", "Basic eA==", ""):
        status, said = await mill.call("GET", "/orders" + criteria(pageSize=1), Authorization=header)
        assert (status, "%resources" in said["message"]) == (401, True)
    assert (await mill.call("GET", "/no-such-thing"))[0] == 404


async def test_a_restart_goes_on_where_it_stopped(mill: Asked, tmp_path: Path) -> None:
    order = mill.place({"sku": "A", "quantity": 2, "ship_as": "bundle"})
    await mill.call("POST", f"/order/{order.entity_id}/ship", {})
    await mill.call("POST", "/guest-carts")
    mill.shop.configure({"bearer": False})
    mill.world.journal.flush()
    again: Any = World(tmp_path, Wish()).shops["mill"]
    assert again.shown(order.increment_id) == order
    assert (again.settings, again.carts, again.products) == (mill.shop.settings, mill.shop.carts, mill.shop.products)
    assert set(again.ids()) == set(mill.shop.ids())
