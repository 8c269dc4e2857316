"""`waybill apply`: what the file changes is stored and published in one version; what it does not, is left alone.

Idempotent: the same file again changes nothing and publishes nothing (OP-6), unless a connection stands `unauthorized`:
then giving its credentials again, the same ones too, is how a person says that they hold (IN-12).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from console.configure.entities import Credentials, Entity, entities_of, merge_credentials
from console.configure.moving import moved_channels
from console.configure.publishing import message_of, published, removal_of
from console.configure.reading import Problem, WrongConfiguration
from console.messages import message
from waybill_common import outbox
from waybill_common.clock import Clock
from waybill_common.db import Connection, Queries, rows
from waybill_common.vault import Vault
from waybill_contracts.configuration import Channel, Configuration, Source, StockLevel
from waybill_contracts.inventory_updated import StockCounted
from waybill_platforms.registry import channel_refusal, source_refusal

Secrets = Mapping[str, Mapping[str, str]]


class Change(NamedTuple):
    """What apply does to one entity. Credentials appear by name alone."""

    entity: str
    action: str  # added | changed | removed
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Applied(NamedTuple):
    """`version` is the configuration's; `waits_for` maps each published entity to the version to be answered."""

    version: int
    changes: list[Change]
    stock: int
    waits_for: dict[str, int]


class Applier:
    """Compares and applies; `now` decides what `starts_at: now` means for a new channel."""

    def __init__(self, q: Queries, vault: Vault, clock: Clock) -> None:
        self._q, self._vault, self._clock = q, vault, clock

    async def apply(
        self, conn: Connection, wanted: Configuration, secrets: Secrets, actor: str, *, dry_run: bool
    ) -> Applied:
        """In the caller's transaction. Raises WrongConfiguration when a credential cannot be resolved."""
        await self._q.lock_config(conn)
        stored = {row["entity"]: row for row in await rows(self._q.entities(conn))}
        locked_out = {row["connection"] for row in await rows(self._q.locked_out(conn))}
        version = await self._q.next_version(conn)
        now = self._clock.now()
        changes, waits_for = [], {}
        messages: list[outbox.Message] = []
        moved = await self._moved(conn, wanted)
        for position, (entity, old, credentials) in enumerate(
            self._prepared(wanted, stored, secrets, locked_out, moved)
        ):
            change = _compare(entity, old, credentials)
            if change is None:
                if not dry_run:
                    await self._q.move_entity(conn, entity=entity.name, position=position)
                continue
            changes.append(change)
            if not dry_run:
                row = await self._save(conn, entity, old, credentials, version, position)
                if published(entity.name):
                    messages.append(message_of(row | {"actor": actor, "at": now}))
                    waits_for[entity.name] = version
        for name in sorted(stored):
            changes.append(Change(name, "removed", stored[name]["body"], None))
            if not dry_run:
                await self._q.remove_entity(conn, entity=name, version=version)
                if published(name):
                    messages.append(removal_of(name, version))
        levels = await self._stock(conn, wanted.stock)
        if (changes or levels) and not dry_run:
            await self._finish(conn, version, actor, now, changes, messages, levels)
        return Applied(version if changes or levels else version - 1, changes, len(levels), waits_for)

    async def _moved(self, conn: Connection, wanted: Configuration) -> list[Problem]:
        """Channels that would be on another platform than their orders: those are known by that platform's ids."""
        names = [channel.id for store in wanted.stores for channel in store.channels]
        found = await rows(self._q.platforms_of_channels(conn, channels=names))
        return moved_channels(wanted, {row["channel"]: row["platform"] for row in found})

    def _prepared(
        self, wanted: Configuration, stored: dict[str, Any], secrets: Secrets, locked_out: set[str],
        moved: Sequence[Problem],
    ) -> list[tuple[Entity, Any, Credentials]]:  # fmt: skip
        """Each wanted entity beside what is stored of it, which is taken out of `stored`: what stays there is to go.

        Raises WrongConfiguration, with everything that is wrong, before anything is changed.
        """
        prepared, problems = [], list(moved)
        for entity in entities_of(wanted):
            old = stored.pop(entity.name, None)
            try:
                credentials = self._credentials(entity, old, secrets, again=entity.id in locked_out)
            except WrongConfiguration as wrong:
                problems += wrong.problems
                continue
            problems += _refusal(entity, credentials)
            prepared.append((entity, old, credentials))
        if problems:
            raise WrongConfiguration(problems)
        return prepared

    def _credentials(self, entity: Entity, old: Any, secrets: Secrets, *, again: bool) -> Credentials:
        """`again`: what is given counts as new, although it is what is stored."""
        stored = old["credentials"] if old else {}
        names = old["credential_names"] if old else {}
        merged = merge_credentials(entity, stored, names, secrets.get(entity.name, {}))
        if again:
            return merged
        same = {name: stored[name] for name, value in merged.new.items() if self._is(entity.name, stored, name, value)}
        new = {name: value for name, value in merged.new.items() if name not in same}
        return Credentials(new, merged.kept | same, merged.names)

    def _is(self, entity: str, stored: Mapping[str, str], name: str, value: str) -> bool:
        return name in stored and self._vault.open(entity, stored[name]) == value

    async def _save(
        self, conn: Connection, entity: Entity, old: Any, credentials: Credentials, version: int, position: int
    ) -> dict[str, Any]:
        sealed = {name: self._vault.seal(entity.name, value) for name, value in credentials.new.items()}
        row = {
            "entity": entity.name,
            "version": version,
            "body": entity.body,
            "credentials": sealed | credentials.kept,
            "credential_names": credentials.names,
            "credential_version": _credential_version(old, credentials),
            "renewed": _renewed(entity, old, credentials),
            "starts_at": self._starts_at(entity, old),
            "position": position,
        }
        await self._q.save_entity(conn, **row)
        return row

    def _starts_at(self, entity: Entity, old: Any) -> datetime | None:
        if not entity.name.startswith("channel/"):
            return None
        given = entity.body.get("starts_at", "now")
        if given != "now":
            return datetime.fromisoformat(given)
        # `now` is the moment at which the channel was added, not at which the file was applied again
        return old["starts_at"] if old and old["body"].get("starts_at", "now") == "now" else self._clock.now()

    async def _stock(self, conn: Connection, levels: Sequence[StockLevel]) -> list[tuple[StockLevel, int]]:
        known = {(row["source"], row["sku"]): row for row in await rows(self._q.stock_levels(conn))}
        changed = []
        for level in levels:
            row = known.get((level.source, level.sku))
            if row is None or row["level"] != level.model_dump(mode="json", exclude_unset=True):
                changed.append((level, row["sequence"] + 1 if row else 1))
        return changed

    async def _finish(
        self,
        conn: Connection,
        version: int,
        actor: str,
        now: datetime,
        changes: Sequence[Change],
        messages: list[outbox.Message],
        levels: Sequence[tuple[StockLevel, int]],
    ) -> None:
        await self._q.add_version(conn, version=version, at=now, actor=actor, changes=[c._asdict() for c in changes])
        for level, sequence in levels:
            event = StockCounted(
                sequence=sequence,
                at=now,
                source=level.source,
                sku=level.sku,
                on_hand=level.on_hand,
                counted_at=level.counted_at or now,
                unit_cost=level.unit_cost,
                weight_g=level.weight_g,
            )
            messages.append(message(event))
        await self._q.save_stock_levels(
            conn,
            sources=[level.source for level, _ in levels],
            skus=[level.sku for level, _ in levels],
            levels=[level.model_dump(mode="json", exclude_unset=True) for level, _ in levels],
            sequences=[sequence for _, sequence in levels],
        )
        await outbox.append(conn, messages)


