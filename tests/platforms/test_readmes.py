"""A connector is usable by somebody who has only its README: the credentials that it names open the emulated shop."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from waybill_contracts.configuration import Configuration
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.registry import open_channel, open_source

ROOT = Path(__file__).parents[2] / "libs/platforms/src/waybill_platforms"
SHOPS = {
    "shopify": ("acme", "depot"),
    "bigcommerce": ("bramble", "bay"),
    "woocommerce": ("willow", "yonder"),
    "magento": ("maison", "mill"),
}


def configuration_of(platform: str) -> Any:
    text = (ROOT / platform / "README.md").read_text()
    return yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0])


def at(stage: Any, given: dict[str, Any], shop: str) -> dict[str, Any]:
    """`given` with the emulated shop's address, and its values for just the credentials that the README names."""
    theirs = (stage.world.shops | stage.world.sources)[shop].connection(stage.origin)
    credentials = {name: theirs["credentials"].get(name, "of our own making") for name in given["credentials"]}
    return given | {"url": theirs["url"], "credentials": credentials}


@pytest.mark.parametrize("platform", sorted(SHOPS))
async def test_what_a_readme_says_is_enough_to_use_a_shop_as_a_channel_and_as_a_source(
    stage: Any, ledger: Any, platform: str
) -> None:
    sells, ships = SHOPS[platform]
    given = configuration_of(platform)
    channel = at(stage, given["stores"][0]["channels"][0], sells)
    source = at(stage, given["sources"][0], ships)
    read = Configuration.model_validate(
        given | {"stores": [{"id": "acme", "channels": [channel]}], "sources": [source]}
    )
    opened: list[ChannelConnection | SourceConnection | None] = [
        open_channel(read.channels[0], await _renewed(read.channels[0], open_channel, ledger), budget=ledger),
        open_source(read.sources[0], await _renewed(read.sources[0], open_source, ledger), budget=ledger),
    ]
    for connection in opened:
        assert connection is not None
        assert connection.prober is not None
        found = await connection.prober.probe()
        assert found.usable, found.findings
        await connection.aclose()


async def _renewed(configured: Any, open_connection: Any, ledger: Any) -> dict[str, str]:
    """As the console does it: who is given an id and a secret asks for a token."""
    credentials = dict(configured.credentials)
    if "access_token" not in credentials and "client_id" in credentials:
        waiting = open_connection(configured, credentials, budget=ledger)
        credentials |= (await waiting.renewer.renew()).credentials
        await waiting.aclose()
    return credentials


async def test_what_the_readme_of_the_http_source_says_is_enough_to_ask_a_supplier(stage: Any, ledger: Any) -> None:
    given = configuration_of("http_source")
    read = Configuration.model_validate(given | {"sources": [at(stage, given["sources"][0], "east")]})
    supplier = open_source(read.sources[0], read.sources[0].credentials, budget=ledger)
    assert supplier is not None
    assert await supplier.sink.find("nobody-asked") is None
    await supplier.aclose()
