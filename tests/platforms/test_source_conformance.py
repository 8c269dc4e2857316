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
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection
from waybill_platforms.registry import SOURCES


def test_every_source_platform_that_we_have_is_in_this_suite(conforming: Any) -> None:
    assert {platform.value for platform in SOURCES} == conforming[1]


# -- RequestSink


def request(number: int = 1, quantity: int = 2) -> SourceRequest:
    lines = (SourceRequestLine("a/9", "E-100", quantity, "Lamp"), SourceRequestLine("b/9", "E-100", 1, "Lampe Ü"))
    address = Address(
        name="Zoë Müller", line1="5 High Street", city="Springfield", region="IL", postal_code="62701", country="US",
        phone="+1 217 555 0100", email="zoe@mail.example",
    )  # fmt: skip
    return SourceRequest(f"E-{number} ü", f"#{number}", lines, address, "FedEx Ground", "USD")


@pytest.fixture
def ask(stage: Any) -> Callable[..., SourceRequest]:
    return asking(stage)


def asking(stage: Any) -> Callable[..., SourceRequest]:
    """A request in SKUs that the sandbox's source sells."""
    name = stage.theirs.name
    most = max((one for one in stage.world.levels if one.source == name), key=lambda one: one.on_hand)
    sku = next(good for good in stage.world.goods if good.sku == most.sku).source_sku(name)

    def build_request(number: int = 1, quantity: int = 2) -> SourceRequest:
        asked = request(number, quantity)
        lines = tuple(SourceRequestLine(li.line_ref, sku, li.quantity, li.title) for li in asked.lines)
        return SourceRequest(asked.reference, asked.order_number, lines, asked.ship_to, stage.row.method, "USD")

    return build_request


async def test_a_request_sent_twice_is_one_request(stage: Any, source: SourceConnection, hub: Any, ask: Any) -> None:
    first = await hub.submit(ask())
    again = await hub.submit(ask())
    assert first.platform_id == again.platform_id
    assert first == again or source.placer is not None  # its answer to the placing is an id alone
    assert first.is_for(ask())
    assert again.is_for(ask())
    assert first.acknowledged is again.acknowledged is source.features.acknowledges
    assert stage.theirs.count()[0] == 1


async def test_a_request_is_found_at_once_under_its_reference(source: SourceConnection, hub: Any, ask: Any) -> None:
    assert await hub.find(ask().reference) is None
    submitted = await hub.submit(ask())
    found = await hub.find(ask().reference)
    assert found is not None
    assert (found.platform_id, found.reference) == (submitted.platform_id, submitted.reference)
    assert found.is_for(ask())


async def test_a_reference_with_other_content_is_a_conflict(source: SourceConnection, hub: Any, ask: Any) -> None:
    if not source.features.dedupes_by_reference:
        pytest.skip("declared: a reference is only a word there")
    await hub.submit(ask())
    with pytest.raises(PlatformError) as raised:
        await hub.submit(ask(quantity=3))
    assert (raised.value.family, raised.value.code) == (Family.REFUSED, "reference_conflict")


async def test_an_unknown_sku_is_refused_with_its_code(hub: Any) -> None:
    with pytest.raises(PlatformError) as raised:
        await hub.submit(
            SourceRequest("E-1", "#1", (SourceRequestLine("1", "NO-SUCH", 1),), Address(country="US"), None, "USD")
        )
    assert (raised.value.family, raised.value.outcome, raised.value.code) == (Family.REFUSED, "none", "unknown_sku")


