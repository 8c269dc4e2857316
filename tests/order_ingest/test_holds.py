"""IN-10: holds that need more than the order itself, and what a person does: real database, one row after the other."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from ingest_samples import channel, configured, line, order, sighting

from order_ingest.act_on_order import ActionRefused, ActOnOrder, NoSuchOrder
from order_ingest.said import Word
from waybill_common.clock import ManualClock
from waybill_common.db import transaction
from waybill_contracts.fr_created import Decision, OrderUnroutable
from waybill_contracts.values import Address, PaymentState
from waybill_platforms.model.orders import ChannelOrder

HOME = (Address(name="Zoë", line1="Rue de l'Église 5", city="Liège", country="BE"),)
ANNA = Word("anna", "asked the buyer")


def alike(order_id: str, **changes: Any) -> ChannelOrder:
    return order(order_id, addresses=HOME, **changes)


@pytest.fixture
def act(house: Any) -> ActOnOrder:
    return ActOnOrder(house.pool, house.rulebook, house.telemetry, ManualClock(order().updated_at))


async def reasons(house: Any, order_id: str) -> list[str]:
    row = await house.row(order_id)
    return [hold["reason"] for hold in row["body"]["holds"]] if row["body"] else [row["reason"]]


async def test_in10_of_two_orders_alike_in_everything_but_their_number_the_second_is_suspected(house: Any) -> None:
    await house.see(sighting(alike("o1")))
    shouting = tuple(a.model_copy(update={"line1": "RUE  DE L'ÉGLISE 5"}) for a in HOME)
    await house.see(sighting(replace(alike("o2"), addresses=shouting)))

    assert (await reasons(house, "o1"), await reasons(house, "o2")) == ([], ["duplicate_suspected"])
    (hold,) = (await house.row("o2"))["body"]["holds"]
    assert hold["value"] == "#o1"
    assert "#o1" in hold["fix"]


async def test_in10_two_orders_alike_in_one_page_leave_one_that_goes_on(house: Any) -> None:
    await house.see(sighting(alike("o1")), sighting(alike("o2")), sighting(alike("o3")))

    held = [await reasons(house, order_id) for order_id in ("o1", "o2", "o3")]
    assert held == [[], ["duplicate_suspected"], ["duplicate_suspected"]]


async def test_in10_two_importers_at_the_same_moment_see_each_others_order(house: Any) -> None:
    for number in range(10):
        home = tuple(a.model_copy(update={"line2": f"floor {number}"}) for a in HOME)
        pair = [replace(order(f"{letter}{number}"), addresses=home) for letter in "ab"]
        await asyncio.gather(*(house.see(sighting(one)) for one in pair))

        held = [await reasons(house, one.id) for one in pair]
        assert sorted(held) == [[], ["duplicate_suspected"]]


@pytest.mark.parametrize(
    "other",
    [
        {"placed_at": order().placed_at + timedelta(minutes=61)},
        {"lines": (line(quantity=3),)},
        {"addresses": (HOME[0].model_copy(update={"line1": "Rue de l'Église 6"}),)},
        {"addresses": (Address(country="BE"),)},
    ],
    ids=["an hour later", "another quantity", "another house", "no street"],
)
async def test_in10_orders_that_only_look_alike_go_on(house: Any, other: dict[str, Any]) -> None:
    await house.see(sighting(alike("o1")))
    await house.see(sighting(replace(alike("o2"), **other)))

    assert await reasons(house, "o2") == []


async def test_in10_a_channel_can_switch_the_suspicion_off(house: Any) -> None:
    await house.configure(configured(channel(duplicates={"within": "0s"}), version=2))
    await house.see(sighting(alike("o1")), sighting(alike("o2")))

    assert await reasons(house, "o2") == []


async def test_in10_when_the_first_is_canceled_the_second_goes_on_by_itself(house: Any) -> None:
    await house.see(sighting(alike("o1")))
    await house.see(sighting(alike("o2")))
    await house.see(sighting(alike("o1", minute=5, canceled=True)))
    assert await reasons(house, "o2") == ["duplicate_suspected"]

    await house.heal()

    assert await reasons(house, "o2") == []
    assert (await house.told_names())[-2:] == ["OrderCanceled", "OrderReleased"]


async def test_in10_an_order_that_was_excluded_comes_after_the_one_that_went_on_meanwhile(house: Any) -> None:
    await house.see(sighting(alike("o1", payment=PaymentState.PENDING)))
    await house.see(sighting(alike("o2")))
    await house.see(sighting(alike("o1", minute=5)))

    assert (await reasons(house, "o1"), await reasons(house, "o2")) == (["duplicate_suspected"], [])
    await house.configure(configured(channel(), version=2))
    await house.heal()  # judged once more, the first to come still counts
    assert (await reasons(house, "o1"), await reasons(house, "o2")) == (["duplicate_suspected"], [])


async def test_in10_a_person_lets_a_suspect_pass_and_it_stays_so(house: Any, act: ActOnOrder) -> None:
    await house.see(sighting(alike("o1")))
    await house.see(sighting(alike("o2")))

    shown = await act.release((await house.row("o2"))["order_id"], ANNA)
    await house.see(sighting(alike("o2", minute=5, lines=(line(quantity=2, title="renamed"),))))

    assert (shown["state"], shown["holds"]) == ("imported", [])
    assert await reasons(house, "o2") == []
    released = (await house.told())[2]
    assert (type(released).__name__, released.actor, released.why) == ("OrderReleased", "anna", "asked the buyer")


async def test_in10_fraud_risk_and_a_channels_rule_hold_until_a_person_judged(house: Any, act: ActOnOrder) -> None:
    rule = {"name": "B2B by hand", "when": {"tag": ["b2b"], "value_over": "10.00"}, "fix": "call the buyer"}
    await house.configure(configured(channel(hold_rules=[rule]), version=2))
    await house.see(
        sighting(order("o1", tags=("b2b",), fraud_risk="CANCEL: stolen card")),
        sighting(order("o2", tags=("b2b",), total=order().total / 4)),
    )

    assert await reasons(house, "o1") == ["fraud_risk", "on_hold_by_rule"]
    assert await reasons(house, "o2") == []
    await act.release((await house.row("o1"))["order_id"], ANNA)
    assert await reasons(house, "o1") == []


async def test_in10_a_persons_hold_stays_over_new_versions_and_new_rules(house: Any, act: ActOnOrder) -> None:
    await house.see(sighting(order()))
    order_id: UUID = (await house.row())["order_id"]

    await act.hold(order_id, Word("anna", "buyer will call"))
    again = await act.hold(order_id, Word("ben", "me too"))
    await house.see(sighting(order(minute=3, lines=(line(quantity=7),))))
    await house.configure(configured(channel(), version=2))
    await house.heal()

    assert await reasons(house, "o1") == ["on_hold_by_person"]
    assert again["holds"][0]["value"] == "anna: buyer will call"
    assert (await act.release(order_id, ANNA))["state"] == "imported"
    names = await house.told_names()
    assert names == ["OrderImported", "OrderHeld", "OrderChanged", "OrderReleased"]


async def test_in10_what_has_a_cause_is_not_released_by_hand_but_answered_with_the_remedy(
    house: Any, act: ActOnOrder
) -> None:
    await house.see(sighting(order(lines=(line(sku="NEW"),))))
    order_id = (await house.row())["order_id"]

    with pytest.raises(ActionRefused, match="waits for its cause") as refused:
        await act.release(order_id, ANNA)
    assert "map 'NEW' in skus.map" in refused.value.remedy
    await act.hold(order_id, ANNA)
    left = await act.release(order_id, ANNA)

    assert [hold["reason"] for hold in left["holds"]] == ["unmapped_sku"]


async def test_in10_a_person_cancels_an_order_and_no_newer_version_brings_it_back(house: Any, act: ActOnOrder) -> None:
    await house.see(sighting(order()))
    order_id = (await house.row())["order_id"]

    await act.cancel(order_id, ANNA)
    await house.see(sighting(order(minute=3, lines=(line(quantity=9),))))

    row = await house.row()
    assert (row["standing"], row["reason"]) == ("canceled", "canceled_by_person")
    for verb in (act.hold, act.release, act.cancel):
        with pytest.raises(ActionRefused, match="canceled"):
            await verb(order_id, ANNA)


async def test_rt4_an_order_that_its_group_gives_up_is_canceled_unless_it_has_changed_since(
    house: Any, act: ActOnOrder
) -> None:
    await house.see(sighting(order()))
    row = await house.row()
    common = {"at": order().updated_at, "order_id": str(row["order_id"]), "order_version": 1, "cancel": True}
    decision = Decision(decision_id="d", group="uk", config_version=1)
    async with transaction(house.pool) as conn:
        for sequence in (row["sequence"] + 1, row["sequence"]):
            known = OrderUnroutable(**common, order_sequence=sequence, decision=decision, reason="no_stock", detail="A")
            await act.cancel_unroutable(conn, known)
            assert (await conn.fetchval("select standing from orders")) == (
                "imported" if sequence > row["sequence"] else "canceled"
            )
        await act.cancel_unroutable(conn, known)  # delivered again: it is over already
        stranger = known.model_copy(update={"order_id": "0198c5a0-0000-7000-8000-00000000dead"})
        await act.cancel_unroutable(conn, stranger)
    row = await house.row()
    assert (row["standing"], row["reason"]) == ("canceled", "unroutable")


async def test_in10_an_order_that_is_not_here_cannot_be_acted_on(house: Any, act: ActOnOrder) -> None:
    await house.see(sighting(order(canceled=True)))

    with pytest.raises(ActionRefused, match="excluded"):
        await act.hold((await house.row())["order_id"], ANNA)
    with pytest.raises(NoSuchOrder):
        await act.hold(UUID(int=1), ANNA)
