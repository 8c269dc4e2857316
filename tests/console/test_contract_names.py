"""Names that other people's tools are written against stay: REST paths, commands, options, make targets (DESIGN 7)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from console.cli.program import app

ROOT = Path(__file__).parents[2]
PATHS = {
    "get": """
        orders orders/{} orders/{}/timeline orders/explain frs frs/{} shipments stores channels channels/{}/audit
        channels/{}/mappings/skus channels/{}/mappings/shipping-methods channels/{}/mappings/couriers
        sources sources/{}/stock routing/groups records
        dead-letters alerts commands/{} config stats""",
    "post": """
        orders orders/{}/actions/{} orders:import frs frs/{}/actions/{} frs:preview shipments shipments:resync
        channels/{}/audit sources/{}/stock routing:simulate""",
    "put": """
        config channels/{}/mappings/skus channels/{}/mappings/shipping-methods channels/{}/mappings/couriers""",
}
COMMANDS = {
    "": "apply export up",
    "orders": "list show import place explain trace bundle hold release cancel",
    "frs": "list show preview generate create process mark resend void regenerate",
    "shipments": "record resync",
    "channels": "list pull audit certify",
    "sources": "list poll send stock certify",
    "records": "list",
    "dead-letters": "list show replay discard",
    "alerts": "list",
    "routing": "plan check simulate actuals",
    "console": "rebuild",
    "commands": "show",
    "users": "list",
    "keys": "list",
}
OPTIONS = {
    ("up",): "--config --orders --no-sandbox --data",
    ("apply",): "-f --json",
    ("orders", "list"): "--view --json",
    ("orders", "import"): "--json",
    ("routing", "plan"): "--config --orders --sequential",
}
ACTS = {
    "orders": "place hold release cancel generate",
    "frs": "generate create process mark resend void regenerate",
    "shipments": "record withdraw",
}
TARGETS = "setup run test test-connected e2e chaos bench check up schemas docs contracts"
STATS = {
    "as_of": None,
    "orders": {"total", "by_stage", "by_sync", "held", "excluded"},
    "frs": None,
    "oldest": None,
}


def command(*names: str) -> click.Command:
    found: Any = typer.main.get_command(app)
    for name in names:
        found = found.commands[name]
    return found  # type: ignore[no-any-return]  # click's groups are untyped


def options(*names: str) -> set[str]:
    return {word for parameter in command(*names).params for word in parameter.opts}


@pytest.mark.parametrize("group", COMMANDS)
def test_the_command_line_has_its_names(group: str) -> None:
    names = [group] if group else []
    known: Any = command(*names)
    assert set(COMMANDS[group].split()) <= set(known.commands)


@pytest.mark.parametrize("names", OPTIONS, ids=" ".join)
def test_commands_have_their_options(names: tuple[str, ...]) -> None:
    assert set(OPTIONS[names].split()) <= options(*names)


@pytest.mark.parametrize("group", ACTS)
def test_every_action_can_wait_for_its_effect(group: str) -> None:
    assert {name for name in ACTS[group].split() if "--wait" not in options(group, name)} == set()


def test_make_has_its_targets() -> None:
    lines = re.findall(r"^([a-z][a-z0-9 -]*):(?!=)", (ROOT / "Makefile").read_text(), flags=re.M)
    known = {name for line in lines for name in line.split()}
    assert set(TARGETS.split()) <= known


async def test_the_api_has_its_paths(empty_console: Any) -> None:
    paths = (await empty_console.http.get("/api/openapi.json")).json()["paths"]
    known = {(method, re.sub(r"\{[^}]*\}", "{}", path)) for path, methods in paths.items() for method in methods}
    wanted = {(method, f"/v1/{path}") for method, names in PATHS.items() for path in names.split()}
    assert wanted - known == set()


async def test_each_post_that_acts_answers_with_a_command(empty_console: Any) -> None:
    """Nobody adds an action that is no command: what is not one is named here, with its reason."""
    document = (await empty_console.http.get("/api/openapi.json")).json()
    plain = {
        "/v1/orders:import",  # bulk intake: a chunk is harmless to repeat, and answered row by row
        "/v1/sources/{source_id}/stock",  # likewise
        "/v1/routing/actuals",  # likewise, under the file's name
        "/v1/frs:preview", "/v1/routing:simulate", "/v1/channels/{channel_id}/releases",  # questions
        "/v1/channels/{channel_id}/mappings/couriers:preview",
        "/v1/channels/{channel_id}/mappings/courier-services:preview",
        "/v1/channels/{channel_id}/webhooks", "/v1/sources/{source_id}/webhooks",  # a setting at the shop, waited for
        "/v1/dead-letters/{service}/{letter_id}/replay", "/v1/dead-letters/{service}/{letter_id}/discard",
        "/v1/erasures",  # over all services, told for itself
        "/v1/console/rebuild", "/v1/keys", "/v1/users", "/v1/users/{user_id}/password",  # the console's own
    }  # fmt: skip
    acts = {path for path, methods in document["paths"].items() if "post" in methods}
    schemas = document["components"]["schemas"]
    without = set()
    for path in acts - plain:
        answers = document["paths"][path]["post"]["responses"]
        named = [schema_of(answers[status]) for status in answers if status in ("200", "201", "202")]
        if not named or any("command_id" not in schemas.get(name, {}).get("properties", {}) for name in named):
            without.add(path)
    assert without == set()


def schema_of(answer: dict[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


async def test_stats_have_their_shape(empty_console: Any) -> None:
    stats = await empty_console.get("/stats")
    assert set(STATS) <= set(stats)
    assert STATS["orders"] <= set(stats["orders"])
