"""IN-14, outward: what is owed to a channel is shown there; what was never pushed is pushed, drift is told and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from poller_harness import Stage, channel_of, later, line_of, order_of, refused, submitted, unauthorized

from shipment_poller import audit_outward
from shipment_poller.audit_outward import OutwardAudits
from waybill_common.breaker import Health
from waybill_common.ids import new_id
from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed


class Audit:
    """The worker over the stage's shop; `run` asks for an audit and walks it to its end."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.worker = OutwardAudits(stage.pool, stage.tools, stage.channels, Health(), lambda: None)

    async def ask(self, **window: Any) -> Any:
        asked = {"since": None, "until": None, "channel": "shop", "asked_by": "anna"} | window
        row = await self.stage.tools.queries.ask_outward(self.stage.pool, id=new_id(), **asked)
        return row["audit_id"]

    async def walk(self) -> int:
        pages = 0
        while await self.worker.turn():
            pages += 1
        return pages

    async def row(self, audit_id: Any) -> Any:
        return await self.stage.tools.queries.outward_audit(self.stage.pool, audit_id=audit_id)

    async def run(self, **window: Any) -> dict[str, int]:
        """What is not 0 of its counts."""
        audit_id = await self.ask(**window)
        await self.walk()
        row = await self.row(audit_id)
        assert row["state"] == "done", row["last_error"]
        counts = {name: int(count) for name, count in row["counts"].items() if count}
        assert counts.get("owed", 0) == sum(n for name, n in counts.items() if name not in ("orders", "owed"))
        return counts


@pytest.fixture
def audit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.setattr(audit_outward, "BETWEEN_LOOKS", 0.01)
    return Audit(stage)


async def shipped(stage: Stage, *order_ids: str) -> None:
    """Each order's two pieces are shipped, and shown at the shop."""
    for order_id in order_ids:
        stage.shop.wanted[f"c-{order_id}"] = {"l1": 2}
        await stage.take(submitted(order_of(order_id)))
        stage.supplier.ship(f"s-{order_id}", f"E-{order_id}", {"l1": 2}, [f"1Z-{order_id}"])
    await stage.look()
    await stage.settle()
    assert {type(one) for one in await stage.told()} >= {ShipmentSynced}


def change(stage: Stage, order_id: str, **changes: Any) -> None:
    """By the merchant, at the shop."""
    made = stage.shop.made[f"c-{order_id}"]
    made[0] = replace(made[0], **changes)


async def test_in14_what_is_shown_as_it_was_confirmed_is_well_and_costs_one_read_an_order(
    stage: Stage, audit: Audit
) -> None:
    await shipped(stage, "o1", "o2", "o3")
    stage.shop.calls.clear()

    assert await audit.run() == {"orders": 3, "owed": 3, "shown": 3}
    assert stage.shop.calls == {"read": 3}
    assert await stage.told() == []
    assert await stage.alerts() == {}


async def test_in14_what_the_channel_rewrote_before_it_was_confirmed_is_no_drift(stage: Stage, audit: Audit) -> None:
    stage.shop.rewrites = lambda record: replace(record, carrier="United Parcel Service")
    await shipped(stage, "o1")

    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}


