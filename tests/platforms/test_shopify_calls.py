"""What a Shopify connection costs, measured at the sandbox and printed in its README: calls and points for one order.

Calls are exact. Points are the sandbox's rule (`sandbox/shopify/cost.py`): the true ones are told by no document.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from waybill_contracts.values import Address
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.recording import Exchange, recording
from waybill_platforms.shopify import client
from waybill_platforms.shopify.settings import ShopifySettings

README = Path(client.__file__).with_name("README.md")
EVER = datetime(2000, 1, 1, tzinfo=UTC)
REQUESTS = 20


def opened(stage: Any, name: str, open_it: Any, ledger: Any) -> Any:
    given = stage.world.shops[name].connection(stage.origin)
    return open_it(name, ShopifySettings.of(name, given["url"], given["credentials"]), ledger)


@pytest.fixture
async def acme(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    connection = opened(stage, "acme", client.open_channel, ledger)
    yield connection
    await connection.aclose()


@pytest.fixture
async def depot(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    connection = opened(stage, "depot", client.open_source, ledger)
    yield connection
    await connection.aclose()


def row(what: str, exchanges: Iterable[Exchange], orders: int) -> str:
    made = list(exchanges)
    points = sum(orjson.loads(one.response_body)["extensions"]["cost"]["actualQueryCost"] for one in made)
    return f"| {what} | {len(made) / orders:.2f} | {points / orders:.0f} |"


def printed(line: str) -> None:
    """The row stands in the README, letter by letter; when it does not, this is what to write there."""
    assert line in README.read_text().splitlines(), f"write into {README.name}: {line}"


async def test_listing_orders_costs_what_the_readme_says(acme: Any) -> None:
    orders, page = 0, None
    with recording() as exchanges:
        while True:
            found = await acme.reader.list_changed(EVER, page)
            orders, page = orders + len(found.orders), found.next
            if page is None:
                break
    printed(row("an order is seen (list of what changed)", exchanges, orders))


async def test_telling_a_shipment_costs_what_the_readme_says(stage: Any, acme: Any) -> None:
    chosen = [order for order in stage.shop.judged() if order.kind == "plain"][:10]
    with recording() as exchanges:
        for order in chosen:
            state = await acme.writer.read(f"gid://shopify/Order/{order.id}")
            draft = FulfillmentDraft(
                state.order_id, tuple(state.remaining.items()), "UPS", ("1Z",), "https://t.example"
            )
            [call] = acme.writer.calls_for(state, draft)
            await acme.writer.create(call)
            await acme.writer.read(state.order_id)
    printed(row("a shipment is told: read, create, read back", exchanges, len(chosen)))


def requests(stage: Any) -> list[SourceRequest]:
    skus = [level.sku for level in stage.world.levels if level.source == "depot"]
    where = Address(name="Zoë Müller", line1="5 High Street", city="Springfield", country="US")
    made = []
    for n in range(REQUESTS):
        lines = (SourceRequestLine("a", skus[n % 10], 2), SourceRequestLine("b", skus[n % 7], 1))
        made.append(SourceRequest(f"D-{n}", f"#{n}", lines, where, "Express", "USD"))
    return made


async def test_asking_to_ship_costs_what_the_readme_says(stage: Any, depot: Any) -> None:
    with recording() as exchanges:
        submitted = [await depot.sink.submit(one) for one in requests(stage)]
    printed(row("a request is made (SKUs are looked up once)", exchanges, REQUESTS))
    asked = [OpenRequest(one.reference, one.platform_id) for one in submitted]
    with recording() as exchanges:
        assert (await depot.shipments.list_shipments(None, asked)).shipments == ()
    printed(row("a poll while nothing has shipped", exchanges, REQUESTS))
    stage.world.sources["depot"].ship_now(None)
    with recording() as exchanges:
        assert len((await depot.shipments.list_shipments(None, asked)).shipments) >= REQUESTS
    printed(row("a poll when all of them have shipped", exchanges, REQUESTS))
