"""OP-15: a channel is certified by rule at its shop: every emulated shop keeps every rule, and one that lacks what a
rule asks for is told so. Nothing is written without an order's number and a person's yes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from console.certify import CHANNELS, ChannelWish, Verdict, certify_channel
from console.cli.program import app
from sandbox.shopify import queries
from sandbox.shopify.search import Search
from waybill_contracts.configuration import Channel
from waybill_platforms.http import NoBudget
from waybill_platforms.registry import open_channel

EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["shopify", "magento", "woocommerce", "bigcommerce"])
def shop(request: Any, stage: Any, conforming: Any, channel_rows: dict[str, Any]) -> Any:
    """A stage on each platform that plays a channel."""
    assert set(channel_rows) == conforming[0]
    stage.row = channel_rows[request.param]
    return stage


@pytest.fixture
def shopify(stage: Any, channel_rows: dict[str, Any]) -> Any:
    stage.row = channel_rows["shopify"]
    return stage


def configured(shop: Any) -> dict[str, Any]:
    return {"id": "acme-shop", **shop.shop.connection(shop.origin)}


async def verdicts(shop: Any, number: str | None, *only: str) -> dict[str, Verdict]:
    given = configured(shop)
    told = Channel.model_validate(given)

    def open_with(credentials: Any) -> Any:
        return open_channel(told, credentials, budget=NoBudget())

    wish = ChannelWish(open_with, given["credentials"], EVER, number, only=frozenset(only))
    return {verdict.rule.id: verdict async for verdict in certify_channel(wish)}


def results(found: dict[str, Verdict], result: str) -> dict[str, str]:
    return {name: verdict.found for name, verdict in found.items() if verdict.result == result}


def fulfillments(shop: Any, number: str) -> list[Any]:
    order = shop.shop.find(number)
    return [made for made in order.fulfillments if made.standing]


async def test_every_emulated_shop_keeps_every_rule_and_is_left_as_it_was(shop: Any) -> None:
    number = shop.place(("SKU-100", 3))

    found = await verdicts(shop, number)

    assert set(found) == set(CHANNELS.rules)
    assert results(found, "fail") == {}
    declared = results(found, "not tried")
    assert set(declared) <= {"FUL-6", "FUL-7"}, declared
    assert all("declared" in why for why in declared.values())
    assert len(fulfillments(shop, number)) == (1 if "FUL-7" in declared else 0)


async def test_the_link_that_a_plugin_makes_for_a_carrier_that_it_knows_breaks_no_rule(
    stage: Any, channel_rows: dict[str, Any]
) -> None:
    """FUL-4 failed so at a real WooCommerce store with AST: the list of its carriers says that it links by itself."""
    stage.row = channel_rows["woocommerce"]
    stage.shop.configure({"fulfillments": False, "plugin": "ast"})
    number = stage.place(("SKU-100", 3))
    assert results(await verdicts(stage, number), "fail") == {}


async def test_nothing_is_written_without_an_order(shop: Any) -> None:
    before = [len(order.fulfillments) for order in shop.shop.judged()]

    found = await verdicts(shop, None)

    assert results(found, "fail") == {}
    assert set(results(found, "not tried")) == {name for name in CHANNELS.rules if name.startswith("FUL-")}
    assert [len(order.fulfillments) for order in shop.shop.judged()] == before


async def test_a_shop_that_takes_no_fulfillments_is_told_so(shop: Any) -> None:
    number = shop.place(("SKU-100", 3))
    shop.misbehave("503", shop.row.creates, count=5)

    found = await verdicts(shop, number)

    assert set(results(found, "fail")) == {"FUL-2"}
    assert "making a fulfillment" in found["FUL-2"].found
    assert {"FUL-3", "FUL-4", "FUL-5", "FUL-6", "FUL-7"} <= set(results(found, "not tried"))


class Everybody(list[str]):
    """Tokens of a shop that asks nobody."""

    def __contains__(self, token: object) -> bool:
        return True


def asks_nobody(shop: Any, patch: pytest.MonkeyPatch) -> None:
    shop.settings = replace(shop.settings, tokens=Everybody(shop.settings.tokens))


def lists_backwards(shop: Any, patch: pytest.MonkeyPatch) -> None:
    walk = shop.index._walk
    patch.setattr(shop.index, "_walk", lambda *asked: iter(list(walk(*asked))[::-1]))


def filters_nothing(shop: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queries, "_search", lambda arguments, context: Search(""))


def fulfills_more(shop: Any, patch: pytest.MonkeyPatch) -> None:
    fulfill = shop.fulfill

    def more(wanted: Any, tracking: Any, notify: bool) -> Any:
        grown = [replace(one, parts=tuple((line, n + 1) for line, n in one.parts)) for one in wanted]
        return fulfill(grown, tracking, notify)

    patch.setattr(shop, "fulfill", more)


def changes(**details: Any) -> Callable[[Any, pytest.MonkeyPatch], None]:
    def defect(shop: Any, patch: pytest.MonkeyPatch) -> None:
        fulfill = shop.fulfill
        patch.setattr(shop, "fulfill", lambda w, tracking, notify: fulfill(w, replace(tracking, **details), notify))

    return defect


def corrects_nothing(shop: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shop, "update_tracking", lambda made, tracking: shop.order_of_fulfillment(made)[1])


def withdraws_nothing(shop: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shop, "cancel_fulfillment", lambda made: shop.order_of_fulfillment(made)[1])


@pytest.mark.parametrize(
    ("rule", "defect"),
    [
        ("CON-2", asks_nobody),
        ("LIST-1", lists_backwards),
        ("LIST-3", filters_nothing),
        ("READ-2", filters_nothing),
        ("FUL-2", fulfills_more),
        ("FUL-3", changes(numbers=("rewritten",))),
        ("FUL-4", changes(company="Other")),
        ("FUL-4", changes(urls=("https://elsewhere.example/1",))),
        ("FUL-6", corrects_nothing),
        ("FUL-7", withdraws_nothing),
    ],
)
async def test_a_shop_without_what_a_rule_asks_for_fails_it(
    shopify: Any, monkeypatch: pytest.MonkeyPatch, rule: str, defect: Callable[[Any, pytest.MonkeyPatch], None]
) -> None:
    number = shopify.place(("SKU-100", 3))
    defect(shopify.shop, monkeypatch)

    found = await verdicts(shopify, number)

    assert rule in results(found, "fail"), {name: (v.result, v.found) for name, v in found.items()}
    assert found[rule].rule.fix


# -- the command


async def run(shop: Any, folder: Path, *arguments: str, says: str = "", **environment: str) -> Result:
    document = {"stores": [{"id": "acme", "channels": [configured(shop)]}]}
    token = document["stores"][0]["channels"][0]["credentials"].pop("access_token")
    document["stores"][0]["channels"][0]["credentials"]["access_token"] = "env:CERTIFY_TOKEN"
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    command = ["channels", "certify", "acme-shop", "-f", str(file), "--since", "2000-01-01", *arguments]
    environment = {"CERTIFY_TOKEN": token, **environment}
    return await asyncio.to_thread(CliRunner().invoke, app, command, says, environment)


async def test_the_command_says_what_it_will_write_and_writes_nothing_without_a_yes(
    shopify: Any, tmp_path: Path
) -> None:
    number = shopify.place(("SKU-100", 3))

    refused = await run(shopify, tmp_path, "--order", number, says="n\n")

    assert refused.exit_code == 1
    assert f"order {number}: one fulfillment of one piece" in " ".join(refused.output.split())
    assert "Nothing was written" in refused.output
    assert fulfillments(shopify, number) == []


async def test_the_command_ends_well_when_every_rule_is_kept(shopify: Any, tmp_path: Path) -> None:
    done = await run(shopify, tmp_path, "--order", shopify.place(("SKU-100", 3)), "--yes", "--strict")

    assert done.exit_code == 0, done.output
    assert "certified" in done.output
    assert "FUL-7" in done.output


async def test_a_secret_that_is_not_set_is_named_before_anything_is_called(shopify: Any, tmp_path: Path) -> None:
    unset = await run(shopify, tmp_path, CERTIFY_TOKEN="")

    assert unset.exit_code == 1
    assert "access_token (env:CERTIFY_TOKEN) is not set here" in " ".join(unset.output.split())
