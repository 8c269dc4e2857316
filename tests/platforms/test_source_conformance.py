"""Submitting requests and reading shipments, on every platform that plays this role, against the sandbox.

A platform joins by a line in `conftest.py`. What the sandbox emulates is what the platforms' documentation says; the
one drift that this cannot catch is a platform that behaves otherwise than it says.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.errors import PlatformError
from waybill_platforms.model import SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection
from waybill_platforms.registry import SOURCES


def test_every_source_platform_that_we_have_is_in_this_suite(conforming: Any) -> None:
    assert {platform.value for platform in SOURCES} == conforming[1]


# -- RequestSink


def request(number: int = 1, quantity: int = 2) -> SourceRequest:
    lines = (SourceRequestLine("a/9", "E-100", quantity, "Lamp"), SourceRequestLine("b/9", "E-100", 1, "Lampe Ü"))
    address = Address(name="Zoë Müller", line1="5 High Street", city="Springfield", country="US")
    return SourceRequest(f"E-{number} ü", f"#{number}", lines, address, "FedEx Ground", "USD")


@pytest.fixture
def ask(stage: Any) -> Callable[..., SourceRequest]:
    """A request in SKUs that the sandbox's source sells."""
    sku = stage.world.goods[0].source_sku(stage.theirs.name)

    def build_request(number: int = 1, quantity: int = 2) -> SourceRequest:
        asked = request(number, quantity)
        lines = tuple(SourceRequestLine(li.line_ref, sku, li.quantity, li.title) for li in asked.lines)
        return SourceRequest(asked.reference, asked.order_number, lines, asked.ship_to, asked.shipping_method, "USD")

    return build_request


async def test_a_request_sent_twice_is_one_request(stage: Any, source: SourceConnection, ask: Any) -> None:
    first = await source.sink.submit(ask())
    again = await source.sink.submit(ask())
    assert first == again
    assert first.is_for(ask())
    assert first.acknowledged is source.features.acknowledges
    assert stage.theirs.count()[0] == 1


async def test_a_request_is_found_at_once_under_its_reference(source: SourceConnection, ask: Any) -> None:
    assert await source.sink.find(ask().reference) is None
    submitted = await source.sink.submit(ask())
    assert await source.sink.find(ask().reference) == submitted


async def test_a_reference_with_other_content_is_a_conflict(source: SourceConnection, ask: Any) -> None:
    await source.sink.submit(ask())
    with pytest.raises(PlatformError) as raised:
        await source.sink.submit(ask(quantity=3))
    assert (raised.value.family, raised.value.code) == (Family.REFUSED, "reference_conflict")


async def test_an_unknown_sku_is_refused_with_its_code(source: SourceConnection) -> None:
    with pytest.raises(PlatformError) as raised:
        await source.sink.submit(
            SourceRequest("E-1", "#1", (SourceRequestLine("1", "NO-SUCH", 1),), Address(country="US"), None, "USD")
        )
    assert (raised.value.family, raised.value.outcome, raised.value.code) == (Family.REFUSED, "none", "unknown_sku")


async def test_a_request_is_taken_back_while_nothing_has_shipped(
    stage: Any, source: SourceConnection, ask: Any
) -> None:
    submitted = await source.sink.submit(ask())
    for _ in range(2):  # asking again gives the same answer
        assert (await source.sink.cancel(submitted.platform_id, submitted.reference)).result == "accepted"
    found = await source.sink.find(submitted.reference)
    assert found is not None
    assert (found.canceled, found.acknowledged) == (True, False)
    assert stage.theirs.ship_now(None) == []


async def test_a_request_that_has_shipped_is_not_taken_back(stage: Any, source: SourceConnection, ask: Any) -> None:
    submitted = await source.sink.submit(ask())
    stage.theirs.ship_now(None)
    answer = await source.sink.cancel(submitted.platform_id, submitted.reference)
    assert answer.result == "refused"
    assert answer.message


async def test_what_the_source_will_not_ship_is_told_by_line(stage: Any, source: SourceConnection, ask: Any) -> None:
    submitted = await source.sink.submit(ask())
    stage.theirs.give_up(submitted.platform_id, {"lines": [{"line_ref": "a/9", "quantity": 1}]})
    found = await source.sink.find(submitted.reference)
    assert found is not None
    assert found.canceled_lines == (("a/9", 1),)
    assert found.is_for(ask())


# -- ShipmentReader


async def shipments(source: SourceConnection, since: datetime | None = None) -> list[Any]:
    found: list[Any] = []
    page = None
    while True:
        read = await source.shipments.list_shipments(since, (), page)
        assert read.problems == ()
        found += read.shipments
        page = read.next
        if page is None:
            return found


async def test_shipments_name_the_requests_lines_and_add_up(stage: Any, source: SourceConnection, ask: Any) -> None:
    await source.sink.submit(ask(quantity=5))
    stage.theirs.ship_now(None)
    shipped: Counter[str] = Counter()
    for shipment in await shipments(source):
        assert (shipment.reference, shipment.status) == (ask().reference, "shipped")
        assert shipment.carrier
        assert shipment.tracking_numbers
        assert (shipment.tracking_url or "https://").startswith("http")
        shipped.update({line.line_ref: line.quantity for line in shipment.lines})
    assert shipped == {"a/9": 5, "b/9": 1}


async def test_changed_shipments_are_listed_since_a_moment_withdrawn_ones_too(
    stage: Any, source: SourceConnection, ask: Any
) -> None:
    await source.sink.submit(ask())
    stage.theirs.ship_now(None)
    before = await shipments(source)
    latest = max(shipment.updated_at for shipment in before)
    assert any(shipment.updated_at == latest for shipment in await shipments(source, latest))  # inclusive
    assert await shipments(source, latest + timedelta(seconds=1)) == []
    stage.theirs.act_on_shipment(before[0].id, "replace", {})
    after = {shipment.id: shipment for shipment in await shipments(source, latest)}
    assert after[before[0].id].status == "canceled"
    assert len(await shipments(source)) == len(before) + 1


async def test_all_pages_of_shipments_are_walked(
    stage: Any, source: SourceConnection, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stage.row.page:
        pytest.skip("shipments come in no pages")
    monkeypatch.setattr(stage.row.page, 2)
    for number in range(5):
        await source.sink.submit(ask(number))
    stage.theirs.ship_now(None)
    found = await shipments(source)
    assert len({shipment.id for shipment in found}) == len(found) == stage.theirs.count()[1]


async def test_a_sources_failures_have_their_family_cause_and_outcome(
    source: SourceConnection, stage: Any, ask: Any, failure: Any
) -> None:
    kind, params, family, cause, outcome = failure
    stage.misbehave(kind, stage.row.creates, **params)
    with pytest.raises(PlatformError) as raised:
        await source.sink.submit(ask())
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)
    found = await source.sink.find(ask().reference)
    assert (found is not None) == (kind in {"lost", "cut"})
    assert (await source.sink.submit(ask())).is_for(ask())
    assert stage.theirs.count()[0] == 1


async def test_a_wait_that_is_asked_for_is_told_and_shared(stage: Any, source: SourceConnection, ledger: Any) -> None:
    stage.misbehave("429", retry_after=7)
    with pytest.raises(PlatformError) as raised:
        await source.shipments.list_shipments(None)
    assert raised.value.retry_after == 7.0
    assert ledger.blocks == [7.0]
