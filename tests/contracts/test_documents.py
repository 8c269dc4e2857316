"""The generated documents say what the code says."""

from pathlib import Path

from waybill_contracts.documents import all_documents, asyncapi
from waybill_contracts.registry import EVENTS
from waybill_contracts.topics import TOPICS

ROOT = Path(__file__).parents[2]


def test_the_committed_documents_are_up_to_date() -> None:
    stale = [
        str(path)
        for path, text in all_documents().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != text
    ]

    assert not stale, f"run `make schemas`: {stale}"


def test_no_schema_outlives_its_event() -> None:
    committed = {path.stem for path in (ROOT / "libs/contracts/schemas").glob("*.json")}

    assert committed == set(EVENTS)


def test_asyncapi_has_every_topic_and_every_event() -> None:
    document = asyncapi()

    assert set(document["channels"]) == set(TOPICS)
    assert set(document["components"]["messages"]) == set(EVENTS)
