"""Which sources are configured, by what every replica reads: the table that `config.changed` fills.

A record of `config.changed` reaches one replica of the group only, so each looks at the versions before it works and
reads again what changed. That is one small statement a turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fulfillment_push.receive import SERVICE
from waybill_common.breaker import Health, StateChange
from waybill_common.db import Connection, Queries, rows
from waybill_common.outbox import Message
from waybill_contracts.alerts_raised import ConfigApplied, ConnectionState, ConnectionStateChanged, connection_told
from waybill_contracts.config_changed import ChannelConfigured, Configured, EntityRemoved, SourceConfigured
from waybill_contracts.configuration import Source
from waybill_contracts.envelope import encode


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source as of one version of its configuration; its credentials are still sealed."""

    source: Source
    version: int
    credential_version: int


class SourceBook:
    """The configured sources, as of the last `refresh`."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries
        self.known: dict[str, KnownSource] = {}
        self.fresh: set[str] = set()

    @property
    def settings(self) -> dict[str, Source]:
        return {name: known.source for name, known in self.known.items()}

    async def refresh(self, conn: Connection) -> None:
        """Takes in what changed since the last time; the send run wakes what waited for the `fresh` ones."""
        found = await rows(self._q.source_versions(conn))
        versions = {row["entity"].removeprefix("source/"): row["version"] for row in found}
        for name in self.known.keys() - versions.keys():
            del self.known[name]
        changed = [n for n, v in versions.items() if n not in self.known or self.known[n].version != v]
        if not changed:
            return
        for row in await rows(self._q.source_bodies(conn, entities=[f"source/{name}" for name in changed])):
            source = Source.model_validate(row["body"])
            self.known[source.id] = KnownSource(source, row["version"], row["credential_version"])
            self.fresh.add(source.id)


async def take_in(conn: Connection, queries: Queries, health: Health, events: Sequence[Configured]) -> list[Message]:
    """Stores newer configuration, wakes what waited for it, resumes with new credentials; returns the receipts."""
    newest = {event.entity: event for event in sorted(events, key=lambda event: event.sequence)}
    stored = [event for event in newest.values() if not isinstance(event, EntityRemoved)]
    if stored:
        await queries.upsert_entities(
            conn,
            entities=[event.entity for event in stored],
            versions=[event.sequence for event in stored],
            bodies=[_body(event) for event in stored],
            credential_versions=[_credential_version(event) for event in stored],
        )
    removed = [event for event in newest.values() if isinstance(event, EntityRemoved)]
    if removed:
        await queries.remove_entities(
            conn, entities=[event.entity for event in removed], versions=[event.sequence for event in removed]
        )
    sources = [event for event in stored if isinstance(event, SourceConfigured)]
    messages = []
    if sources:
        await queries.wake_configured(conn, sources=[event.source.id for event in sources])
        for event in sources:
            change = await health.resume(conn, event.source.id, event.credential_version)
            messages += state_changed(change) if change is not None else []
    return messages + [_applied(event) for event in stored]


def _body(event: Configured) -> object:
    return event.source.model_dump(mode="json", by_alias=True) if isinstance(event, SourceConfigured) else {}


def _credential_version(event: Configured) -> int:
    return event.credential_version if isinstance(event, SourceConfigured | ChannelConfigured) else 0


def _applied(event: Configured) -> Message:
    fact = ConfigApplied(at=datetime.now(UTC), service=SERVICE, entity=event.entity, version=event.sequence)
    return Message(*encode(fact, source=SERVICE))


def state_changed(change: StateChange) -> list[Message]:
    """A source stopped or resumed answering us, said to the others, and its alert."""
    fact = ConnectionStateChanged(
        at=datetime.now(UTC),
        connection=change.connection_id,
        service=SERVICE,
        state=ConnectionState(change.state),
        detail=change.cause or "",
        credential_version=change.credential_version,
    )
    return [Message(*encode(event, source=SERVICE)) for event in connection_told(fact)]
