"""The configuration as stored, prepared for planning: every replica reads it again when its revision has grown."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from router.facts import SERVICE, message
from router.routing.plan import Rulebook
from router.routing.task import Site
from waybill_common import outbox
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.alerts_raised import ConfigApplied
from waybill_contracts.config_changed import (
    ChannelConfigured,
    Configured,
    EntityRemoved,
    RoutingConfigured,
    SourceConfigured,
)
from waybill_contracts.configuration import Routing, Source


class Rulebooks:
    """Gives the rulebook of the present revision."""

    def __init__(self, queries: Queries) -> None:
        self._q = queries
        self._revision = 0
        self._book = Rulebook(0, Routing(), {})

    async def current(self, conn: Connection) -> tuple[int, Rulebook]:
        """(revision, rulebook); one small statement while nothing has changed."""
        revision = await self._q.revision(conn)
        if revision != self._revision:
            self._book = book_of(await rows(self._q.config_entities(conn)), revision)
            self._revision = revision
        return revision, self._book

    async def at(self, conn: Connection, revision: int) -> Rulebook | None:
        """The rulebook as it was at that revision (RT-15); None = it is not kept."""
        found = await rows(self._q.config_at(conn, revision=revision))
        return book_of([row for row in found if row["body"] is not None], revision) if found else None


def book_of(entities: Sequence[Mapping[str, Any]], revision: int) -> Rulebook:
    """Of stored entities: routing and sources, prepared for planning."""
    routing, version, sites = Routing(), 0, {}
    for row in entities:
        if row["entity"] == "routing":
            routing, version = Routing.model_validate(row["body"]), row["version"]
        elif row["entity"].startswith("source/"):
            source = Source.model_validate(row["body"])
            sites[source.id] = Site(source)
    return Rulebook(version, routing, sites, revision)


def document_of(book: Rulebook) -> dict[str, Any]:
    """The rulebook as a configuration file, without credentials and stock."""
    sources = [
        site.source.model_dump(mode="json", by_alias=True, exclude={"credentials"}) for site in book.sites.values()
    ]
    return {"sources": sources, "routing": book.routing.model_dump(mode="json", by_alias=True)}


async def take_config(conn: Connection, q: Queries, events: Sequence[Configured]) -> None:
    """Stores what is newer, raises the revision, wakes what waits for it, and answers each version."""
    if not events:
        return
    newest = {event.entity: event for event in sorted(events, key=lambda event: event.sequence)}
    kept = [event for event in newest.values() if not isinstance(event, EntityRemoved)]
    changed = await rows(
        q.apply_config(
            conn,
            entities=[event.entity for event in kept],
            versions=[event.sequence for event in kept],
            bodies=[_body(event) for event in kept],
        )
    )
    gone = {event.entity: event.sequence for event in newest.values() if isinstance(event, EntityRemoved)}
    removed = await rows(q.remove_config(conn, entities=list(gone), versions=list(gone.values()))) if gone else []
    if changed or removed:
        revision = await q.raise_revision(conn)
        names = [row["entity"] for row in (*changed, *removed)]
        await q.keep_config(conn, entities=names, revision=revision)
        await q.add_wakes(conn, keys=["config"])
    now = datetime.now(UTC)
    answers = [ConfigApplied(at=now, service=SERVICE, entity=e.entity, version=e.sequence) for e in kept]
    await outbox.append(conn, [message(answer) for answer in answers])


def _body(event: Configured) -> dict[str, object]:
    match event:
        case ChannelConfigured():
            return event.channel.model_dump(mode="json", by_alias=True, exclude={"credentials"})
        case SourceConfigured():
            return event.source.model_dump(mode="json", by_alias=True, exclude={"credentials"})
        case RoutingConfigured():
            return event.routing.model_dump(mode="json", by_alias=True)
        case _:
            return {}
