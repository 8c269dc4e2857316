"""What a connection lacks is said when it is added (SP-14)."""

from __future__ import annotations

from typing import Any

from poller_harness import Stage, channel_of, later, source_of

from shipment_poller.probe_connections import Probes
from waybill_platforms.model.probes import Finding, Probe
from waybill_platforms.ports import ChannelConnection, SourceConnection

PLUGIN = Finding("no_tracking", "warning", "the store has no shipment-tracking plugin", "install one, or write notes")


async def _nothing() -> None: ...


class World:
    """A channel whose probe is scripted, and a source that cannot be probed."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def probe(self) -> Probe:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Probe("11.0.1", findings=tuple(answer))

    def channel(self, *_: Any) -> ChannelConnection:
        return ChannelConnection("shop", None, None, None, _nothing, prober=self)  # type: ignore[arg-type]

    def source(self, *_: Any) -> SourceConnection:
        return SourceConnection("east", None, None, None, _nothing)  # type: ignore[arg-type]


async def test_sp_14_a_store_without_a_tracking_plugin_is_said_to_lack_it_until_it_has_one(
    stage: Stage,
) -> None:
    world = World([PLUGIN], [])
    probes = Probes(stage.pool, stage.tools, world)
    assert await probes.turn() == 2
    assert await stage.alerts() == {"lacks/channel/shop": "channel/shop: the store has no shipment-tracking plugin"}
    assert "install one" in (await stage.column("select detail from open_alerts"))[0]
    found = (await stage.column("select found from probes where entity = 'channel/shop'"))[0]
    assert (found["usable"], found["version"]) == (True, "11.0.1")
    assert await probes.turn() == 0  # the next look is tomorrow's
    await stage.take(channel_of(2), source_of(1))
    assert await probes.turn() == 1
    assert await stage.alerts() == {}
    assert world.asked == 2


async def test_sp_14_a_shop_that_does_not_answer_is_asked_again_later(stage: Stage) -> None:
    world = World(later(), [PLUGIN])
    probes = Probes(stage.pool, stage.tools, world)
    await probes.turn()
    assert await stage.alerts() == {}
    assert await stage.column("select attempts from probes order by entity") == [1, 0]
    await stage.pool.execute("update probes set due_at = now()")
    await probes.turn()
    assert list(await stage.alerts()) == ["lacks/channel/shop"]