async def test_in14_a_number_changed_at_the_shop_is_told_and_left_as_it_is(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1", "o2")
    change(stage, "o1", tracking_numbers=("MERCHANT",))
    stage.shop.calls.clear()

    assert await audit.run() == {"orders": 2, "owed": 2, "shown": 1, "drifted": 1}
    [told] = await stage.told()
    assert isinstance(told, ShipmentSyncFailed)
    assert (told.reason.code, told.sync.value) == ("drifted", "failed")
    assert "1Z-o1 became MERCHANT" in told.reason.message
    assert await stage.column("select sync from orders order by order_id") == ["failed", "synced"]
    assert [*await stage.alerts()] == ["outward-drift/shop"]
    await stage.settle()
    assert await audit.run() == {"orders": 2, "owed": 2, "shown": 1, "drifted": 1}
    assert await stage.told() == [], "once is enough"
    assert set(stage.shop.calls) == {"read"}
    assert stage.shop.standing("c-o1")[0].tracking_numbers == ("MERCHANT",)


async def test_in14_drift_that_a_person_takes_as_it_is_is_drift_no_more(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1")
    change(stage, "o1", tracking_numbers=("MERCHANT",))
    await audit.run()
    await stage.told()

    await stage.resync(channel="shop")
    await stage.settle()

    [synced] = await stage.told()
    assert isinstance(synced, ShipmentSynced)
    assert any("MERCHANT" in note for note in synced.notes)
    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}
    assert await stage.alerts() == {}


async def test_in14_drift_that_was_put_right_at_the_shop_ends_by_itself(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1")
    change(stage, "o1", tracking_numbers=("MERCHANT",))
    await audit.run()
    change(stage, "o1", tracking_numbers=("1Z-o1",))

    assert await audit.run() == {"orders": 1, "owed": 1, "mended": 1}
    await stage.settle()

    assert await stage.column("select sync from orders") == ["synced"]
    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}
    assert await stage.alerts() == {}
    assert stage.shop.calls["create"] == 1


@pytest.mark.parametrize("forgets", [False, True])
async def test_in14_a_fulfillment_taken_away_at_the_shop_is_made_again_only_when_a_person_asks(
    stage: Stage, audit: Audit, forgets: bool
) -> None:
    stage.shop.features = replace(stage.shop.features, forgets_canceled=forgets)
    await shipped(stage, "o1")
    change(stage, "o1", status="canceled")

    assert await audit.run() == {"orders": 1, "owed": 1, "drifted": 1}
    await stage.settle()
    assert await audit.run() == {"orders": 1, "owed": 1, "drifted": 1}
    assert stage.shop.calls["create"] == 1
    [told] = await stage.told()
    assert told.reason.code == "drifted"  # type: ignore[attr-defined]  # a ShipmentSyncFailed

    await stage.resync(channel="shop")
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}


async def test_in14_what_was_fulfilled_anew_by_hand_after_drift_is_adopted(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1")
    change(stage, "o1", status="canceled")
    await audit.run()
    stage.shop.by_hand("c-o1", {"l1": 2}, "UPS", ("1Z-o1",), "https://track.example/1")

    assert await audit.run() == {"orders": 1, "owed": 1, "mended": 1}
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert await stage.column("select sync from orders") == ["synced"]


@pytest.mark.parametrize(
    "lost",
    [
        "update syncs set state = 'pending', due_at = null",
        "update syncs set state = 'creating', due_at = now()",
        "delete from syncs",
    ],
)
async def test_in14_one_that_nobody_was_about_to_push_is_pushed_after_a_read_back_and_told(
    stage: Stage, audit: Audit, lost: str
) -> None:
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order_of()))
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.pool.execute(lost)
    await stage.pool.execute("delete from push_turns")

    assert await audit.run() == {"orders": 1, "owed": 1, "healed_missing": 1}
    assert [*await stage.alerts()] == ["outward-healed/shop/o1"]
    assert await stage.tries() == 1
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}
    assert await stage.alerts() == {}


async def test_in14_one_that_was_pushed_after_all_is_found_by_the_read_back_and_not_made_twice(
    stage: Stage, audit: Audit
) -> None:
    await shipped(stage, "o1")
    await stage.pool.execute("delete from fulfillments")
    await stage.pool.execute("update syncs set state = 'creating', due_at = null")

    assert await audit.run() == {"orders": 1, "owed": 1, "healed_missing": 1}
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert await stage.column("select sync from orders") == ["synced"]


async def test_in14_failed_and_pending_ones_are_accounted_for_without_a_call(stage: Stage, audit: Audit) -> None:
    stage.shop.accepts = {"nobody"}
    for order_id in ("o1", "o2"):
        stage.shop.wanted[f"c-{order_id}"] = {"l1": 2}
        await stage.take(submitted(order_of(order_id)))
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    stage.supplier.ship("s2", "E-o2", {"l1": 2})
    await stage.look()
    stage.shop.calls.clear()

    assert await audit.run() == {"orders": 2, "owed": 2, "failed": 1, "pending": 1}
    assert stage.shop.calls == {}


async def test_in14_drift_seen_once_only_is_not_believed(stage: Stage, audit: Audit) -> None:
    """A read may be stale."""
    await shipped(stage, "o1")
    right, looks = stage.shop.made["c-o1"][0], []

    def stale(record: Any) -> Any:
        looks.append(record)
        return replace(record, tracking_numbers=("OLD",)) if len(looks) == 1 else right

    stage.shop.rewrites = stale
    assert await audit.run() == {"orders": 1, "owed": 1, "shown": 1}
    assert len(looks) == 2


