"""Shops that ship for others: what programs order there is shipped by itself, given up, corrected, not forgotten."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox.names import Names
from sandbox.report import Facts, judge
from sandbox.shopify.creating import create_order
from sandbox.shops import Post
from sandbox.world import Wish, World

WISH = Wish(orders=8, seed=3, ship_after=0.05, shops=("acme", "depot"))


@pytest.fixture
def world(tmp_path: Path) -> Any:
    return World(tmp_path, WISH)


def order(world: World, quantity: int = 3, reference: str = "D-1001") -> Any:
    """As a hub orders: two lines of one SKU, each with a ref of its own."""
    shop: Any = world.shops["depot"]
    variant = next(iter(shop.catalogue.variants.values()))
    line = {"variantId": f"gid://shopify/ProductVariant/{variant.id}", "requiresShipping": True}
    lines = [
        {**line, "quantity": quantity, "properties": [{"name": "_waybill_line", "value": "l/1"}]},
        {**line, "quantity": 1, "properties": [{"name": "_waybill_line", "value": "l/2"}]},
    ]
    given = {"lineItems": lines, "sourceIdentifier": reference, "poNumber": "#1001", "financialStatus": "PAID"}
    return create_order(shop, given, {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"})


def shipped(world: World) -> dict[str, int]:
    total: dict[str, int] = {}
    for sent in world.sources["depot"].sent():
        for line_ref, _, quantity in sent.lines if sent.standing else ():
            total[line_ref] = total.get(line_ref, 0) + quantity
    return total


async def until(so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if so():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never came")


async def test_what_a_program_ordered_is_shipped_by_itself_whole_and_once(world: World) -> None:
    order(world)
    task = asyncio.create_task(world.run_sources())
    await until(lambda: sum(shipped(world).values()) >= 4)
    await asyncio.sleep(0.3)
    task.cancel()
    assert shipped(world) == {"l/1": 3, "l/2": 1}


def test_an_unpaid_or_canceled_order_is_not_shipped(world: World) -> None:
    made = order(world)
    made.display_financial_status = "PENDING"
    assert world.sources["depot"].ship_now(None) == []
    made.display_financial_status = "PAID"
    world.shops["depot"].act(made.name, "cancel", {})
    assert world.sources["depot"].ship_now(None) == []


def test_what_is_given_up_is_not_shipped_and_no_longer_asked_for(world: World) -> None:
    made = order(world)
    world.sources["depot"].give_up(str(made.id), {"lines": [{"line_ref": "l/1", "quantity": 2}]})
    world.sources["depot"].ship_now(None)
    assert shipped(world) == {"l/1": 1, "l/2": 1}
    [asked] = world.sources["depot"].asked()
    assert sum(quantity for _, quantity in asked.lines) == 2


def test_a_replaced_shipment_stands_under_a_new_id_and_number(world: World) -> None:
    order(world)
    before = world.sources["depot"].ship_now(None)
    numbers = {number for sent in world.sources["depot"].sent() for number in sent.numbers}
    world.sources["depot"].act_on_shipment(before[0], "replace", {})
    assert shipped(world) == {"l/1": 3, "l/2": 1}
    standing = [sent for sent in world.sources["depot"].sent() if sent.standing]
    assert before[0] not in {sent.id for sent in standing}
    assert any(number not in numbers for sent in standing for number in sent.numbers)


def test_orders_shelves_and_work_to_do_outlive_a_restart(world: World, tmp_path: Path) -> None:
    made = order(world)
    shop: Any = world.shops["depot"]
    left = shop.catalogue.variants[made.lines[0].variant_id].available
    world.sources["depot"].next_due()  # takes it on
    world.close()
    again = World(tmp_path, WISH)
    assert again.shops["depot"].catalogue.variants[made.lines[0].variant_id].available == left  # type: ignore[attr-defined]
    again.sources["depot"].ship_now(None)
    assert shipped(again) == {"l/1": 3, "l/2": 1}
    assert again.new_id() > max(again.shops["depot"].ids())
    again.close()


def test_the_order_that_a_reference_belongs_to_is_known_by_its_number_or_by_the_reference(world: World) -> None:
    order(world, reference="D-1001-2")
    facts = Facts(
        orders=list(world.shop.judged()),
        requests=list(world.sources["depot"].asked()),
        shipments=[],
        levels=world.levels,
        names=_names(world),
    )
    told = judge(facts)
    assert "unknown_order" not in told["mismatches"]


def _names(world: World) -> Any:
    couriers = {name: source.couriers for name, source in world.sources.items()}
    return Names.of(world.goods, couriers, {"acme": world.shop.couriers})


# -- webhooks


@pytest.fixture
async def inbox() -> AsyncIterator[Any]:
    """Answers 500 twice, then 200; keeps what came."""
    came: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        came.append(dict(request.headers))
        return web.Response(status=500 if len(came) < 3 else 200)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", came
    await runner.cleanup()


async def test_a_webhook_is_tried_again_and_ends_in_the_ledger(world: World, inbox: Any) -> None:
    url, came = inbox
    task = asyncio.create_task(world.postman.run())
    world.postman.post(Post(url, {"X-Shopify-Topic": "orders/create"}, b"{}", "orders/create"))
    await until(lambda: any(b'"webhook"' in entry for entry in world.journal.entries))
    task.cancel()
    assert len(came) == 3
    [entry] = [entry for entry in world.journal.entries if b'"webhook"' in entry]
    assert b'"attempts":3' in entry
    assert b'"answer":200' in entry
