"""CloudEvents 1.0 over Kafka, binary mode: attributes in headers, the payload as JSON in the value.

`decode` is strict about what it knows (a wrong schema is `UnreadableEvent`) and lenient about what it does not
(a type from a newer producer is `None`, an unknown field is ignored).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from waybill_contracts.config_changed import removal
from waybill_contracts.event import Event
from waybill_contracts.registry import EVENTS, TYPES_BY_TOPIC
from waybill_contracts.topics import CONFIG_CHANGED, ORDER_ID, TOPICS


class UnreadableEvent(ValueError):
    """The bytes are no event of this topic; the message says what is wrong and where."""


class Encoded(NamedTuple):
    """What goes onto the wire; the fields are those of an outbox message."""

    id: str
    topic: str
    key: str
    headers: dict[str, str]
    value: bytes | None


class Received(NamedTuple):
    """What came from the wire."""

    event: Event
    id: str
    source: str
    traceparent: str | None


def event_id(source: str, event: Event) -> str:
    """A function of owner, aggregate and sequence (DESIGN section 1)."""
    return f"{source}:{event.aggregate}:{event.sequence}"


def encode(event: Event, *, source: str, traceparent: str | None = None, caused_by: str | None = None) -> Encoded:
    """The message for `event`; `source` is the service that owns the fact.

    A fact about an order names the command that led to it: the one it says itself, else `caused_by`.
    """
    identity = event_id(source, event)
    if caused_by and event.caused_by is None and TOPICS[event.TOPIC].key == ORDER_ID:
        event = event.model_copy(update={"caused_by": caused_by})
    headers = {
        "ce_id": identity,
        "ce_type": event.TYPE,
        "ce_source": f"waybill/{source}",
        "ce_time": event.at.isoformat().replace("+00:00", "Z"),
        "ce_specversion": "1.0",
        "content-type": "application/json",
    }
    if traceparent:
        headers["traceparent"] = traceparent
    if event.caused_by:
        headers["ce_causedby"] = event.caused_by
    return Encoded(identity, event.TOPIC, event.key, headers, event.model_dump_json(by_alias=True).encode())


def tombstone(entity: str, *, source: str, version: int) -> Encoded:
    """The message that removes `entity` from the compacted configuration."""
    identity = f"{source}:{entity}:{version}"
    headers = {
        "ce_id": identity,
        "ce_type": "waybill.config.removed.v1",
        "ce_source": f"waybill/{source}",
        "ce_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "ce_specversion": "1.0",
    }
    return Encoded(identity, CONFIG_CHANGED, entity, headers, None)


def decode(topic: str, key: bytes | None, headers: Mapping[str, str], value: bytes | None) -> Received | None:
    """The event in a record; None when its type is unknown to this version. Raises UnreadableEvent."""
    kind = headers.get("ce_type", "")
    identity = headers.get("ce_id", "")
    if value is None:
        return _removed(topic, key, identity)
    if not kind or not identity:
        missing = " and ".join(name for name in ("ce_type", "ce_id") if not headers.get(name))
        expected = ", ".join(sorted(TYPES_BY_TOPIC.get(topic, ())))
        raise UnreadableEvent(f"header {missing} is missing; set it (this topic takes {expected})")
    if kind not in TYPES_BY_TOPIC.get(topic, ()):
        return None
    try:
        event = EVENTS[kind].model_validate_json(value)
    except ValidationError as error:
        raise UnreadableEvent(f"{kind}: {_explain(error)}") from None
    return Received(event, identity, headers.get("ce_source", ""), headers.get("traceparent"))


def _removed(topic: str, key: bytes | None, identity: str) -> Received:
    if topic != CONFIG_CHANGED or key is None:
        raise UnreadableEvent("the value is null; only config.changed takes tombstones, send the payload as JSON")
    version = identity.rpartition(":")[2]
    if not version.isdecimal():
        raise UnreadableEvent(
            f"ce_id={identity!r} of a tombstone must end in the removed version, e.g. console:source/x:7"
        )
    return Received(removal(key.decode("utf-8", "replace"), int(version), datetime.now(UTC)), identity, "", None)


def _explain(error: ValidationError) -> str:
    """Each wrong field with its value and what is expected there."""
    parts = []
    items = error.errors(include_url=False)
    deeper = {item["loc"][:n] for item in items for n in range(1, len(item["loc"]))}
    for item in items[:10]:
        if item["type"] == "too_short" and item["loc"] in deeper:
            continue  # the list is short only because of its wrong entries, which are named
        path = ".".join(str(step) for step in item["loc"]) or "value"
        parts.append(f"{path}: {item['msg']} (found {str(item['input'])[:80]!r})")
    return "; ".join(parts)