async def test_in14_an_order_that_the_shop_no_longer_has_is_told(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1")
    del stage.shop.wanted["c-o1"]

    assert await audit.run() == {"orders": 1, "owed": 1, "drifted": 1}
    [told] = await stage.told()
    assert "does not have the order" in told.reason.message  # type: ignore[attr-defined]  # a ShipmentSyncFailed


async def test_in14_an_order_that_cannot_be_read_keeps_no_other_from_being_looked_at(
    stage: Stage, audit: Audit
) -> None:
    await shipped(stage, "o1", "o2")
    stage.shop.faults = [("read", refused())]

    assert await audit.run() == {"orders": 2, "owed": 2, "shown": 1, "unread": 1}


@pytest.mark.parametrize("trouble", [later(), unauthorized()])
async def test_in14_a_walk_that_broke_goes_on_at_its_place(
    stage: Stage, audit: Audit, trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_outward, "PAGE", 2)
    await shipped(stage, *(f"o{n}" for n in range(5)))
    audit_id = await audit.ask()
    stage.shop.calls.clear()
    await audit.worker.turn()
    stage.shop.faults = [("read", trouble)]
    await audit.worker.turn()
    broken = await audit.row(audit_id)
    await stage.pool.execute("update outward_audits set due_at = now()")
    await stage.take(channel_of(2, credential_version=2))
    await audit.walk()

    assert (broken["state"], broken["counts"]) == ("waiting", {"orders": 2, "owed": 2, "shown": 2})
    done = await audit.row(audit_id)
    assert (done["state"], done["counts"]) == ("done", {"orders": 5, "owed": 5, "shown": 5})
    assert stage.shop.calls["read"] == 6


async def test_in14_an_order_of_several_shipments_is_read_once_however_far_apart_they_stand(
    stage: Stage, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_outward, "PAGE", 1)
    order = order_of(lines=[line_of("l1", 3)])
    stage.shop.wanted["c-o1"] = {"l1": 3}
    await stage.take(submitted(order))
    for n in range(3):
        stage.supplier.ship(f"s{n}", "E-o1", {"l1": 1}, [f"1Z{n}"])
    await stage.look()
    await stage.settle()
    stage.shop.calls.clear()

    assert await audit.run() == {"orders": 1, "owed": 3, "shown": 3}
    assert stage.shop.calls == {"read": 1}


async def test_in14_a_past_window_is_looked_at_by_hand_and_nothing_beyond_it(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1", "o2", "o3")
    for n in (1, 2, 3):
        await stage.pool.execute(
            "update syncs set owed_at = now() - $1 * interval '1 day' where order_id = $2", n * 10, f"o{n}"
        )
    now = await stage.pool.fetchval("select now()")

    day = audit_outward.timedelta(days=1)
    assert await audit.run(since=now - 25 * day, until=now - 15 * day) == {"orders": 1, "owed": 1, "shown": 1}


async def test_in14_each_channel_is_audited_once_a_day_and_an_order_at_growing_distances(
    stage: Stage, audit: Audit
) -> None:
    await shipped(stage, "o1")
    stage.shop.calls.clear()
    reads = []
    for day in range(1, 9):
        await stage.pool.execute("update syncs set owed_at = now() - $1 * interval '1 day' - interval '1 minute'", day)
        await stage.pool.execute("update outward_checks set checked_at = checked_at - interval '1 day'")
        await stage.pool.execute("update outward_audits set asked_at = asked_at - interval '1 day'")
        await audit.worker.plan()
        await audit.worker.plan()
        await audit.walk()
        reads.append(stage.shop.calls["read"])

    assert reads == [1, 2, 2, 3, 3, 3, 3, 3]
    assert await stage.pool.fetchval("select count(*) from outward_audits where asked_by = 'daily'") == 8


async def test_in14_what_changes_while_it_is_looked_at_is_left_to_its_own_push(stage: Stage, audit: Audit) -> None:
    await shipped(stage, "o1")
    change(stage, "o1", tracking_numbers=("MERCHANT",))
    shop_read, began = stage.shop.read, []

    async def read(order_id: str) -> Any:
        found = await shop_read(order_id)
        if not began:
            began.append(await stage.resync(channel="shop", ids=await stage.column("select shipment_id from syncs")))
        return found

    stage.shop.read = read  # type: ignore[method-assign]  # a person resyncs between the look and its storing
    assert await audit.run() == {"orders": 1, "owed": 1, "pending": 1}
    assert await stage.told() == []
