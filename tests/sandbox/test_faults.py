"""Every fault does what its name says, as often as it was told to, and is counted."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from sandbox.faults import KINDS, BadRule, Call, Faults

CALL = Call("east", "submit", "POST", "/sources/east/requests")


async def script(box: Any, **rule: Any) -> None:
    await box.control("POST", "/faults", [rule])


async def raw(box: Any, method: str, path: str, content: object = None) -> tuple[int, dict[str, str], str]:
    headers = {"Authorization": "Bearer demo-east-token"}
    url = f"{box.url}/sources/east{path}"
    async with box.http.request(method, url, json=content, headers=headers, allow_redirects=False) as answer:
        return answer.status, dict(answer.headers), await answer.text()


@pytest.mark.parametrize(
    ("match", "bites"),
    [
        ("*", True),
        ("submit", True),
        ("east:submit", True),
        ("*:submit", True),
        ("/sources/*/requests", True),
        ("POST /sources/*", True),
        ("GET /sources/*", False),
        ("west:*", False),
        ("shipments", False),
    ],
)
def test_a_rule_is_matched_by_operation_connection_or_route(match: str, bites: bool) -> None:
    faults = Faults()
    faults.script([{"kind": "503", "match": match}])
    assert (faults.biting(CALL) is not None) is bites


def test_the_same_seed_bites_at_the_same_calls() -> None:
    def bitten(seed: int) -> list[bool]:
        faults = Faults()
        faults.script([{"kind": "503", "rate": 0.3}], seed)
        return [faults.biting(CALL) is not None for _ in range(200)]

    assert bitten(1) == bitten(1) != bitten(2)
    assert 30 < sum(bitten(1)) < 90


def test_a_rule_bites_so_often_after_so_many_and_says_so() -> None:
    faults = Faults()
    faults.script([{"kind": "503", "count": 2, "skip": 1}, {"kind": "429", "match": "shipments"}])
    assert [faults.biting(CALL) is not None for _ in range(5)] == [False, True, True, False, False]
    told = faults.told()
    assert [(one["matched"], one["bitten"], one["exercised"]) for one in told] == [(5, 2, True), (0, 0, False)]
    assert faults.clear() == told
    assert faults.biting(CALL) is None


@pytest.mark.parametrize("rule", [{"kind": "nonsense"}, {"kind": "503", "often": 1}, "503"])
def test_a_rule_that_cannot_be_used_is_refused_and_none_is_added(rule: Any) -> None:
    faults = Faults()
    with pytest.raises(BadRule):
        faults.script([{"kind": "503"}, rule])
    assert faults.rules == []


async def test_a_bad_rule_is_400_with_its_fix(box: Any) -> None:
    async with box.http.post(f"{box.url}/_sandbox/faults", json=[{"kind": "nonsense"}]) as answer:
        assert answer.status == 400
        assert "use one of" in (await answer.json())["error"]


@pytest.mark.parametrize(
    ("params", "header"), [({"retry_after": 0.5}, "0.5"), ({"retry_after": "empty"}, ""), ({}, None)]
)
async def test_429_says_when_to_come_back_or_not(box: Any, params: Any, header: str | None) -> None:
    await script(box, kind="429", params=params)
    status, headers, _ = await raw(box, "GET", "/shipments")
    assert (status, headers.get("Retry-After")) == (429, header)


async def test_429_can_name_a_date(box: Any) -> None:
    await script(box, kind="429", params={"retry_after": "date", "seconds": 30})
    _, headers, _ = await raw(box, "GET", "/shipments")
    assert 25 < parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time() <= 31


async def test_calls_that_do_not_wait_as_told_are_counted(box: Any) -> None:
    await script(box, kind="429", count=1, params={"retry_after": 1.0})
    await raw(box, "GET", "/shipments")
    await raw(box, "GET", "/shipments")  # may have been under way when the other was answered
    await asyncio.sleep(0.2)
    await raw(box, "GET", "/shipments")
    await asyncio.sleep(1.0)
    await raw(box, "GET", "/shipments")
    assert (await box.report())["early"] == {"east": {"shipments->shipments": 1}}


async def test_an_answer_is_lost_after_the_work_was_done(box: Any, submission: Any) -> None:
    await script(box, kind="lost", match="submit", count=1)
    body = submission()
    with pytest.raises(aiohttp.ClientError):
        await raw(box, "POST", "/requests", body)
    assert body["reference"] in box.world.sources["east"].by_reference


async def test_an_effect_lands_after_the_client_gave_up(box: Any, submission: Any) -> None:
    await script(box, kind="late", match="submit", count=1, params={"seconds": 0.2})
    body = submission()
    with pytest.raises(aiohttp.ClientError):
        await raw(box, "POST", "/requests", body)
    assert body["reference"] not in box.world.sources["east"].by_reference
    await asyncio.sleep(0.3)
    assert body["reference"] in box.world.sources["east"].by_reference


@pytest.mark.parametrize(("kind", "works"), [("reset", False), ("503", False), ("html", False), ("cut", True)])
async def test_which_faults_leave_an_effect(box: Any, submission: Any, kind: str, works: bool) -> None:
    await script(box, kind=kind, match="submit", count=1)
    body = submission()
    try:
        await raw(box, "POST", "/requests", body)
    except aiohttp.ClientError:
        assert kind == "reset"
    assert (body["reference"] in box.world.sources["east"].by_reference) is works


async def test_what_was_created_is_hidden_for_a_while(box: Any, submission: Any) -> None:
    body = submission()
    await raw(box, "POST", "/requests", body)
    await script(box, kind="lag", match="find", params={"seconds": 60}, count=1)
    assert (await box.source("GET", f"/requests?reference={body['reference']}"))[1] == {"requests": []}
    assert (await box.source("GET", f"/requests?reference={body['reference']}"))[1]["requests"]


async def test_a_list_gives_each_twice(box: Any, submission: Any) -> None:
    await raw(box, "POST", "/requests", submission(quantity=1))
    await box.control("POST", "/sources/east/ship")
    await script(box, kind="duplicate", match="shipments")
    _, told = await box.source("GET", "/shipments")
    assert [one["id"] for one in told["shipments"]] == [told["shipments"][0]["id"]] * 2


async def test_a_stale_read_shows_an_order_as_it_was_before_its_last_change(box: Any) -> None:
    number = (await box.named("held:awaiting_payment"))[0]
    order = await box.order(number)
    await box.control("POST", f"/shops/acme/orders/{number}/pay")
    query = "query($id: ID!) { order(id: $id) { displayFinancialStatus } }"
    await script(box, kind="stale", match="acme:order", count=1)
    seen = [await box.graphql(query, id=f"gid://shopify/Order/{order['id']}") for _ in range(2)]
    assert [answer["data"]["order"]["displayFinancialStatus"] for answer in seen] == ["PENDING", "PAID"]


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("throttled", 200, '"THROTTLED"'),
        ("internal", 200, "INTERNAL_SERVER_ERROR"),
        ("unauthorized", 401, "Invalid API key"),
        ("html", 200, "<html>"),
        ("wrong_type", 200, "unexpected"),
        ("gone", 404, "<html>"),
        ("429", 429, "Exceeded"),
    ],
)
async def test_a_shop_words_its_failures_as_the_platform_does(box: Any, kind: str, status: int, words: str) -> None:
    await script(box, kind=kind, match="acme:shop")
    url = f"{box.url}/shopify/acme/admin/api/2026-10/graphql.json"
    headers = {"X-Shopify-Access-Token": "shpat_demo_acme"}
    async with box.http.post(url, json={"query": "{shop{name}}"}, headers=headers) as answer:
        assert answer.status == status
        assert words in await answer.text()


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_can_be_scripted_and_is_counted_in_the_report(box: Any, kind: str) -> None:
    await script(box, kind=kind, match="shipments", count=1, params={"seconds": 0.05})
    try:
        await raw(box, "GET", "/shipments")
    except (aiohttp.ClientError, TimeoutError):
        assert kind in {"lost", "late", "reset", "black_hole"}
    report = await box.report()
    assert [(rule["kind"], rule["exercised"]) for rule in report["faults"]] == [(kind, True)]
    assert report["calls"]["east"]["shipments"][kind] == 1


async def test_a_right_hub_ends_right_although_reads_are_bent(hub: Any) -> None:
    """Late lists and doubled entries cost a right program nothing but time."""
    kinds = ("lag", "duplicate")
    rules = [{"kind": kind, "match": "shipments", "count": 4, "params": {"seconds": 0.2}} for kind in kinds]
    await hub.box.control("POST", "/faults", rules)
    report = await hub.run()
    assert report["ok"], report["problems"]
    assert all(rule["exercised"] for rule in report["faults"])
