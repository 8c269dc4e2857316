"""The shop over HTTP: authentication, versions, cost, paging, search and errors as the platform answers them."""

from typing import Any

import pytest

from sandbox.shopify.fulfilling import Tracking

PAGE = """query($n: Int!, $after: String, $q: String) {
  orders(first: $n, after: $after, query: $q, sortKey: UPDATED_AT) {
  pageInfo { hasNextPage endCursor } nodes { id name updatedAt } edges { cursor node { id } } } }"""


async def walk(box: Any, size: int, query: str | None = None) -> list[str]:
    names, after = [], None
    while True:
        page = (await box.graphql(PAGE, n=size, after=after, q=query))["data"]["orders"]
        names += [node["name"] for node in page["nodes"]]
        assert [edge["node"]["id"] for edge in page["edges"]] == [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return names
        after = page["pageInfo"]["endCursor"]


async def test_a_wrong_token_is_401_with_a_string_under_errors(box: Any) -> None:
    url = f"{box.url}/shopify/acme/admin/api/2026-10/graphql.json"
    async with box.http.post(url, json={"query": "{shop{name}}"}, headers={"X-Shopify-Access-Token": "no"}) as answer:
        assert answer.status == 401
        assert isinstance((await answer.json())["errors"], str)


@pytest.mark.parametrize(("asked", "served"), [("2026-10", "2026-10"), ("2024-01", "2026-01")])
async def test_the_answer_names_the_version_that_was_really_served(box: Any, asked: str, served: str) -> None:
    url = f"{box.url}/shopify/acme/admin/api/{asked}/graphql.json"
    headers = {"X-Shopify-Access-Token": "shpat_demo_acme"}
    async with box.http.post(url, json={"query": "{shop{name}}"}, headers=headers) as answer:
        assert answer.headers["X-Shopify-API-Version"] == served
        assert (await answer.json())["data"] == {"shop": {"name": "Acme"}}


@pytest.mark.parametrize("path", ["/shopify/nobody/admin/api/2026-10", "/shopify/acme/admin/api/2031-01"])
async def test_an_unknown_shop_or_version_is_404(box: Any, path: str) -> None:
    async with box.http.post(f"{box.url}{path}/graphql.json", json={"query": "{shop{name}}"}) as answer:
        assert answer.status == 404


async def test_tokens_are_given_for_client_credentials(box: Any) -> None:
    url = f"{box.url}/shopify/acme/admin/oauth/access_token"
    given = {"client_id": "x", "client_secret": "acme-secret", "grant_type": "client_credentials"}
    async with box.http.post(url, json=given) as answer:
        token = (await answer.json())["access_token"]
    assert (await box.graphql("{shop{name}}", token=token))["data"]["shop"]


@pytest.mark.parametrize("size", [1, 7, 40, 250])
async def test_pages_of_any_size_give_every_order_once(box: Any, size: int) -> None:
    names = await walk(box, size)
    assert len(names) == len(set(names)) == len(box.world.shop.orders)


async def test_an_order_changed_during_the_walk_moves_to_the_end_and_pushes_none_out(box: Any) -> None:
    first = (await box.graphql(PAGE, n=10, after=None, q=None))["data"]["orders"]
    seen = [node["name"] for node in first["nodes"]]
    await box.control("POST", f"/shops/acme/orders/{seen[0].removeprefix('#')}/pay")
    after = first["pageInfo"]["endCursor"]
    while after:
        page = (await box.graphql(PAGE, n=10, after=after, q=None))["data"]["orders"]
        seen += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    assert set(seen) == {order.name for order in box.world.shop.orders.values()}
    assert seen[-1] == seen[0]


async def test_a_filter_that_is_unknown_is_ignored_and_only_noted(box: Any) -> None:
    answer = await box.graphql(PAGE, n=250, after=None, q="updated_since:2026-01-01")
    assert len(answer["data"]["orders"]["nodes"]) == len(box.world.shop.orders)
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "updated_since"


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("financial_status:pending", {"PENDING"}),
        ("financial_status:paid,refunded", {"PAID", "REFUNDED"}),
        ("financial_status:pending OR financial_status:refunded", {"PENDING", "REFUNDED"}),
        ("-financial_status:paid", {"PENDING", "AUTHORIZED", "REFUNDED"}),
    ],
)
async def test_orders_are_found_by_what_the_platform_can_filter(box: Any, query: str, statuses: set[str]) -> None:
    names = await walk(box, 50, query)
    assert {box.world.shop.order_named(name).display_financial_status for name in names} == statuses


