"""Old and new versions of the services run side by side during a release, so messages must be readable both ways.

`yesterday/` holds messages and JSON Schemas as they were at the last release. `make release-contracts` replaces them;
nothing else does. The one drift this cannot catch is a field that keeps its shape and changes its meaning.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from waybill_contracts.envelope import decode, encode
from waybill_contracts.event import Event
from waybill_contracts.registry import EVENTS

YESTERDAY = Path(__file__).parent / "yesterday"
MESSAGES = sorted(YESTERDAY.glob("*.message.json"))
HEADERS = {"ce_id": "x"}


def differing(written: Any, understood: Any, path: str = "") -> Iterator[str]:
    """Paths at which something that was written is not understood as it was; what is new beside it is no difference."""
    if isinstance(written, dict) and isinstance(understood, dict):
        for name, value in written.items():
            yield from differing(value, understood.get(name), f"{path}.{name}" if path else name)
    elif isinstance(written, list) and isinstance(understood, list) and len(written) == len(understood):
        for at, (one, other) in enumerate(zip(written, understood, strict=True)):
            yield from differing(one, other, f"{path}[{at}]")
    elif written != understood:
        yield path


def test_a_nested_value_that_changed_is_found_and_a_new_field_beside_it_is_none() -> None:
    written = {"fr": {"number": "7", "lines": [{"sku": "A"}]}}
    assert list(differing(written, {"fr": {"number": "7", "risk": None, "lines": [{"sku": "A", "title": ""}]}})) == []
    assert list(differing(written, {"fr": {"number": "7", "lines": [{"sku": "B"}]}})) == ["fr.lines[0].sku"]
    assert list(differing(written, {"fr": {"number": "7", "lines": []}})) == ["fr.lines"]


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.name)
def test_todays_code_reads_yesterdays_message(path: Path) -> None:
    kind = path.name.removesuffix(".message.json")
    written = json.loads(path.read_text())

    received = decode(EVENTS[kind].TOPIC, None, {**HEADERS, "ce_type": kind}, path.read_bytes())

    assert received is not None
    understood = json.loads(received.event.model_dump_json(by_alias=True))
    lost = sorted(differing(written, understood))
    assert not lost, f"today's {kind} no longer says what yesterday's said in {lost}"


def test_yesterdays_reader_takes_todays_message(event: Event) -> None:
    schema = YESTERDAY / f"{event.TYPE}.schema.json"
    if not schema.exists():
        assert not (YESTERDAY / f"{event.TYPE}.message.json").exists(), "a message without its schema"
        return  # new since yesterday: yesterday's readers skip a type they do not know
    today = json.loads(encode(event, source="test").value or b"")

    jsonschema.validate(today, json.loads(schema.read_text()))


def test_every_event_of_the_last_release_still_exists() -> None:
    gone = {path.name.removesuffix(".message.json") for path in MESSAGES} - set(EVENTS)

    assert MESSAGES
    assert not gone, f"{gone} are still in the topics; keep reading them for the retention time"


def test_the_check_sees_a_required_field_that_went_away(stock_counted: Event) -> None:
    today = json.loads(encode(stock_counted, source="test").value or b"")
    del today["on_hand"]
    schema = json.loads((YESTERDAY / f"{stock_counted.TYPE}.schema.json").read_text())

    with pytest.raises(jsonschema.ValidationError, match="on_hand"):
        jsonschema.validate(today, schema)


def test_a_field_from_tomorrow_is_ignored(fr_created: Event) -> None:
    message = encode(fr_created, source="router")
    tomorrow = {**json.loads(message.value or b""), "carbon_g": 120}

    received = decode(message.topic, b"k", message.headers, json.dumps(tomorrow).encode())

    assert received is not None
    assert received.event == fr_created


def test_a_type_from_tomorrow_is_skipped_without_complaint() -> None:
    assert decode("fr.created", b"k", {**HEADERS, "ce_type": "waybill.fr.rerouted.v1"}, b"{}") is None
