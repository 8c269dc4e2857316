"""The rules of each channel, from the configuration as stored, for one batch of sightings.

Parsed settings are kept in memory by version (a SKU map may have 100,000 rows); which names are ours is asked for the
names of the batch alone, and only for channels that pass unmapped ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from order_ingest.named import q
from order_ingest.rules import ANY_SKU, ChannelRules
from order_ingest.seen import Seen
from waybill_common.db import Queryable, rows
from waybill_contracts.config_changed import ChannelConfigured


@dataclass(frozen=True, slots=True)
class _Head:
    """What the channel's row says about its rules."""

    channel: str
    store: str
    starts_at: datetime
    config_version: int
    rules_version: int
    passes: bool


class Rulebook:
    """Looks up rules; one a process."""

    def __init__(self) -> None:
        self._parsed: dict[str, ChannelConfigured] = {}

    async def of(self, conn: Queryable, sightings: Sequence[Seen]) -> dict[str, ChannelRules]:
        """The rules of the sightings' channels; one that is not configured (any more) is missing."""
        heads = await self._heads(conn, {s.channel for s in sightings})
        channels = await self._channels(conn, heads)
        passing = [s for s in sightings if s.channel in heads and heads[s.channel].passes]
        skus, methods = await known_names(conn, passing)
        references = await _own_references(conn, sightings)
        return {
            head.channel: ChannelRules(
                store=head.store, channel=channels[head.channel].channel, starts_at=head.starts_at,
                version=head.rules_version,
                known_skus=skus, known_methods=methods, own_references=references,
            )
            for head in heads.values()
        }  # fmt: skip

    async def configured(self, conn: Queryable, channels: Iterable[str]) -> frozenset[str]:
        """Which of these ids are channels that are configured now."""
        return frozenset(await self._heads(conn, set(channels)))

    async def channel(self, conn: Queryable, channel: str) -> ChannelConfigured | None:
        """The configuration of one channel as it came; none when it is not configured."""
        heads = await self._heads(conn, {channel})
        return (await self._channels(conn, heads)).get(channel)

    async def _heads(self, conn: Queryable, channels: set[str]) -> dict[str, _Head]:
        found = await rows(q().channel_heads(conn, ids=sorted(channels)))
        return {
            row["channel_id"]: _Head(
                row["channel_id"], row["store"], row["starts_at"], row["config_version"], row["rules_version"],
                row["passes"],
            )
            for row in found
        }  # fmt: skip

    async def _channels(self, conn: Queryable, heads: dict[str, _Head]) -> dict[str, ChannelConfigured]:
        stale = [h for h in heads.values() if self._version(h.channel) != h.config_version]
        if stale:
            found = await rows(q().entity_bodies(conn, entities=[f"channel/{h.channel}" for h in stale]))
            for row in found:
                event = ChannelConfigured.model_validate(row["body"])
                self._parsed[event.channel.id] = event
        return {channel: self._parsed[channel] for channel in heads}

    def _version(self, channel: str) -> int:
        return self._parsed[channel].sequence if channel in self._parsed else 0


async def known_names(conn: Queryable, passing: Sequence[Seen]) -> tuple[frozenset[str], frozenset[str]]:
    """(SKUs, methods) of these sightings that are ours."""
    if not passing:
        return frozenset(), frozenset()
    skus = sorted({ANY_SKU, *(line.sku.strip() for s in passing for line in s.order.lines)})
    methods = sorted({s.order.shipping_method.strip() for s in passing})
    found = await rows(q().known_names(conn, skus=skus, methods=methods))
    return (
        frozenset(row["name"] for row in found if row["kind"] == "sku"),
        frozenset(row["name"] for row in found if row["kind"] == "method"),
    )


async def _own_references(conn: Queryable, sightings: Sequence[Seen]) -> frozenset[str]:
    references = sorted({s.order.reference for s in sightings if s.order.reference})
    if not references:
        return frozenset()
    return frozenset(row["reference"] for row in await rows(q().own_references(conn, references=references)))
