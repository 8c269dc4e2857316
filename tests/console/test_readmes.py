"""A connector is usable by somebody who has only its README: its configuration is one that `waybill apply` takes."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from console.cli.program import app as command_line

from .conftest import ADMIN

PLATFORMS = Path(__file__).parents[2] / "libs/platforms/src/waybill_platforms"
READMES = sorted(PLATFORMS.glob("*/README.md"))
SNIPPETS = [
    pytest.param(snippet, id=f"{readme.parent.name}-{place}")
    for readme in READMES
    for place, snippet in enumerate(re.findall(r"^```yaml\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE))
]


def test_each_platform_has_a_readme_with_a_configuration_and_what_it_costs() -> None:
    assert [readme.parent.name for readme in READMES] == [
        "bigcommerce", "http_source", "magento", "shopify", "woocommerce",
    ]  # fmt: skip
    assert len(SNIPPETS) == len(READMES)
    for readme in READMES:
        text = readme.read_text()
        assert "\n## Configuration\n" in text, readme
        assert "Calls per order" in text, readme


@pytest.mark.parametrize("snippet", SNIPPETS)
async def test_a_readmes_configuration_is_taken_as_it_stands(empty_console: Any, tmp_path: Path, snippet: str) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(snippet)
    variables = dict.fromkeys(re.findall(r"env:(\w+)", snippet), "given")
    env = {**variables, "WAYBILL_URL": str(empty_console.http.base_url), "WAYBILL_API_KEY": ADMIN, "TERM": "dumb"}

    said = await asyncio.to_thread(CliRunner().invoke, command_line, ["apply", "-f", str(file), "--dry-run"], env=env)

    assert variables, "secrets are named by env:NAME"
    assert said.exit_code == 0, said.output
    assert "warning" not in said.output
    assert "+ source/" in said.output


@pytest.mark.parametrize("snippet", SNIPPETS)
async def test_a_readmes_configuration_with_a_misspelled_credential_is_refused(
    empty_console: Any, snippet: str
) -> None:
    """So the test above can fail: what the file names is really looked at."""
    document = yaml.safe_load(snippet.replace("env:", ""))
    document["sources"][0]["credentials"]["acces_token"] = "t"

    answer = await empty_console.put_config(document, dry_run=True)

    assert answer.status_code == 422
    assert "credentials.acces_token is unknown" in answer.text
