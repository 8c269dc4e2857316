"""What Magento answers, and what we make of it; each trap of its API by name. Against small servers and the sandbox."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.errors import PlatformError
from waybill_platforms.magento import orders as order_pages
from waybill_platforms.magento import stock as stock_pages
from waybill_platforms.magento.client import open_channel, open_source
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.fulfillments import CreateCall, FulfillmentDraft
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.recording import recording

EVER = datetime(2000, 1, 1, tzinfo=UTC)
SHIP = CreateCall("7", "", (("13", 1),), "UPS", ("1Z1",), None, {"items": [{"order_item_id": 13, "qty": 1}]})


@pytest.fixture
def payloads(load: Callable[[str], Any]) -> Any:
    return load("magento_payloads")


@pytest.fixture
async def answering(serve: Any, ledger: Any) -> AsyncIterator[Any]:
    """`await answering(status, body)` -> a channel whose store answers every call so; `.asked` keeps the calls."""
    opened: list[Any] = []

    async def make(status: int, body: Any, **credentials: str) -> Any:
        async def handle(request: web.Request) -> web.Response:
            if isinstance(body, str):
                return web.Response(status=status, text=body, content_type="text/html")
            return web.json_response(body, status=status)

        settings = MagentoSettings.of("m", await serve(handle), {"access_token": "token-of-the-shop", **credentials})
        opened.append(open_channel("m", settings, ledger))
        return opened[-1]

    yield make
    for connection in opened:
        await connection.aclose()


@pytest.mark.parametrize(
    ("status", "message", "parameters", "family", "cause", "outcome"),
    [
        (400, "Shipment Document Validation Error(s):\nWe found an invalid quantity to ship for item \"x\".", None,
         Family.REFUSED, "refused", "none"),
        (400, "Could not save a shipment, see error log for details", None, Family.LATER, "server", "unknown"),
        (400, "oauth_problem=timestamp_refused", None, Family.UNAUTHORIZED, "unauthorized", "none"),
        (400, "oauth_problem=signature_method_rejected", None, Family.UNAUTHORIZED, "unauthorized", "none"),
        (401, "The signature is invalid. Verify and try again.", None, Family.UNAUTHORIZED, "unauthorized", "none"),
        (401, "The consumer isn't authorized to access %resources.", {"resources": "Magento_Sales::ship"},
         Family.UNAUTHORIZED, "unauthorized", "none"),
        (401, "The nonce is already being used by the consumer with an ID of %1.", [4],
         Family.LATER, "connection", "unknown"),
        (404, "Request does not match any route.", None, Family.REFUSED, "configuration", "none"),
        (429, "Too Many Requests", None, Family.LATER, "rate_limit", "none"),
        (500, "Internal Error. Details are available in Magento log file.", None, Family.LATER, "server", "unknown"),
    ],
)  # fmt: skip
async def test_each_refusal_has_its_meaning_whatever_its_status(
    answering: Any, payloads: Any, status: int, message: str, parameters: Any, family: Family, cause: str, outcome: str
) -> None:
    shop = await answering(status, payloads.refusal(message, parameters))
    with recording() as exchanges, pytest.raises(PlatformError) as raised:
        await shop.writer.create(SHIP)
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)
    assert "secret-of-the-shop" not in raised.value.message  # the trace
    assert "%" not in raised.value.message
    assert (exchanges[0].outcome == "unknown") is (outcome == "unknown")


async def test_an_order_that_is_not_there_is_none_and_a_wrong_address_is_not(answering: Any, payloads: Any) -> None:
    gone = await answering(404, payloads.refusal("The entity that was requested doesn't exist. Verify the entity."))
    assert await gone.reader.get_order("7") is None
    wrong = await answering(404, payloads.refusal("Request does not match any route."))
    with pytest.raises(PlatformError) as raised:
        await wrong.reader.get_order("7")
    assert raised.value.cause == "configuration"


@pytest.mark.parametrize("told", [12, "12"])
async def test_a_shipments_id_is_a_number_or_a_quoted_one(answering: Any, told: object) -> None:
    shop = await answering(200, told)
    assert (await shop.writer.create(SHIP)).id == "12"


async def test_one_odd_order_hides_no_other(answering: Any, payloads: Any) -> None:
    odd = payloads.order(entity_id=8, increment_id="000000008", items=[{"item_id": "x"}])
    timeless = payloads.order(entity_id=9, increment_id="000000009", created_at="yesterday")
    shop = await answering(200, {"items": [payloads.order(), odd, timeless], "search_criteria": {}, "total_count": 3})
    page = await shop.reader.list_changed(EVER)
    assert [order.id for order in page.orders] == ["7"]
    assert len(page.problems) == 2
    assert "000000008" in page.problems[0]


@pytest.mark.parametrize("time", [None, "", "0000-00-00 00:00:00", "yesterday"])
async def test_an_order_without_a_time_is_named_and_the_walk_goes_on_from_the_others(
    answering: Any, payloads: Any, time: str | None
) -> None:
    """At the end of a full page, where the walk would have to stand on it."""
    rows = [payloads.order(), payloads.order(entity_id=9, increment_id="000000009", updated_at=time)]
    shop = await answering(200, {"items": rows, "search_criteria": {}, "total_count": 5})
    page = await shop.reader.list_changed(EVER, limit=2)
    assert [order.id for order in page.orders] == ["7"]
    assert page.next is not None
    assert "000000009: updated_at" in page.problems[0]


async def test_a_full_page_of_which_no_order_has_a_time_is_an_error(answering: Any, payloads: Any) -> None:
    rows = [payloads.order(entity_id=n, updated_at="") for n in (8, 9)]
    shop = await answering(200, {"items": rows, "search_criteria": {}, "total_count": 5})
    with pytest.raises(PlatformError, match="no order of a whole page can be read") as raised:
        await shop.reader.list_changed(EVER, limit=2)
    assert raised.value.cause == "unreadable"


async def test_a_flag_is_a_whole_number(answering: Any, payloads: Any) -> None:
    """As the contract has them: 0 is no, and whatever else is yes."""
    row = payloads.order()["items"][0]
    order = payloads.order(items=[row | {"is_virtual": 0}, row | {"item_id": 99, "is_virtual": 2}])
    read = await (await answering(200, order)).reader.get_order("7")
    assert [line.requires_shipping for line in read.lines] == [True, False]


async def test_secrets_are_in_no_record(answering: Any) -> None:
    secret = {"consumer_key": "ck-secret-1", "consumer_secret": "cs-secret-2", "access_token_secret": "ats-secret-3"}
    shop = await answering(401, {"message": "no"}, **secret)
    with recording() as exchanges, pytest.raises(PlatformError):
        await shop.reader.get_order("7")
    told = exchanges[0].event("order-ingest").model_dump_json()
    assert "oauth_signature" not in told
    assert not any(text in told for text in (*secret.values(), "token-of-the-shop"))


# -- walking


def numbered(count: int, at: Callable[[int], str], payloads: Any) -> list[dict[str, Any]]:
    return [
        payloads.order(entity_id=n, increment_id=f"{n:09d}", updated_at=at(n), created_at=at(n))
        for n in range(1, count + 1)
    ]


class Store:
    """Searches as Magento does: by `updated_at` and `entity_id`, sorted; a page past the end is the last one again."""

    def __init__(self, orders: list[dict[str, Any]]) -> None:
        self.orders = orders
        self.calls = 0
        self.between: Callable[[], None] = lambda: None

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        found = list(self.orders)
        group = 0
        while f"searchCriteria[filterGroups][{group}][filters][0][field]" in request.query:
            at = f"searchCriteria[filterGroups][{group}][filters][0]"
            field, value = request.query[f"{at}[field]"], request.query[f"{at}[value]"]
            wanted = int(value) if field == "entity_id" else value
            test = {"gteq": lambda x, w: x >= w, "gt": lambda x, w: x > w, "eq": lambda x, w: x == w}
            found = [one for one in found if test[request.query[f"{at}[conditionType]"]](one[field], wanted)]
            group += 1
        found.sort(key=lambda one: (one["updated_at"], one["entity_id"]))
        size = int(request.query["searchCriteria[pageSize]"])
        answer = {"items": found[:size], "search_criteria": {}, "total_count": len(found)}
        self.between()
        return web.json_response(answer)


async def walked(shop: Any, limit: int) -> list[str]:
    seen, page = [], None
    for _ in range(200):
        found = await shop.reader.list_changed(EVER, page, limit)
        seen += [order.id for order in found.orders]
        page = found.next
        if page is None:
            return seen
    raise AssertionError("the walk does not end")


@pytest.fixture
async def walking(serve: Any, ledger: Any, payloads: Any) -> AsyncIterator[Any]:
    opened: list[Any] = []

    async def make(count: int, at: Callable[[int], str]) -> Any:
        store = Store(numbered(count, at, payloads))
        settings = MagentoSettings.of("m", await serve(store.handle), {"access_token": "t"})
        opened.append(open_channel("m", settings, ledger))
        return opened[-1], store

    yield make
    for connection in opened:
        await connection.aclose()


@pytest.mark.parametrize("limit", [2, 7, 50])
@pytest.mark.parametrize("each", [1, 3, 23], ids=["apart", "threes", "all in one second"])
async def test_a_walk_ends_and_gives_each_order_once_though_a_second_is_longer_than_a_page(
    walking: Any, limit: int, each: int
) -> None:
    shop, _ = await walking(23, lambda n: f"2026-11-22 09:00:{(n - 1) // each:02d}")
    assert await walked(shop, limit) == [str(n) for n in range(1, 24)]


async def test_an_order_that_changes_during_the_walk_hides_no_other(walking: Any) -> None:
    shop, store = await walking(20, lambda n: f"2026-11-22 09:00:{n:02d}")

    def the_first_one_changes() -> None:
        if store.calls == 1:
            store.orders[0]["updated_at"] = "2026-11-22 10:00:00"

    store.between = the_first_one_changes
    seen = Counter(await walked(shop, 5))
    assert set(seen) == {str(n) for n in range(1, 21)}
    assert {one for one, times in seen.items() if times > 1} == {"1"}


async def test_a_store_east_of_greenwich_skips_nothing(walking: Any) -> None:
    """The window is asked for in UTC, without a zone, whatever zone the moment came in."""
    shop, _ = await walking(1, lambda n: "2026-11-22 09:00:00")
    berlin = datetime.fromisoformat("2026-11-22T10:00:00+01:00")
    assert len((await shop.reader.list_changed(berlin)).orders) == 1
    assert (await shop.reader.list_changed(berlin + timedelta(seconds=1))).orders == ()


# -- against the sandbox


@pytest.fixture
async def maison(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    stage.row = type("Row", (), {"shop": "maison"})()
    given = stage.world.shops["maison"].connection(stage.origin)
    connection = open_channel("m", MagentoSettings.of("m", given["url"], given["credentials"]), ledger)
    yield connection
    await connection.aclose()


def supplier(stage: Any, ledger: Any, **credentials: str) -> Any:
    given = stage.world.shops["mill"].connection(stage.origin)
    settings = MagentoSettings.of("mill", given["url"], {**given["credentials"], **credentials})
    return open_source("mill", settings, ledger)


@pytest.fixture
async def mill(stage: Any, ledger: Any) -> AsyncIterator[Any]:
    connection = supplier(stage, ledger)
    yield connection
    await connection.aclose()


def asked(stage: Any, *pieces: tuple[str, int], method: str | None = "flatrate/flatrate", **ship_to: Any) -> Any:
    shop = stage.world.shops["mill"]
    lines = []
    for n, (sku, quantity) in enumerate(pieces):
        if sku in shop.products:
            shop.products[sku].on_hand = {"default": 100}
        lines.append(SourceRequestLine(f"l{n}", sku, quantity, "Lamp"))
    address = {"name": "Zoë Müller", "line1": "5 High St", "city": "Springfield", "region": "IL", "country": "US"}
    address |= {"email": "zoe@mail.example", "postal_code": "62701"}
    return SourceRequest("M-7", "#7", tuple(lines), Address(**{**address, **ship_to}), method, "USD")


@pytest.mark.parametrize("ship_as", ["configurable", "bundle"])
async def test_the_row_that_ships_is_the_parent_of_configurables_and_bundles(
    stage: Any, maison: Any, ship_as: str
) -> None:
    shop = stage.world.shops["maison"]
    number = shop.place({"lines": [{"sku": "SET-1", "quantity": 2, "ship_as": ship_as}]})
    order = await maison.reader.find_by_number(number)
    assert [(line.sku, line.quantity) for line in order.lines] == [("SET-1", 2)]
    rows = shop.shown(number).rows
    assert [line.line_id for line in order.lines] == [str(rows[0].item_id)]


async def test_left_out_items_ship_everything_so_a_body_always_has_them(stage: Any, maison: Any) -> None:
    """What would happen without them: the emulated Magento ships the whole order, as the real one does."""
    shop = stage.world.shops["maison"]
    for body in ({}, {"items": []}, {"entity": {"items": [{"order_item_id": 1, "qty": 1}]}}):
        number = shop.place({"lines": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]})
        order = shop.shown(number)
        call = CreateCall(str(order.entity_id), "", (), "UPS", (), None, body)
        await maison.writer.create(call)
        assert [row.qty_shipped for row in order.rows] == [2, 1]


async def test_a_shipment_cannot_be_canceled_and_that_is_said(maison: Any) -> None:
    assert maison.features.cancels_fulfillments is False
    with pytest.raises(PlatformError, match="cannot cancel a shipment") as raised:
        await maison.writer.cancel("3")
    assert (raised.value.code, raised.value.outcome) == ("unsupported", "none")


async def test_a_correction_that_was_cut_in_the_middle_ends_where_it_should(stage: Any, maison: Any) -> None:
    shop = stage.world.shops["maison"]
    order = await maison.reader.find_by_number(shop.place({"lines": [{"sku": "A", "quantity": 2}]}))
    state = await maison.writer.read(order.id)
    wanted = FulfillmentDraft(order.id, ((order.lines[0].line_id, 2),), "UPS", ("1Z1",), "https://t.example/1")
    made = await maison.writer.create(maison.writer.calls_for(state, wanted)[0])
    right = {"carrier": "FedEx", "tracking_numbers": ("77", "78"), "tracking_url": "https://t.example/77"}
    stage.misbehave("lost", "maison:add_track")
    with pytest.raises(PlatformError) as raised:
        await maison.writer.update_tracking(made.id, **right)
    assert raised.value.outcome == "unknown"
    corrected = await maison.writer.update_tracking(made.id, **right)
    assert (corrected.carrier, sorted(corrected.tracking_numbers)) == ("FedEx", ["77", "78"])
    assert corrected.tracking_urls == ("https://t.example/77",)
    assert len(shop.shown(order.number).shipments[0].tracks) == 2


async def test_a_shipment_is_never_written_raw(stage: Any, maison: Any) -> None:
    """POST /V1/shipment takes whatever it gets: no quantity is checked there, and no stock moves."""
    order = await maison.reader.find_by_number(
        stage.world.shops["maison"].place({"lines": [{"sku": "A", "quantity": 2}]})
    )
    draft = FulfillmentDraft(
        order.id, ((order.lines[0].line_id, 2),), "UPS", ("1Z1",), "https://t.example/1", notify=True
    )
    with recording() as exchanges:
        made = await maison.writer.create(maison.writer.calls_for(await maison.writer.read(order.id), draft)[0])
        await maison.writer.update_tracking(made.id, carrier="FedEx", tracking_numbers=("7",), tracking_url=None)
    written = [one.url.partition("/V1")[2] for one in exchanges if one.method == "POST"]
    assert written == [f"/order/{order.id}/ship", "/shipment/track"]


async def test_an_unknown_sku_is_found_before_anything_is_placed(stage: Any, mill: Any) -> None:
    with pytest.raises(PlatformError, match="NO-SUCH") as raised:
        await mill.placer.prepare(asked(stage, ("SKU-101", 1), ("NO-SUCH", 1)))
    assert (raised.value.code, raised.value.outcome) == ("unknown_sku", "none")
    assert stage.world.sources["mill"].count()[0] == 0


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"method": "Drone"}, "shipping_method_refused", "flatrate/flatrate"),
        ({"method": None}, "additional_info_required", "flatrate/flatrate"),
        ({"method": "dhl/express"}, "shipping_method_refused", "dhl, express"),
        ({"email": ""}, "additional_info_required", "credentials.email"),
        ({"region": ""}, None, "regionId"),
    ],
)
async def test_what_a_checkout_would_refuse_is_found_before_anything_is_placed(
    stage: Any, mill: Any, change: dict[str, Any], code: str | None, said: str
) -> None:
    with pytest.raises(PlatformError, match=said) as raised:
        await mill.placer.prepare(asked(stage, ("SKU-101", 1), **change))
    assert (raised.value.family, raised.value.code, raised.value.outcome) == (Family.REFUSED, code, "none")
    assert stage.world.sources["mill"].count()[0] == 0


async def test_a_methods_title_is_understood_too(stage: Any, mill: Any) -> None:
    request = asked(stage, ("SKU-101", 1), method="Best Way - Table Rate")
    order_id = (await mill.placer.place(request, await mill.placer.prepare(request))).platform_id
    assert stage.world.shops["mill"].orders[int(order_id)].shipping_method == "tablerate_bestway"


async def test_a_cart_is_placed_once_and_a_used_one_is_read_back(stage: Any, mill: Any) -> None:
    request = asked(stage, ("SKU-101", 2))
    handle = await mill.placer.prepare(request)
    assert await mill.placer.find_placed(request, handle) is None
    stage.misbehave("lost", "mill:place")
    with pytest.raises(PlatformError) as lost:
        await mill.placer.place(request, handle)
    with pytest.raises(PlatformError) as again:
        await mill.placer.place(request, handle)
    assert (lost.value.outcome, again.value.outcome, again.value.code) == ("unknown", "unknown", "cart_gone")
    found = await mill.placer.find_placed(request, handle)
    assert found is not None
    assert (found.reference, found.is_for(request), found.acknowledged) == ("M-7", True, True)
    assert stage.world.sources["mill"].count()[0] == 1


async def test_an_order_that_has_shipped_in_part_is_not_canceled(stage: Any, mill: Any) -> None:
    request = asked(stage, ("SKU-101", 2))
    placed = await mill.placer.place(request, await mill.placer.prepare(request))
    shop = stage.world.shops["mill"]
    order = shop.orders[int(placed.platform_id)]
    shop.make_shipment(order, {"items": [{"order_item_id": order.rows[0].item_id, "qty": 1}]}, ours=False)
    answer = await mill.sink.cancel(placed.platform_id, "M-7")
    assert (answer.result, order.rows[0].qty_canceled) == ("refused", 0)
    assert "1 pieces have left" in answer.message


async def test_a_track_added_later_is_a_change_though_the_shipments_time_stays(stage: Any, mill: Any) -> None:
    request = asked(stage, ("SKU-101", 1))
    placed = await mill.placer.place(request, await mill.placer.prepare(request))
    shop = stage.world.shops["mill"]
    order = shop.orders[int(placed.platform_id)]
    made = shop.make_shipment(order, {"items": [{"order_item_id": order.rows[0].item_id, "qty": 1}]}, ours=False)
    made.created_at = made.updated_at = made.created_at - 600
    requests = [OpenRequest("M-7", placed.platform_id)]
    [before] = (await mill.shipments.list_shipments(None, requests)).shipments
    shop.add_track(order, made, "1Z9", "UPS", "ups")
    [after] = (await mill.shipments.list_shipments(before.updated_at + timedelta(hours=1), requests)).shipments
    assert (before.tracking_numbers, after.tracking_numbers) == ((), ("1Z9",))
    assert after.updated_at > before.updated_at


async def test_the_stores_own_orders_are_none_of_our_business(stage: Any, mill: Any) -> None:
    shop = stage.world.shops["mill"]
    own = shop.shown(shop.place({"lines": [{"sku": "SKU-101", "quantity": 1}]}))
    shop.make_shipment(own, {}, ours=False)
    assert (await mill.shipments.list_shipments(None, [OpenRequest("M-1", "999999")])).shipments == ()
    assert (await mill.shipments.list_shipments(None, [OpenRequest("M-1", None)])).shipments == ()


# -- stock, catalogue, probe, tokens


async def test_stock_is_the_physical_count_of_the_sources(
    stage: Any, mill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_pages, "TOGETHER", 2)
    shop = stage.world.shops["mill"]
    shop.products["SKU-101"].on_hand = {"default": 5, "leeds": 2}
    shop.products["SKU-102"].on_hand = {"default": 0}
    found = await mill.stock.levels(["SKU-101", "SKU-102", "NO-SUCH"])
    assert {level.sku: level.on_hand for level in found.levels} == {"SKU-101": 7, "SKU-102": 0}
    rest = await mill.stock.levels(["SKU-101", "SKU-102", "NO-SUCH"], found.next)
    assert (rest.levels, rest.next) == ((), None)
    seen, page = 0, None
    while True:
        everything = await mill.stock.levels([], page)
        seen, page = seen + len(everything.levels), everything.next
        if page is None:
            break
    assert seen == len(stage.world.goods)


async def test_stock_of_one_source_alone(stage: Any, ledger: Any) -> None:
    stage.world.shops["mill"].products["SKU-101"].on_hand = {"default": 5, "leeds": 2}
    leeds = supplier(stage, ledger, source_code="leeds")
    assert [level.on_hand for level in (await leeds.stock.levels(["SKU-101"])).levels] == [2]
    await leeds.aclose()


async def test_stock_without_multi_source_inventory_is_read_sku_by_sku(stage: Any, mill: Any) -> None:
    shop = stage.world.shops["mill"]
    shop.configure({"inventory": False})
    shop.products["SKU-101"].on_hand = {"default": 5}
    found = await mill.stock.levels(["SKU-101", "NO-SUCH"])
    assert [(level.sku, level.on_hand) for level in found.levels] == [("SKU-101", 5)]


async def test_a_probe_says_what_the_store_is(stage: Any, maison: Any) -> None:
    found = await maison.prober.probe()
    assert (found.version, found.timezone, found.currency) == ("Magento/2.4 (Community)", "Europe/Berlin", "USD")
    assert found.usable
    assert {finding.code for finding in found.findings} == {"cannot_cancel_shipments", "no_webhooks"}


async def test_a_token_alone_that_is_not_allowed_is_one_finding_with_its_fix(stage: Any, mill: Any) -> None:
    stage.world.shops["mill"].configure({"bearer": False})
    found = await mill.prober.probe()
    missing = [finding for finding in found.findings if finding.severity == "missing"]
    assert [finding.code for finding in missing] == ["token_refused"]
    assert "enable_integration_as_bearer" in missing[0].fix
    assert not found.usable


@pytest.mark.parametrize(
    ("settings", "code", "severity"),
    [
        ({"denied": ["Magento_Sales::shipment"]}, "resource_missing", "missing"),
        ({"sources": ["default", "leeds"]}, "several_sources", "warning"),
        ({"inventory": False}, "no_inventory_sources", "info"),
        ({"denied": ["Magento_Backend::store"]}, "resource_missing", "warning"),
    ],
)
async def test_a_probe_says_what_is_missing(
    stage: Any, mill: Any, settings: dict[str, Any], code: str, severity: str
) -> None:
    stage.world.shops["mill"].configure(settings)
    findings = (await mill.prober.probe()).findings
    assert (code, severity) in {(finding.code, finding.severity) for finding in findings}


async def test_a_wrong_signature_is_a_401_that_names_it(stage: Any, ledger: Any) -> None:
    given = stage.world.shops["maison"].connection(stage.origin)
    credentials = {**given["credentials"], "consumer_secret": "another-secret"}
    shop = open_channel("m", MagentoSettings.of("m", given["url"], credentials), ledger)
    with pytest.raises(PlatformError) as raised:
        await shop.reader.get_order("7")
    assert (raised.value.family, raised.value.code) == (Family.UNAUTHORIZED, "signature_refused")
    await shop.aclose()


async def test_an_admins_token_is_renewed(stage: Any, ledger: Any) -> None:
    shop = stage.world.shops["mill"]
    username, password = shop.admin
    waiting = supplier(stage, ledger, access_token="expired", username=username, password=password)
    with pytest.raises(PlatformError) as raised:
        await waiting.stock.levels(["SKU-101"])
    assert raised.value.family is Family.UNAUTHORIZED
    renewed = await waiting.renewer.renew()
    assert renewed.expires_at is not None
    fresh = supplier(stage, ledger, **renewed.credentials)
    assert (await fresh.stock.levels(["SKU-101"])).levels
    assert renewed.credentials["access_token"] not in repr(renewed)
    await waiting.aclose()
    await fresh.aclose()


async def test_a_renewal_is_recorded_without_password_and_token(stage: Any, ledger: Any) -> None:
    username, password = stage.world.shops["mill"].admin
    wrong = 'p"ä'  # short, and spelled otherwise in JSON
    right, mistaken = (supplier(stage, ledger, username=username, password=one) for one in (password, wrong))
    with recording() as exchanges:
        renewed = await right.renewer.renew()
        with pytest.raises(PlatformError):
            await mistaken.renewer.renew()
    await right.aclose()
    await mistaken.aclose()
    events = [exchange.event("console") for exchange in exchanges]
    assert [(event.log_type, event.outcome, event.status) for event in events] == [
        ("renew_token", "ok", 200), ("renew_token", "unauthorized", 401)]  # fmt: skip
    assert {event.request_body for event in events} | {event.response_body for event in events} == {"[redacted]"}
    told = "".join(event.model_dump_json() for event in events)
    assert not [
        one for one in (renewed.credentials["access_token"], password, wrong, r"p\"", username) if f'"{one}' in told
    ]


async def test_the_catalogue_and_the_methods_are_read_from_the_shop(stage: Any, maison: Any) -> None:
    shop = stage.world.shops["maison"]
    page = await maison.catalogue.products()
    assert {one.sku for one in page.products} == set(shop.products)
    assert "flatrate_flatrate" in await maison.catalogue.shipping_methods()
    assert "custom" in {one.code for one in await maison.carriers.carriers()}


# -- calls


async def test_calls_per_order_are_those_of_the_readme(stage: Any, maison: Any, mill: Any, ledger: Any) -> None:
    """Counted as the budget sees them; README.md prints them."""

    async def counted(what: Any) -> int:
        before = len(ledger.draws)
        await what
        return len(ledger.draws) - before

    shop = stage.world.shops["maison"]
    order = await maison.reader.find_by_number(shop.place({"lines": [{"sku": "A", "quantity": 1}]}))
    assert await counted(maison.reader.list_changed(EVER)) <= 2
    assert await counted(maison.reader.list_changed(EVER)) == 1  # how its bundles go is known now
    assert await counted(maison.writer.read(order.id)) == 2
    body = {"items": [{"order_item_id": int(order.lines[0].line_id), "qty": 1}]}
    assert await counted(maison.writer.create(CreateCall(order.id, "", (), "", (), None, body))) == 1
    request = asked(stage, ("SKU-101", 1), ("SKU-102", 1), ("SKU-101", 1))
    first = await counted(mill.sink.submit(request))
    assert (first, await counted(mill.sink.submit(request))) == (4 + 2 + 1, 4 + 2)
    open_ones = [OpenRequest("M", str(n)) for n in range(100)]
    assert await counted(mill.shipments.list_shipments(None, open_ones)) == 1
    assert await counted(mill.stock.levels([f"SKU-{n}" for n in range(100)])) == 1
    assert order_pages.KEEP_BUNDLES == 600
