"""The configuration file: what is read, what is refused, and with which words."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from waybill_contracts.configuration import Configuration, format_duration

COSTS = {"currency": "USD", "shipping": [{"zone": ["US"], "base": "4.00"}]}
EAST = {"id": "east", "platform": "http", "url": "https://east.example", "costs": COSTS}
SHOP = {"id": "shop", "platform": "shopify", "url": "https://shop.example"}


def file(**parts: Any) -> dict[str, Any]:
    return {
        "stores": [{"id": "acme", "channels": [SHOP]}],
        "sources": [EAST],
        "routing": {"groups": [{"id": "default", "sources": ["east"]}]},
        **parts,
    }


def test_a_small_file_gets_the_documented_defaults() -> None:
    read = Configuration.model_validate(file())

    channel, source = read.channels[0], read.sources[0]
    assert read.problems() == []
    assert channel.poll_every == timedelta(minutes=3)
    assert channel.skus.unmapped == "hold"
    assert (source.poll_every, source.send_every) == (timedelta(minutes=15), timedelta(minutes=1))
    assert source.couriers.unmapped == "pass"
    assert read.routing.default_group is not None


def test_a_file_comes_back_as_it_was_read() -> None:
    read = Configuration.model_validate(file())

    assert Configuration.model_validate(read.model_dump(mode="json", by_alias=True)) == read


@pytest.mark.parametrize("text", ["3m", "15m", "0s", "1h", "30d", "90s"])
def test_durations_keep_their_spelling(text: str) -> None:
    read = Configuration.model_validate(file(sources=[{**EAST, "send_every": text}]))

    assert format_duration(read.sources[0].send_every) == text


@pytest.mark.parametrize(
    ("parts", "path", "words"),
    [
        ({"sources": [{**EAST, "poll": "15m"}]}, "sources.0.poll", "Extra inputs"),
        ({"sources": [{**EAST, "poll_every": "15 minutes"}]}, "sources.0.poll_every", "is no duration"),
        ({"sources": [{**EAST, "url": None}]}, "sources.0", "must be the API root"),
        ({"sources": [{**EAST, "platform": "events"}]}, "sources.0.platform", "is no source"),
        (
            {"stores": [{"id": "a", "channels": [{**SHOP, "poll_every": "2h"}]}]},
            "stores.0.channels.0.poll_every",
            "1s to 60m",
        ),
        (
            {"stores": [{"id": "a", "channels": [{**SHOP, "platform": "http"}]}]},
            "stores.0.channels.0.platform",
            "is no channel",
        ),
        (
            {"sources": [{**EAST, "costs": {"currency": "USD", "shipping": []}}]},
            "sources.0.costs.shipping",
            "at least 1",
        ),
    ],
)
def test_a_wrong_part_is_refused_by_its_path(parts: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Configuration.model_validate(file(**parts))

    found = {".".join(map(str, error["loc"])): error["msg"] for error in refused.value.errors()}
    assert words in found[path]


@pytest.mark.parametrize(
    ("parts", "path", "words"),
    [
        ({"routing": {"groups": []}}, "routing.groups", "no group"),
        (
            {"routing": {"groups": [{"id": "a", "sources": ["east"]}, {"id": "b", "sources": ["east"]}]}},
            "routing.groups",
            "mark exactly one",
        ),
        ({"routing": {"groups": [{"id": "a", "sources": ["moon"]}]}}, "routing.groups[0].sources", "'moon'"),
        (
            {"routing": {"groups": [{"id": "a", "sources": ["east"]}], "rules": [{"when": {}, "group": "uk"}]}},
            "routing.rules[0].group",
            "'uk'",
        ),
        ({"stock": [{"source": "moon", "sku": "A", "on_hand": 1}]}, "stock[0].source", "'moon'"),
        ({"sources": [EAST, EAST]}, "sources[1].id", "used at sources[0].id"),
        (
            {
                "sources": [EAST, {**EAST, "id": "uk", "costs": {**COSTS, "currency": "GBP"}}],
                "routing": {"groups": [{"id": "a", "sources": ["east", "uk"]}]},
            },
            "routing.groups[0].sources",
            "one currency per group",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_with_its_fix(parts: dict[str, Any], path: str, words: str) -> None:
    problems = dict(Configuration.model_validate(file(**parts)).problems())

    assert words in problems[path]
