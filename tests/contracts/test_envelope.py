"""CloudEvents over Kafka: what goes out comes back, and what cannot be read says why."""

import pytest

from waybill_contracts.alerts_raised import AlertCleared, AlertRaised, ConnectionStateChanged, connection_told
from waybill_contracts.config_changed import EntityRemoved
from waybill_contracts.envelope import UnreadableEvent, decode, encode, tombstone
from waybill_contracts.event import Event
from waybill_contracts.topics import TOPICS

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_event_comes_back_as_it_went(event: Event) -> None:
    message = encode(event, source="router", traceparent=TRACE)

    received = decode(message.topic, message.key.encode(), message.headers, message.value)

    assert received is not None
    assert received.event == event
    assert received.id == message.id
    assert received.traceparent == TRACE


def test_every_event_has_a_topic_of_the_table_a_key_and_a_sentence(event: Event) -> None:
    assert event.TOPIC in TOPICS
    assert event.key
    assert (event.__doc__ or "").strip()


def test_the_same_fact_has_the_same_id_and_the_next_one_another(fr_created: Event) -> None:
    later = fr_created.model_copy(update={"sequence": fr_created.sequence + 1})

    assert encode(fr_created, source="router").id == encode(fr_created, source="router").id
    assert encode(fr_created, source="router").id != encode(later, source="router").id
    assert encode(fr_created, source="router").id != encode(fr_created, source="fulfillment-push").id


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (b"\xff\xfe not json", "JSON"),
        (b'{"at": "2026-11-22T10:00:00Z"}', "fr_id: Field required"),
        (b'{"at": "yesterday"}', "at: .*'yesterday'"),
        (b"[]", "value"),
        (None, "null"),
    ],
)
def test_unreadable_bytes_name_the_field_and_the_value(value: bytes | None, names: str) -> None:
    with pytest.raises(UnreadableEvent, match=names):
        decode("fr.created", b"k", {"ce_id": "1", "ce_type": "waybill.fr.created.v1"}, value)


def test_a_tombstone_without_its_version_is_unreadable() -> None:
    with pytest.raises(UnreadableEvent, match="must end in the removed version"):
        decode("config.changed", b"source/east", {"ce_id": "by-hand"}, None)


def test_a_missing_header_names_the_types_that_the_topic_takes() -> None:
    with pytest.raises(UnreadableEvent, match=r"ce_type and ce_id is missing.*waybill\.order\.submitted\.v1"):
        decode("orders.inbound", b"k", {}, b"{}")


def test_a_tombstone_on_the_compacted_topic_is_a_removal() -> None:
    message = tombstone("source/east", source="console", version=4)

    received = decode(message.topic, message.key.encode(), message.headers, message.value)

    assert received is not None
    assert isinstance(received.event, EntityRemoved)
    assert received.event.entity == "source/east"
    assert received.event.sequence == 4, "a removal has its place among the versions"


@pytest.mark.parametrize(
    ("state", "told"), [("unauthorized", AlertRaised), ("down", AlertRaised), ("ok", AlertCleared)]
)
def test_a_connection_that_stops_or_resumes_is_told_with_its_alert(state: str, told: type[Event]) -> None:
    change = ConnectionStateChanged.model_validate(
        {"at": "2026-11-22T10:00:00Z", "connection": "east", "service": "fulfillment-push", "state": state}
    )

    changed, alert = connection_told(change)

    assert changed is change
    assert isinstance(alert, told)
    assert alert.key == "fulfillment-push/connection/east"


def test_a_list_with_a_wrong_entry_is_not_called_too_short_as_well() -> None:
    headers = {"ce_type": "waybill.order.submitted.v1", "ce_id": "x"}
    body = (
        b'{"at":"2026-11-22T09:00:00Z","channel":"feed","number":"1","placed_at":"2026-11-22T09:00:00Z","currency":"USD",'
        b'"payment":"paid","ship_to":{"country":"US"},"lines":[%s]}'
    )
    with pytest.raises(UnreadableEvent) as wrong:
        decode("orders.inbound", b"1", headers, body % b'{"sku":"A","quantity":-1}')
    assert "lines.0.quantity" in str(wrong.value)
    assert "at least 1 item" not in str(wrong.value)
    with pytest.raises(UnreadableEvent, match=r"lines: .*at least 1 item"):
        decode("orders.inbound", b"1", headers, body % b"")