async def test_a_request_is_taken_back_while_nothing_has_shipped(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    submitted = await hub.submit(ask())
    for _ in range(2):  # asking again gives the same answer
        assert (await source.sink.cancel(submitted.platform_id, submitted.reference)).result == "accepted"
    found = await hub.find(submitted.reference)
    assert found is not None
    assert (found.canceled, found.acknowledged) == (True, False)
    assert stage.theirs.ship_now(None) == []


async def test_a_request_that_has_shipped_is_not_taken_back(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    submitted = await hub.submit(ask())
    stage.theirs.ship_now(None)
    answer = await source.sink.cancel(submitted.platform_id, submitted.reference)
    assert answer.result == "refused"
    assert answer.message


async def test_what_the_source_will_not_ship_is_told_by_line(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    submitted = await hub.submit(ask())
    theirs, ours = ("a/9", "a/9") if stage.row.names_refs else (ask().lines[0].sku, "b/9")
    stage.theirs.give_up(submitted.platform_id, {"lines": [{"line_ref": theirs, "quantity": 1}]})
    found = await hub.find(submitted.reference)
    assert found is not None
    assert found.canceled_lines == ((ours, 1),)
    assert found.is_for(ask())


# -- ShipmentReader


async def test_shipments_of_a_request_whose_fate_we_do_not_know_are_found_by_its_reference(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    if source.placer is not None:
        pytest.skip("a request is known there by the handle that was stored")
    await hub.submit(ask())
    await hub.submit(ask(2))
    stage.theirs.ship_now(None)
    lost = OpenRequest(ask().reference, None)
    read = await source.shipments.list_shipments(None, [lost])
    found = [one for one in read.shipments if one.reference == ask().reference]
    assert sum(line.quantity for one in found for line in one.lines) == 3


async def shipments(source: SourceConnection, hub: Any, since: datetime | None = None) -> list[Any]:
    found: list[Any] = []
    page, requests = None, await hub.open()
    while True:
        read = await source.shipments.list_shipments(since, requests, page)
        assert read.problems == ()
        found += read.shipments
        page = read.next
        if page is None:
            return found


async def test_shipments_name_the_requests_lines_and_add_up(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    await hub.submit(ask(quantity=5))
    stage.theirs.ship_now(None)
    shipped: Counter[str] = Counter()
    for shipment in await shipments(source, hub):
        assert (shipment.reference, shipment.status) == (ask().reference, "shipped")
        assert shipment.carrier
        assert shipment.tracking_numbers
        assert (shipment.tracking_url or "https://").startswith("http")
        for line in shipment.lines:
            shipped[line.line_ref or line.sku] += line.quantity
    assert shipped == ({"a/9": 5, "b/9": 1} if stage.row.keeps_refs else {ask().lines[0].sku: 6})


async def test_changed_shipments_are_listed_since_a_moment_withdrawn_ones_too(
    stage: Any, source: SourceConnection, hub: Any, ask: Any
) -> None:
    await hub.submit(ask())
    stage.theirs.ship_now(None)
    before = await shipments(source, hub)
    latest = max(shipment.updated_at for shipment in before)
    assert any(shipment.updated_at == latest for shipment in await shipments(source, hub, latest))  # inclusive
    if source.features.lists_changed_shipments:
        assert await shipments(source, hub, latest + timedelta(seconds=1)) == []
    if not stage.row.withdraws:
        return
    stage.theirs.act_on_shipment(before[0].id, "replace", {})
    after = {shipment.id: shipment for shipment in await shipments(source, hub, latest)}
    assert after[before[0].id].status == "canceled"
    assert len(await shipments(source, hub)) == len(before) + 1


async def test_all_pages_of_shipments_are_walked(
    stage: Any, source: SourceConnection, hub: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stage.row.page:
        pytest.skip("shipments come in no pages")
    monkeypatch.setattr(stage.row.page, 2)
    for number in range(3):
        await hub.submit(ask(number, 1))
    stage.theirs.ship_now(None)
    found = await shipments(source, hub)
    assert len({shipment.id for shipment in found}) == len(found) == stage.theirs.count()[1]


async def test_a_sources_failures_have_their_family_cause_and_outcome(
    source: SourceConnection, hub: Any, stage: Any, ask: Any, failure: Any
) -> None:
    kind, params, family, cause, outcome = failure
    stage.misbehave(kind, stage.row.creates, **params)
    with pytest.raises(PlatformError) as raised:
        await hub.submit(ask())
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)
    found = await hub.find(ask().reference)
    assert (found is not None) == (kind in {"lost", "cut"})
    assert (await hub.submit(ask())).is_for(ask())
    assert stage.theirs.count()[0] == 1


async def test_a_wait_that_is_asked_for_is_told_and_shared(stage: Any, source: SourceConnection, ledger: Any) -> None:
    stage.misbehave("429", retry_after=7)
    requests = [OpenRequest("E-1", "1")]
    with pytest.raises(PlatformError) as raised:
        await source.shipments.list_shipments(None, requests)
    assert raised.value.retry_after == 7.0
    assert ledger.blocks == [7.0]