def _refusal(entity: Entity, credentials: Credentials) -> list[Problem]:
    """Why the platform's client could not be opened like this; a kept secret counts as given."""
    kind = entity.name.partition("/")[0]
    given = credentials.new | dict.fromkeys(credentials.kept, "kept")
    words = None
    if kind == "channel":
        body = {key: value for key, value in entity.body.items() if key != "store"}
        words = channel_refusal(Channel.model_validate(body), given)
    elif kind == "source":
        words = source_refusal(Source.model_validate(entity.body), given)
    return [Problem(entity.path, words)] if words else []


def _compare(entity: Entity, old: Any, credentials: Credentials) -> Change | None:
    after = shown(entity.body, credentials.names, list(entity.credentials), set(credentials.new))
    if old is None:
        return Change(entity.name, "added", None, after)
    same_names = (
        sorted(entity.credentials) == sorted(old["credentials"]) and credentials.names == old["credential_names"]
    )
    if entity.body == old["body"] and not credentials.changed and same_names:
        return None
    before = shown(old["body"], old["credential_names"], list(old["credentials"]), set())
    return Change(entity.name, "changed", before, after)


def shown(body: dict[str, Any], names: Mapping[str, str], given: list[str], new: set[str]) -> dict[str, Any]:
    """Credentials by name; a new value is told, never shown."""
    shown = {name: names.get(name, "kept") + (" (new value)" if name in new else "") for name in sorted(given)}
    return body | ({"credentials": shown} if shown else {})


def _renewed(entity: Entity, old: Any, credentials: Credentials) -> dict[str, str]:
    """What was renewed stays while everything that it was renewed with does."""
    if old is None or credentials.changed or credentials.kept.keys() != old["credentials"].keys():
        return {}
    return dict(old["renewed"]) if entity.body.get("url") == old["body"].get("url") else {}


def _credential_version(old: Any, credentials: Credentials) -> int:
    if old is None:
        return 1
    return int(old["credential_version"]) + (1 if credentials.changed else 0)
