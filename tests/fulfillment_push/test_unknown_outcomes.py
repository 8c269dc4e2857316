"""A send whose outcome is unknown is read back before any retry: never twice, never lost. (FP-5, SP-11)

The process is "killed" by throwing a worker away between two of its steps: what it had in memory is gone, its lease
runs out. That a killed process leaves a half-sent request at the source is played by the source itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from waybill_contracts.shipment_synced import ShipmentRecorded
from waybill_contracts.values import ByHand, FulfillmentStatus, Shipment, ShipmentLine, SyncStatus

LATE = 100.0
"""More than lease, timeout and grace of the scripted source together."""


async def finish(run: Any, answers: Any) -> None:
    while run.in_hand:
        await answers.turn()
        await asyncio.sleep(0.002)


async def test_fp5_a_lost_answer_is_found_by_reading_back(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.script = [kit.lost_answer]
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["platform_id"], east.ledger["E-f1"]) == ("ACKNOWLEDGED", "req-E-f1", 1)
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.processing", "fr.outcome_unknown", "fr.submitted"]


async def test_fp5_nothing_done_is_sent_again_only_after_twice_missing_and_the_quiet_time(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.script = [kit.failing(outcome="unknown", cause="connection")]
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["outcome"], row["waiting"], east.asked["E-f1"]) == ("unknown", "read_back", 1)
    assert row["due_at"] - row["lease_ended"] >= timedelta(seconds=east.features.call_timeout)
    await stage.make_due()  # too early: asked, but not believed
    await stage.send()
    assert (await stage.fr())["outcome"] == "unknown"
    assert (east.asked["E-f1"], east.ledger["E-f1"]) == (2, 0)
    await stage.pass_time(LATE)
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["attempts"], east.made["E-f1"]) == ("ACKNOWLEDGED", 2, 1)


async def test_fp5_an_effect_that_lands_late_is_found_not_doubled(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    late: list[Any] = []

    def lands_later(source: Any, request: Any) -> Any:
        late.append(request)
        return kit.failing(outcome="unknown", cause="connection")(source, request)

    east.script = [lands_later]
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["outcome"] == "unknown"
    east.accept(late[0])
    await stage.pass_time(LATE)
    await stage.send()
    assert ((await stage.fr())["state"], east.ledger["E-f1"]) == ("ACKNOWLEDGED", 1)


async def test_fp5_an_index_that_lags_is_not_believed(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.features = replace(east.features, find="indexed", index_lag=timedelta(seconds=600))
    east.script = [kit.lost_answer]
    east.finds = [lambda *_: None, lambda *_: None]
    await stage.deliver(kit.created())
    await stage.send()
    await stage.pass_time(LATE)
    await stage.make_due()
    await stage.send()
    assert east.finds == []
    assert (await stage.fr())["outcome"] == "unknown"
    await stage.pass_time(1000)
    await stage.send()
    assert ((await stage.fr())["state"], east.ledger["E-f1"]) == ("ACKNOWLEDGED", 1)


async def test_fp5_a_source_that_cannot_be_asked_stops_for_a_person(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.features = replace(east.features, find="none")
    east.script = [kit.lost_answer]
    await stage.deliver(kit.created())
    await stage.send()
    await stage.pass_time(LATE)
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["outcome"], row["waiting"], row["due_at"]) == (
        "PROCESSING", "unknown", "outcome_unknown", None,
    )  # fmt: skip
    assert row["reason"]["action"]
    assert (east.asked["E-f1"], east.ledger["E-f1"]) == (0, 1)
    assert "alert.raised" in dict(await stage.told())


async def test_fp5_a_shipment_proves_that_an_unknown_one_was_sent(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.features = replace(east.features, find="none")
    east.script = [kit.lost_answer]
    await stage.deliver(kit.created())
    await stage.send()
    shipment = Shipment(
        shipment_id="s1", order_id="o1", fr_id="f1", source="east", source_shipment_id="S", carrier="ups",
        lines=(ShipmentLine(line_id="l1", sku="SKU-1", quantity=2),), shipped_at=kit.created().at,
    )  # fmt: skip
    await stage.deliver(
        ShipmentRecorded(
            at=kit.created().at, shipment=shipment, fulfillment=FulfillmentStatus.UNFULFILLED, sync=SyncStatus.PENDING
        )
    )
    assert ((await stage.fr())["state"], (await stage.fr())["waiting"]) == ("PROCESSED", None)


async def test_fp5_something_else_under_our_reference_is_a_conflict(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.script = [kit.failing(outcome="unknown")]
    east.finds = [lambda _source, ref: replace(kit.submitted(ref), lines=(("l1", "E-1", 7),))]
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["reason"]["code"]) == ("FAILED", "reference_conflict")
    await stage.deliver(kit.void_requested())  # it stands at the source: nobody voids it by a rule
    assert (await stage.fr())["state"] == "FAILED"
    by_hand = ByHand(actor="ann", reason="looked there: it is not ours")
    await stage.deliver(kit.void_requested(sequence=3).model_copy(update={"by_hand": by_hand}))
    assert (await stage.fr())["state"] == "VOIDED", "a person may"


async def test_fp5_a_thing_at_the_source_belongs_to_one_fr_only(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.script = [lambda _s, r: kit.submitted(r.reference, "same"), lambda _s, r: kit.submitted(r.reference, "same")]
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2")))
    await stage.send()
    states = {(await stage.fr(f))["state"] for f in ("f1", "f2")}
    assert states == {"ACKNOWLEDGED", "FAILED"}


async def test_fp5_killed_before_the_call(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    run, _ = stage.worker()
    run._launch = lambda job: None  # killed: the intent is stored, the call was never made
    await run.turn()
    row = await stage.fr()
    assert (row["outcome"], row["attempts"]) == ("in_flight", 1)
    await stage.send()
    assert stage.sources["east"].ledger == {}  # another worker leaves it alone while the lease lasts
    await _until_sent(stage)
    assert stage.sources["east"].ledger["E-f1"] == 1


async def test_fp5_killed_after_the_source_did_it_and_before_the_answer_was_stored(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    run, _ = stage.worker()
    await run.turn()
    run.finished.put_nowait(await run.finished.get())  # the call is over, its answer is not stored
    assert stage.sources["east"].ledger["E-f1"] == 1
    await _until_sent(stage)
    assert stage.sources["east"].ledger["E-f1"] == 1
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.processing", "fr.outcome_unknown", "fr.submitted"]


async def test_fp5_killed_after_the_answer_was_stored(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    told = await stage.told("f1")
    assert told[-1][0] == "fr.submitted"  # in the outbox, for whoever relays
    await stage.pass_time(LATE)
    await stage.send()
    assert (stage.sources["east"].ledger["E-f1"], await stage.told("f1")) == (1, [])


async def test_fp5_a_worker_that_lost_its_lease_changes_nothing(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    run, answers = stage.worker()
    await run.turn()
    run.finished.put_nowait(await run.finished.get())  # the call is over, its answer is not stored
    await stage.pass_time(LATE)  # it was frozen; its lease is over, another one reads back
    await stage.send()
    row = await stage.fr()
    await stage.told()
    await finish(run, answers)
    assert dict(await stage.fr()) == dict(row)
    assert "fr.submitted" not in dict(await stage.told())


async def test_fp5_a_failed_read_back_is_asked_again_and_uses_no_attempt(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.script = [kit.lost_answer]

    def away(*_: Any) -> Any:
        kit.failing()(None, None)

    east.finds = [away, away]
    await stage.deliver(kit.created())
    for _ in range(3):
        await stage.send()
        await stage.make_due()
    row = await stage.fr()
    assert (row["state"], row["attempts"], east.ledger["E-f1"]) == ("ACKNOWLEDGED", 1, 1)


async def _until_sent(stage: Any) -> None:
    for _ in range(5):
        await stage.pass_time(LATE)
        await stage.send()
        if (await stage.fr())["state"] != "PROCESSING":
            return
    raise AssertionError(f"still {dict(await stage.fr())}")
