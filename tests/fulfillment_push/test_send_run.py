"""Sending: once, in runs, with the schedule of SP-8, and nobody held up by a neighbour. (FP-2, FP-4, FP-5, FP-6)"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from fulfillment_push.settle import Settler
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.db import transaction
from waybill_common.retry import Family
from waybill_platforms.model.requests import Submitted


async def test_fp5_a_request_is_sent_once_with_our_number_as_reference(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["outcome"], row["platform_id"], row["attempts"]) == (
        "ACKNOWLEDGED", "known", "req-E-f1", 1,
    )  # fmt: skip
    assert stage.sources["east"].made == {"E-f1": 1}
    facts = dict(await stage.told("f1"))
    assert facts["fr.submitted"]["platform_id"] == "req-E-f1"
    assert (row["waiting"], row["lease_token"]) == ("source_progress", None)


async def test_fp3_a_source_that_does_not_acknowledge_leaves_it_processed(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of(capabilities={"acknowledges": False}), version=2)
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["state"] == "PROCESSED"


async def test_fp5_a_failure_that_can_pass_is_tried_three_times_more_then_failed(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing()] * 10
    await stage.deliver(kit.created())
    await stage.told()
    for _ in range(4):
        await stage.send()
        assert (await stage.fr())["attempts"] <= 4
        await stage.pass_time(10)
    row = await stage.fr()
    assert (row["state"], row["attempts"], row["reason"]["code"]) == ("FAILED", 4, "server")
    assert row["reason"]["action"]
    assert len(stage.sources["east"].script) == 6
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.failed"]


async def test_fp5_a_failure_that_passes_leaves_it_sent(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(), kit.failing(cause="rate_limit", retry_after=7.0)]
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["waiting"] == "retry"
    await stage.pass_time(1)
    await stage.send()
    row = await stage.fr()
    assert (row["due_at"] - row["waiting_since"]).total_seconds() > 5
    await stage.pass_time(10)
    await stage.send()
    assert ((await stage.fr())["state"], (await stage.fr())["attempts"]) == ("ACKNOWLEDGED", 3)


async def test_fp5_a_refusal_fails_at_once_with_the_sources_own_code(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(Family.REFUSED, cause="refused", code="number_too_long")]
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["attempts"], row["reason"]["code"]) == ("FAILED", 1, "number_too_long")


async def test_fp5_expired_credentials_pause_the_source_without_attempts_and_new_ones_resume_it(
    stage: Any, kit: Any
) -> None:
    east = stage.sources["east"]
    east.script = [kit.failing(Family.UNAUTHORIZED, cause="unauthorized")] * 3
    await stage.deliver(*(kit.created(kit.fr_of(f"f{n}")) for n in range(3)))
    await stage.send()
    for n in range(3):
        row = await stage.fr(f"f{n}")
        assert (row["state"], row["attempts"], row["waiting"]) == ("PROCESSING", 0, "unauthorized")
    told = await stage.told()
    changes = [fact for kind, fact in told if kind == "connection.state_changed"]
    assert [(change["connection"], change["state"]) for change in changes] == [("east", "unauthorized")]
    assert "credentials that hold" in next(fact["action"] for kind, fact in told if kind == "alert.raised")
    await stage.send()
    assert east.made == {}
    await stage.configure(kit.source_of(), version=2, credential_version=2)
    await stage.send()
    assert sum(east.made.values()) == 3
    assert {(await stage.fr(f"f{n}"))["attempts"] for n in range(3)} == {1}


async def test_fp5_a_source_that_is_down_uses_no_attempts_is_probed_by_one_and_resumes_by_itself(
    stage: Any, kit: Any
) -> None:
    east = stage.sources["east"]
    east.script = [kit.failing(cause="connection")] * 30
    await stage.deliver(*(kit.created(kit.fr_of(f"f{n:02}")) for n in range(30)))
    await stage.send()
    assert await stage.pool.fetchval("select state from connection_health where connection_id = 'east'") == "down"
    assert await stage.pool.fetchval("select max(attempts) from frs") <= 1
    await stage.make_due()
    await stage.send()
    assert east.script == []
    east.script = [kit.failing(cause="connection")]
    await stage.pool.execute("update connection_health set probe_at = now()")
    await stage.send()
    assert (east.script, east.made) == ([], {})  # one probe, and it failed
    await stage.pool.execute("update connection_health set probe_at = now()")
    await stage.make_due()
    await stage.send(turns=400, rest=0.005)
    assert sum(east.made.values()) == 30
    assert await stage.pool.fetchval("select count(*) from frs where state = 'ACKNOWLEDGED'") == 30


async def test_fp5_a_probe_that_made_no_call_is_given_to_the_next(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2", "o2")))
    await stage.pool.execute("update orders set state = 'held' where order_id = 'o1'")
    await stage.pool.execute("update frs set due_at = due_at - interval '1 s' where fr_id = 'f1'")
    await stage.pool.execute(
        "update connection_health set state = 'down', failures = 9, probe_at = now() where connection_id = 'east'"
    )
    await stage.send()
    assert [(await stage.fr(f))["state"] for f in ("f1", "f2")] == ["PROCESSING", "ACKNOWLEDGED"]
    assert (await stage.fr("f1"))["waiting"] == "order_held"


async def test_fp2_the_send_run_waits_for_its_turn_and_can_be_run_now(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of(send_every="1h"), version=2)
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["waiting"]) == ("PROCESSING", "send_run")
    assert row["due_at"] > row["waiting_since"]
    due = row["due_at"]
    await stage.deliver(kit.created())
    assert (await stage.fr())["due_at"] == due
    [woken] = [row async for row in stage.store.q.run_now(stage.pool, source="east")]
    assert woken["fr_id"] == "f1"
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_fp6_lines_are_told_apart_by_reference_also_with_repeated_skus_and_kits(stage: Any, kit: Any) -> None:
    lines = tuple(
        kit.fr_of().lines[0].model_copy(update={"line_id": line, "sku": sku}) for line, sku in
        [("l1", "A"), ("l2", "A"), ("l2", "B")]
    )  # fmt: skip
    await stage.deliver(kit.created(kit.fr_of(lines=lines)))
    await stage.send()
    asked = stage.sources["east"].requests["E-f1"].lines
    assert [line[0] for line in asked] == ["l1", "l2", "l2#2"]


async def test_fp6_a_part_that_the_source_does_not_ship_is_told_by_line(stage: Any, kit: Any) -> None:
    def partly(source: Any, request: Any) -> Submitted:
        return Submitted("r1", request.reference, True, None, canceled_lines=(("l1", 1),))

    stage.sources["east"].script = [partly]
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
    facts = dict(await stage.told("f1"))
    assert facts["fr.canceled"]["lines"] == [{"line_id": "l1", "sku": "SKU-1", "quantity": 1}]
    assert facts["fr.canceled"]["state"] == "ACKNOWLEDGED"


async def test_fp6_a_request_canceled_whole_by_the_source_is_canceled(stage: Any, kit: Any) -> None:
    def none_of_it(source: Any, request: Any) -> Submitted:
        return Submitted("r1", request.reference, True, None, canceled=True)

    stage.sources["east"].script = [none_of_it]
    await stage.deliver(kit.created())
    await stage.send()
    assert await stage.history() == ["UNPROCESSED", "PROCESSING", "ACKNOWLEDGED", "CANCELED"]
    facts = dict(await stage.told("f1"))
    assert (facts["fr.canceled"]["lines"], facts["fr.canceled"]["state"]) == ([], "CANCELED")


async def test_fp2_a_slow_source_holds_up_nobody(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("slow"), kit.source_of("fast"))
    stage.sources["slow"].delay = 0.8
    frs = [kit.fr_of(f"{name}{n}", source=name) for name in ("slow", "fast") for n in range(30)]
    await stage.deliver(*(kit.created(fr) for fr in frs))
    run, answers = stage.worker()
    started = asyncio.get_running_loop().time()
    while sum(stage.sources["fast"].made.values()) < 30:
        await run.turn()
        await answers.turn()
        await asyncio.sleep(0.002)
    assert asyncio.get_running_loop().time() - started < 0.8
    assert stage.sources["slow"].most_side_by_side <= 12
    while run.in_hand:
        await answers.turn()
        await asyncio.sleep(0.01)
    assert sum(stage.sources["slow"].made.values()) == 30


async def test_fp5_a_lease_that_would_end_before_the_call_is_given_up_unsent(stage: Any, kit: Any) -> None:

    await stage.deliver(kit.created())
    run, answers = stage.worker(hold=timedelta(seconds=5))
    await run.turn()
    while run.in_hand:
        await answers.turn()
        await asyncio.sleep(0.002)
    row = await stage.fr()
    assert (row["state"], row["outcome"], row["attempts"], row["lease_token"]) == ("PROCESSING", "none", 0, None)
    assert stage.sources["east"].ledger == {}


async def test_fp2_a_request_that_cannot_be_prepared_is_told_and_holds_up_no_other(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("west"))
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2", "o2", source="west"), kit.order_of("o2")))
    await stage.pool.execute("update frs set body = '{}' where fr_id = 'f1'")
    await stage.send()
    assert (await stage.fr("f2"))["state"] == "ACKNOWLEDGED"
    assert (await stage.fr("f1"))["state"] == "PROCESSING"
    assert await stage.pool.fetchval("select key from open_alerts") == "fulfillment-push/needs-a-person/f1"


async def test_replicas_that_note_failures_of_the_same_sources_do_not_wait_for_each_other(stage: Any, kit: Any) -> None:
    class SlowHealth(Health):
        async def note(self, *args: Any, **more: Any) -> Any:
            change = await super().note(*args, **more)
            await asyncio.sleep(0.3)
            return change

    def failed(source: str) -> Any:
        job = SimpleNamespace(fr=SimpleNamespace(source=source), known=SimpleNamespace(credential_version=1))
        return SimpleNamespace(job=job, result=kit.error())

    async def note(*sources: str) -> None:
        settler = Settler(stage.store, SlowHealth(), Alerts(None))
        async with transaction(stage.pool) as conn:
            await settler._note(conn, [failed(source) for source in sources])

    await asyncio.gather(note("east", "west"), note("west", "east"))
    assert await stage.pool.fetch("select failures from connection_health") == [(2,), (2,)]
