"""What comes in: fr.created, fr.confirmed, fr.void_requested, orders, configuration. (FP-1, FP-7, IN-13)"""

from __future__ import annotations

from typing import Any

from waybill_contracts.config_changed import removal
from waybill_contracts.orders_imported import OrderCanceled, OrderChanged, OrderHeld, OrderReleased
from waybill_contracts.values import OrderState


async def test_fp1_a_created_fr_is_queued_and_answered_in_one_fact(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    row = await stage.fr()
    assert (row["state"], row["waiting"], row["traceparent"][:35]) == (
        "PROCESSING", "send_run", "00-0af7651916cd43dd8448eb211c80319c",
    )  # fmt: skip
    [(kind, fact)] = await stage.told("f1")
    assert (kind, fact["state"], fact["router_sequence"], fact["sequence"]) == ("fr.processing", "PROCESSING", 1, 1)
    assert await stage.history() == ["UNPROCESSED", "PROCESSING"]


async def test_fp1_without_auto_process_it_waits_for_a_person(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(kit.fr_of(auto_process=False)))
    row = await stage.fr()
    assert (row["state"], row["waiting"], row["due_at"]) == ("UNPROCESSED", "process", None)
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.received"]


async def test_an_fr_seen_twice_is_answered_again_with_the_same_fact(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    [first] = await stage.told("f1")
    await stage.deliver(kit.created(), kit.created())
    assert await stage.told("f1") == [first, first]
    assert await stage.pool.fetchval("select count(*) from frs") == 1


async def test_a_sent_fr_seen_again_tells_fr_submitted_whole(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    told = await stage.told("f1")
    await stage.deliver(kit.created())
    [again] = await stage.told("f1")
    assert again == told[-1]
    assert again[0] == "fr.submitted"
    assert again[1]["fr"]["number"] == "E-f1"
    assert again[1]["order"]["order_id"] == "o1"


async def test_rt13_a_void_before_the_fr_is_known_leaves_a_tombstone(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.void_requested())
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["number"]) == ("VOIDED", "E-f1")
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.voided", "fr.voided"]
    assert stage.sources["east"].ledger == {}


async def test_in13_a_confirmation_before_the_fr_is_known_is_not_answered_until_the_fr_comes(
    stage: Any, kit: Any
) -> None:
    await stage.deliver(kit.confirmed(version=2))
    assert await stage.told("f1") == []
    await stage.deliver(kit.created(), kit.order_fact(OrderChanged, kit.order_of(version=2, sequence=2)))
    [(_, fact)] = await stage.told("f1")
    assert (fact["router_sequence"], fact["order_version"]) == (2, 2)
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_rt13_unsent_it_is_voided_at_once(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(), kit.void_requested())
    row = await stage.fr()
    assert (row["state"], row["due_at"], row["waiting"]) == ("VOIDED", None, None)
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.processing", "fr.voided"]


async def test_in13_a_changed_order_waits_for_its_confirmation(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(), kit.order_fact(OrderChanged, kit.order_of(version=2, sequence=2)))
    await stage.send()
    row = await stage.fr()
    assert (row["waiting"], row["due_at"]) == ("awaiting_confirmation", None)
    assert "version 1" in row["waiting_detail"]
    await stage.deliver(kit.confirmed(version=2))
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.processing", "fr.received", "fr.submitted"]


async def test_in13_a_held_order_waits_and_goes_on_when_released(stage: Any, kit: Any) -> None:
    held = kit.order_of(state=OrderState.HELD, sequence=2)
    await stage.deliver(kit.created(), kit.order_fact(OrderHeld, held))
    await stage.send()
    assert (await stage.fr())["waiting"] == "order_held"
    await stage.deliver(kit.order_fact(OrderReleased, kit.order_of(sequence=3)))
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_in13_a_canceled_order_waits_for_the_void(stage: Any, kit: Any) -> None:
    canceled = kit.order_of(state=OrderState.CANCELED, version=2, sequence=2)
    await stage.deliver(kit.created(), kit.order_fact(OrderCanceled, canceled))
    await stage.send()
    assert (await stage.fr())["waiting"] == "order_canceled"
    await stage.deliver(kit.void_requested())
    assert (await stage.fr())["state"] == "VOIDED"
    assert stage.sources["east"].ledger == {}


async def test_in13_an_older_copy_of_an_order_changes_nothing(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(order=kit.order_of(version=1, sequence=5)))
    await stage.deliver(kit.order_fact(OrderHeld, kit.order_of(state=OrderState.HELD, sequence=2)))
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_an_fr_of_a_source_that_is_not_configured_waits_for_it(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(kit.fr_of(source="north")))
    assert (await stage.fr())["waiting"] == "not_configured"
    await stage.configure(kit.source_of("north"))
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_configuration_is_answered_also_when_it_was_known(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of(), version=1)
    [(kind, fact)] = await stage.told()
    assert (kind, fact["entity"], fact["version"]) == ("config.applied", "source/east", 1)


async def test_fp4_a_manual_source_is_worked_by_a_person(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("shelf", platform="manual", url=None))
    await stage.deliver(kit.created(kit.fr_of(source="shelf")))
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["waiting"], row["due_at"]) == ("PROCESSING", "manual", None)


async def test_a_source_that_is_removed_stops_and_goes_on_when_it_comes_back(stage: Any, kit: Any) -> None:
    await stage.deliver(removal("source/east", 7, kit.created().at))
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["waiting"] == "not_configured"
    await stage.configure(kit.source_of(), version=8)
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_all_facts_of_an_fr_carry_the_trace_of_its_order(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    traces = await stage.pool.fetch(
        "select distinct split_part(headers->>'traceparent', '-', 2) as trace from facts where topic = $1",
        "fulfillment.submitted",
    )
    assert [row["trace"] for row in traces] == ["0af7651916cd43dd8448eb211c80319c"]


async def test_configuration_that_comes_while_an_fr_is_put_to_wait_for_it_is_not_missed(stage: Any, kit: Any) -> None:
    north = kit.source_of("north")
    async with stage.pool.acquire() as conn, conn.transaction():
        await stage.inbox.handle(conn, [kit.received(kit.created(kit.fr_of(source="north")))])
        await stage.configure(north)  # another replica: it does not see the FR yet
    row = await stage.fr()
    assert (row["waiting"], row["due_at"] is not None) == ("not_configured", True)
    stage.book.fresh.clear()  # a replica that learned of the source before: the safety net holds all the same
    await stage.pass_time(61)
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"


async def test_a_replica_that_learns_of_a_source_wakes_what_waits_for_it(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(kit.fr_of(source="north")))
    async with stage.pool.acquire() as conn, conn.transaction():
        await stage.configure(kit.source_of("north"))
    await stage.pool.execute("update frs set due_at = now() + interval '60 s'")
    await stage.send()
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
