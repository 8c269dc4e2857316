"""OP-8: what a person types, and what comes back; every refusal is exit code 1 and a sentence."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from console.cli.program import app
from waybill_contracts.orders_imported import OrderExcluded

from .test_read_model import LIFE

WIDE = {"COLUMNS": "200", "TERM": "dumb"}


async def run(console: Any, *words: str, **environment: str) -> Result:
    """`waybill WORDS` against the running console."""
    env = {
        "WAYBILL_URL": str(console.http.base_url),
        "WAYBILL_API_KEY": console.http.headers["authorization"].removeprefix("Bearer "),
        **WIDE,
        **environment,
    }
    return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=env)


@pytest.fixture
def config_file(tmp_path: Path, document: dict[str, Any]) -> Path:
    document["stores"][0]["channels"][0]["credentials"] = {"access_token": "env:WB_TEST_TOKEN"}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


async def test_apply_shows_the_difference_and_export_gives_it_back(console: Any, config_file: Path) -> None:
    token = {"WB_TEST_TOKEN": "shpat_of_the_test"}
    shown = await run(console, "apply", "-f", str(config_file), "--dry-run", **token)
    applied = await run(console, "apply", "-f", str(config_file), "--yes", "--wait", "0", **token)
    exported = await run(console, "export")
    back = config_file.with_name("back.yaml")
    back.write_text(exported.output)
    again = await run(console, "apply", "-f", str(back), "--yes")

    assert "+ channel/acme-shop" in shown.output
    assert (applied.exit_code, again.exit_code) == (0, 0)
    assert "env:WB_TEST_TOKEN" in exported.output
    assert "Nothing to change" in again.output
    assert "shpat_of_the_test" not in shown.output + applied.output + exported.output


async def test_a_wrong_file_is_refused_with_every_path(console: Any, config_file: Path) -> None:
    text = config_file.read_text().replace("platform: http", "platform: fax")
    config_file.write_text(text)

    refused = await run(console, "apply", "-f", str(config_file), "--yes", WB_TEST_TOKEN="t")

    assert refused.exit_code == 1
    assert "sources[0].platform" in refused.output


@pytest.mark.parametrize(
    ("text", "words"), [("[1, 2]", "no configuration"), ("a: [", "is no YAML"), (None, "No such file")]
)
async def test_a_file_that_is_none_says_what_it_is(console: Any, tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)

    refused = await run(console, "apply", "-f", str(path))

    assert refused.exit_code == 1
    assert words in refused.output


async def test_where_is_my_order_is_answered_by_number(console: Any) -> None:
    await console.publish(*LIFE)
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    listed = await run(console, "orders", "list", "--stage", "settled", "--json")
    shown = await run(console, "orders", "show", "1001")
    story = await run(console, "orders", "timeline", "1001")
    unknown = await run(console, "orders", "show", "77")
    traced = await run(console, "orders", "trace", "1001")

    assert [order["number"] for order in json.loads(listed.stdout)] == ["#1001"]
    assert "E-1001" in shown.output
    assert "1Z1" in shown.output
    assert story.output.index("order_imported") < story.output.index("shipment_synced")
    assert unknown.exit_code == 1
    assert "no order has the number '77'" in unknown.output
    assert traced.output.strip() == "ab" * 16


async def test_an_order_that_was_not_imported_says_why(console: Any) -> None:
    event = OrderExcluded.model_validate(
        {
            "at": "2026-11-22T10:00:00Z",
            "store": "acme",
            "channel": "acme-shop",
            "channel_order_id": "gid://2",
            "number": "#1002",
            "reason": "payment_pending",
        }
    )
    await console.publish(("order-ingest", event))
    await console.eventually("/stats", lambda a: a["orders"]["excluded"] == {"payment_pending": 1})

    shown = await run(console, "orders", "show", "1002")
    listed = await run(console, "orders", "list", "--excluded")

    assert shown.exit_code == 1
    assert "was not imported: payment_pending" in shown.output
    assert "#1002" in listed.output


async def test_keys_are_made_listed_and_revoked(console: Any) -> None:
    made = json.loads((await run(console, "keys", "create", "bob", "--json")).output)
    listed = await run(console, "keys", "list")
    await run(console, "keys", "revoke", made["key_id"])
    refused = await run(console, "stats", WAYBILL_API_KEY=made["key"])

    assert "bob" in listed.output
    assert made["key"] not in listed.output
    assert refused.exit_code == 1
    assert "Who are you?" in refused.output


async def test_a_missing_key_and_a_silent_console_are_said_in_one_sentence(console: Any) -> None:
    keyless = await run(console, "stats", WAYBILL_API_KEY="")
    silent = await run(console, "stats", WAYBILL_URL="http://127.0.0.1:9")

    assert "WAYBILL_API_KEY is not set" in keyless.output
    assert "no answer from http://127.0.0.1:9" in silent.output
    for told in (keyless, silent):
        assert [line[:5] for line in told.output.splitlines()][1:] == ["Try: "], "why, then what would work"
    assert (keyless.exit_code, silent.exit_code) == (1, 1)


async def test_an_action_on_a_service_that_is_away_is_stored_and_said_so(console: Any) -> None:
    stored = await run(console, "channels", "pull", "acme-shop")

    assert stored.exit_code == 3
    assert "it is sent until it is: waybill commands show" in stored.output
    assert "order-ingest does not answer" in stored.output


async def test_help_names_every_command(console: Any) -> None:
    shown = await run(console, "--help")

    for command in ("up", "apply", "export", "stats", "orders", "frs", "shipments", "records", "dead-letters", "keys"):
        assert command in shown.output