async def test_a_list_begins_at_the_time_asked_for(box: Any) -> None:
    orders = sorted(box.world.shop.orders.values(), key=lambda order: order.updated_at)
    middle = (await box.graphql(PAGE, n=20, after=None, q=None))["data"]["orders"]["nodes"][-1]
    found = await walk(box, 50, f"updated_at:>='{middle['updatedAt']}'")
    assert found[0] == middle["name"]
    assert len(found) == len(orders) - 19


async def test_the_index_lags_as_long_as_it_is_told_to(box: Any) -> None:
    await box.control("PATCH", "/shops/acme", {"index_lag": 3600})
    made = await box.control("POST", "/shops/acme/orders", {"orders": [{"lines": [{"sku": "SKU-101", "quantity": 1}]}]})
    assert made["orders"][0] not in await walk(box, 250)
    order = box.world.shop.order_named(made["orders"][0])
    answer = await box.graphql("query($id: ID!) { order(id: $id) { name } }", id=f"gid://shopify/Order/{order.id}")
    assert answer["data"]["order"]["name"] == order.name


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ orders { nodes { id } } }", "one of first or last"),
        ("{ orders(first: 251) { nodes { id } } }", "maximum page size"),
        ('{ orders(first: 5, after: "x") { nodes { id } } }', "cursor"),
        ("{ orders(first: 5) { nodes { fulfillableQuantity } } }", "Cannot query field"),
        ("{ orders(first: 5", "Syntax Error"),
    ],
)
async def test_a_query_that_is_wrong_is_an_error_in_a_200(box: Any, query: str, words: str) -> None:
    answer = await box.graphql(query)
    assert words in answer["errors"][0]["message"]
    assert "data" not in answer


async def test_a_query_over_1000_points_is_refused_for_good(box: Any) -> None:
    answer = await box.graphql("{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id } } } } }")
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


async def test_an_empty_bucket_throttles_in_a_200_and_fills_again(box: Any) -> None:
    await box.control("PATCH", "/shops/acme", {"maximum": 30, "restore_rate": 0.1})
    query = "{ orders(first: 20) { nodes { id } } }"
    answers = [await box.graphql(query) for _ in range(4)]
    throttled = [answer for answer in answers if "errors" in answer]
    assert throttled
    assert throttled[0]["errors"][0]["extensions"]["code"] == "THROTTLED"
    status = throttled[0]["extensions"]["cost"]["throttleStatus"]
    assert status["restoreRate"] == 0.1
    assert status["currentlyAvailable"] < throttled[0]["extensions"]["cost"]["requestedQueryCost"]

    await box.control("PATCH", "/shops/acme", {"restore_rate": 1_000_000})
    assert "errors" not in await box.graphql(query)


async def test_a_tracking_url_of_an_unknown_carrier_is_rewritten_when_told_to(box: Any, hub: Any) -> None:
    await hub.run()
    await box.control("PATCH", "/shops/acme", {"rewrites_unknown_carriers": True})
    found = [made for order in box.world.shop.orders.values() for made in order.fulfillments if made.urls]
    box.world.shop.update_tracking(
        found[0].id, Tracking("Northern Vans", tuple(found[0].numbers), tuple(found[0].urls))
    )
    query = "query($id: ID!) { fulfillment(id: $id) { trackingInfo { company number url } } }"
    answer = await box.graphql(query, id=f"gid://shopify/Fulfillment/{found[0].id}")
    shown = answer["data"]["fulfillment"]["trackingInfo"][0]
    assert shown["url"] != found[0].urls[0]
    assert shown["number"] == found[0].numbers[0]


async def test_an_order_made_by_a_program_is_found_by_its_identifier(box: Any) -> None:
    made = await box.graphql(
        "mutation($o: OrderCreateOrderInput!) { orderCreate(order: $o) { order { id name } userErrors { message } } }",
        o={
            "sourceIdentifier": "hub-1",
            "lineItems": [{"title": "Lamp", "sku": "SKU-1", "quantity": 2}],
            "shippingAddress": {"firstName": "Zoë", "countryCode": "DE"},
        },
    )
    assert made["data"]["orderCreate"]["userErrors"] == []
    assert await walk(box, 10, "source_identifier:hub-1") == [made["data"]["orderCreate"]["order"]["name"]]
