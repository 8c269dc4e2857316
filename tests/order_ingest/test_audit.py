"""IN-14, IN-2: what a channel shows of a window equals what is here; what was missed is healed, and told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from ingest_samples import START, channel, configured, line, order, sighting

from order_ingest.audit_channel import AuditChannel
from order_ingest.audit_rules import unlike
from order_ingest.calls import Calls
from order_ingest.named import q
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.ids import new_id
from waybill_common.retry import Family
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.values import PaymentState
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder

NOW = START + timedelta(days=2)


class Auditor:
    """An audit worker over a house and a shelf."""

    def __init__(self, house: Any, shelf: Any) -> None:
        async def open_reader(_: ChannelConfigured) -> Any:
            return shelf

        self.house = house
        self.calls = Calls(
            house.pool, house.health, Alerts(None), ManualClock(NOW), house.telemetry, house.rulebook, open_reader
        )
        self.worker = AuditChannel(self.calls)

    async def ask(self, kind: str = "audit", since: datetime | None = None, until: datetime = NOW) -> UUID:
        row = await q().ask_audit(
            self.house.pool, id=new_id(), channel="shop", kind=kind, since=since, until=until, asked_by="anna"
        )
        return UUID(str(row["audit_id"]))

    async def run(self, kind: str = "audit", **window: Any) -> dict[str, Any]:
        """Asked for and walked to its end."""
        audit_id = await self.ask(kind, **window)
        await self.walk()
        row = await q().audit(self.house.pool, audit_id=audit_id)
        assert row["state"] == "done", row["last_error"]
        return dict(row["result"])

    async def walk(self) -> None:
        """What is due, to its end."""
        while await self.worker.turn() or self.worker.busy:
            pass

    async def alerts(self) -> list[str]:
        return [row["key"] for row in await self.house.pool.fetch("select key from open_alerts order by key")]


@pytest.fixture
async def auditor(house: Any, shelf: Any) -> Auditor:
    """The pulls have come beyond everything that the tests put on the shelf."""
    await house.pool.execute("update channels set cursor_at = $1, last_success_at = $1", START + timedelta(days=1))
    return Auditor(house, shelf)


def counts(result: dict[str, Any]) -> dict[str, int]:
    """What is not 0."""
    return {name: value for name, value in result.items() if isinstance(value, int) and value and value is not True}


async def test_in14_orders_forgotten_lines_left_out_and_edits_never_announced_are_healed_and_told(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    whole = order("o2", lines=(line(), line("l2", sku="PACK-6")))
    shelf.orders += [order("o1"), whole, order("o3"), order("o4", lines=(line(sku="NEW"),)), order("o5", canceled=True)]
    await house.see(
        sighting(replace(whole, lines=whole.lines[:1])),
        sighting(order("o3", lines=(line(quantity=9),))),
        sighting(shelf.orders[4]),
    )

    result = await auditor.run()

    assert counts(result) == {
        "shown": 5, "imported": 3, "held": 1, "excluded": 1, "healed_missing": 2, "healed_changed": 2,
    }  # fmt: skip
    assert result["unexplained"] == 0
    assert result["shown"] == result["imported"] + result["held"] + result["excluded"] + result["canceled"]
    assert await auditor.alerts() == [f"audit-healed/shop/{one}" for one in ("o1", "o2", "o3", "o4")]
    bodies = {row["channel_order_id"]: row["body"] for row in await house.rows() if row["body"]}
    assert [one["line_id"] for one in bodies["o2"]["lines"]] == ["l1", "l2"]
    assert bodies["o3"]["lines"][0]["quantity"] == 2


async def test_in14_an_audit_that_finds_all_well_changes_nothing_and_ends_the_alerts(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    shelf.orders += [order(f"o{n}") for n in range(5)]
    await auditor.run()
    facts = await house.pool.fetchval("select count(*) from facts where topic = 'orders.imported'")

    result = await auditor.run()

    assert counts(result) == {"shown": 5, "imported": 5}
    assert await auditor.alerts() == []
    assert await house.pool.fetchval("select count(*) from facts where topic = 'orders.imported'") == facts
    assert await house.pool.fetchval("select count(*) from audit_shown") == 0


async def test_in14_what_no_pull_was_due_to_bring_is_no_heal(shelf: Any, auditor: Auditor) -> None:
    shelf.orders.append(replace(order("o1"), updated_at=START + timedelta(days=1, hours=1)))

    result = await auditor.run()

    assert counts(result) == {"shown": 1, "imported": 1, "fresh": 1}
    assert await auditor.alerts() == []


async def test_in14_an_order_that_is_here_and_was_deleted_there_is_told(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    shelf.orders.append(order("o1"))
    await house.see(sighting(order("o1")), sighting(order("o2")))

    result = await auditor.run()

    assert (result["deleted_at_channel"], result["deleted"]) == (1, ["#o2"])
    assert await auditor.alerts() == ["audit-deleted/shop"]
    shelf.orders.append(order("o2"))
    assert counts(await auditor.run()) == {"shown": 2, "imported": 2}
    assert await auditor.alerts() == []


async def test_in14_an_order_that_cannot_be_stored_is_unexplained_and_keeps_no_other_out(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    shelf.orders += [order("o1"), order("o2")]
    await house.pool.execute("alter table orders add check (channel_order_id <> 'o1')")

    result = await auditor.run()

    assert (result["shown"], result["imported"], result["unexplained"]) == (2, 1, 2)
    assert any("o1" in text for text in result["problems"])
    assert "audit-unexplained/shop" in await auditor.alerts()


async def test_in14_a_walk_that_broke_goes_on_where_its_committed_pages_end(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    shelf.orders += [order(f"o{n}", minute=n * 10) for n in range(6)]
    shelf.trouble[2] = PlatformError(
        "503", family=Family.LATER, cause="server", outcome="none", action="get_orders", status=503
    )
    audit_id = await auditor.ask()
    await auditor.walk()
    broken = await q().audit(house.pool, audit_id=audit_id)
    shelf.trouble.clear()
    await house.pool.execute("update audits set due_at = now()")
    await auditor.walk()
    done = await q().audit(house.pool, audit_id=audit_id)

    assert (broken["state"], broken["attempts"], len(await house.rows())) == ("waiting", 1, 6)
    assert shelf.asked[1] == order(minute=30).updated_at - timedelta(minutes=5)
    assert counts(done["result"]) == {"shown": 6, "imported": 6, "healed_missing": 6}


async def test_in14_any_past_window_is_walked_by_hand_and_nothing_beyond_it(shelf: Any, auditor: Auditor) -> None:
    shelf.orders += [order(f"o{n}", minute=n * 10) for n in range(10)]

    result = await auditor.run(since=order(minute=20).updated_at, until=order(minute=40).updated_at)

    assert result["shown"] == 3
    assert shelf.pages == 2  # of two orders each: the page that reaches beyond the window ends the walk


async def test_in14_each_channel_is_audited_once_a_day(house: Any, auditor: Auditor) -> None:
    await house.configure(configured(channel("web", "events")))

    planned = [await auditor.worker.plan(), await auditor.worker.plan()]
    await house.pool.execute("update audits set asked_at = now() - interval '25 hours'")
    planned.append(await auditor.worker.plan())

    assert planned == [1, 0, 1]
    assert {row["asked_by"] for row in await house.pool.fetch("select * from audits")} == {"daily"}


async def test_in2_a_past_window_is_imported_on_request_also_from_before_the_channels_start(
    house: Any, shelf: Any, auditor: Auditor
) -> None:
    old = [order(f"o{n}", placed_at=START - timedelta(days=n)) for n in (1, 2, 3)]
    shelf.orders += old
    await house.see(*(sighting(one) for one in old[:2]))
    assert {row["reason"] for row in await house.rows()} == {"before_start"}

    result = await auditor.run("window", since=START - timedelta(days=2), until=START)
    await house.heal()

    standings = {row["channel_order_id"]: row["standing"] for row in await house.rows()}
    assert standings == {"o1": "imported", "o2": "imported"}
    assert (result["shown"], result["healed_missing"]) == (2, 0)
    await house.see(
        sighting(order("o1", minute=9, placed_at=old[0].placed_at, payment=PaymentState.PARTIALLY_REFUNDED))
    )
    assert (await house.row("o1"))["standing"] == "imported"


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (order(), ""),
        (order(lines=(line(quantity=3),)), "line l1: ordered and canceled are (3, 0) there, (2, 0) here"),
        (order(lines=(line(canceled=1),)), "line l1: ordered and canceled are (2, 1) there, (2, 0) here"),
        (order(lines=(line(), line("l2"))), "lines only there: l2; only here: none"),
        (order(lines=()), "lines only there: none; only here: l1"),
    ],
)
def test_in14_lines_and_quantities_are_compared(theirs: ChannelOrder, words: str) -> None:
    ours = {"standing": "imported", "baseline": {}, "lines": [{"line_id": "l1", "quantity": 2, "canceled": 0}]}

    assert unlike(theirs, ours) == words
