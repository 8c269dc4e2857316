"""What an order costs in calls at BigCommerce, measured against the sandbox; README.md's table says these numbers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from waybill_contracts.configuration import Channel, Source
from waybill_contracts.values import Address
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.registry import open_channel, open_source

EVER = datetime(2000, 1, 1, tzinfo=UTC)
COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1.00"}]}


@pytest.fixture
async def shop(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    given = {"id": "bramble-shop", **stage.world.shops["bramble"].connection(stage.origin)}
    connection = open_channel(Channel.model_validate(given), given["credentials"], budget=ledger)
    assert connection is not None
    yield connection
    await connection.aclose()


@pytest.fixture
async def supplier(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    given = {"id": "bay", "costs": COSTS, **stage.world.shops["bay"].connection(stage.origin)}
    connection = open_source(Source.model_validate(given), given["credentials"], budget=ledger)
    assert connection is not None
    yield connection
    await connection.aclose()


def calls(ledger: Any) -> int:
    """Since the last time that it was asked."""
    made = len(ledger.draws)
    ledger.draws.clear()
    return made


async def test_a_shops_calls(stage: Any, shop: Any, ledger: Any) -> None:
    store = stage.world.shops["bramble"]
    page = await shop.reader.list_changed(EVER, limit=250)
    assert len(page.orders) == store.count()[0] - sum(order.status_id == 0 for order in store.orders.values())
    assert calls(ledger) == 1  # with all lines and addresses, none read again
    number = store.place({"lines": [{"sku": "SKU-100", "quantity": 2}]})
    stage.world.journal.flush()
    order = await shop.reader.get_order(number)
    assert calls(ledger) == 1
    state = await shop.writer.read(number)
    assert calls(ledger) == 2
    lines = ((order.lines[0].line_id, 2),)
    [call] = shop.writer.calls_for(state, FulfillmentDraft(number, lines, "ups", ("1Z1",), "https://t.example/1"))
    made = await shop.writer.create(call)
    assert calls(ledger) == 1
    await shop.writer.update_tracking(made.id, carrier="ups", tracking_numbers=("1Z2",), tracking_url=None)
    assert calls(ledger) == 1
    await shop.writer.cancel(made.id)
    assert calls(ledger) == 4
    assert await shop.carriers.carriers()
    assert calls(ledger) == 0


async def test_a_couriers_service_stands_beside_it_and_is_read_back(stage: Any, shop: Any) -> None:
    """SP-7: in the place that names a carrier without a code, so such a one has none."""
    number = stage.world.shops["bramble"].place({"lines": [{"sku": "SKU-100", "quantity": 3}]})
    stage.world.journal.flush()
    order = await shop.reader.get_order(number)
    for carrier, shown in (("ups", "UPS® Ground"), ("dhl", "UPS® Ground"), ("Northern Vans", "")):
        lines = ((order.lines[0].line_id, 1),)
        draft = FulfillmentDraft(number, lines, carrier, ("1Z1",), service="UPS® Ground")
        [call] = shop.writer.calls_for(await shop.writer.read(number), draft)
        made = await shop.writer.create(call)
        assert (made.carrier, made.service) == (carrier, shown)
    corrected = await shop.writer.update_tracking(
        made.id, carrier="ups", tracking_numbers=("1Z2",), tracking_url=None, service="UPS® Express"
    )
    assert (corrected.carrier, corrected.service) == ("ups", "UPS® Express")
    assert corrected in (await shop.writer.read(number)).fulfillments


async def test_a_long_order_costs_no_call_of_its_own(stage: Any, shop: Any, ledger: Any) -> None:
    lines = [{"sku": f"SKU-{number}", "quantity": 1} for number in range(230)]
    number = stage.world.shops["bramble"].place({"lines": lines})
    stage.world.journal.flush()
    assert len((await shop.reader.get_order(number)).lines) == 230
    assert calls(ledger) == 1


async def test_a_suppliers_calls(stage: Any, supplier: Any, ledger: Any) -> None:
    goods = [level.sku for level in stage.world.levels if level.source == "bay"][:10]
    skus = [good.source_sku("bay") for good in stage.world.goods if good.sku in goods]
    opened = []
    for number in range(20):
        asked = tuple(SourceRequestLine(f"{place}/9", sku, 1) for place, sku in enumerate(skus))
        address = Address(name="Zoë Müller", country="US", postal_code="62701")
        made = await supplier.sink.submit(SourceRequest(f"B-{number}", f"#{number}", asked, address, None, "USD"))
        opened.append(OpenRequest(made.reference, made.platform_id))
    assert calls(ledger) == 21  # one look-up of ten SKUs, then one call a request
    await supplier.sink.find("B-1")
    assert calls(ledger) == 1
    await supplier.shipments.list_shipments(None, opened)
    assert calls(ledger) == 1  # nothing has left: one call for all twenty
    stage.world.sources["bay"].ship_now("B-3")
    stage.world.journal.flush()
    page = await supplier.shipments.list_shipments(None, opened)
    assert {shipment.reference for shipment in page.shipments} == {"B-3"}
    assert calls(ledger) == 2
    await supplier.sink.cancel(opened[0].platform_id, "B-0")
    assert calls(ledger) == 2
