"""OP-13: an order is judged again by today's mappings and rules; the difference is said, and nothing at all changes."""

from typing import Any

import pytest
from ingest_samples import MAPPED, channel, configured, line, order, sighting

from order_ingest.act_on_order import NoSuchOrder
from order_ingest.rerun_order import RerunOrder
from waybill_common.ids import new_id
from waybill_contracts.values import PaymentState


async def everything(house: Any) -> dict[str, str]:
    """Every row of every table: what a side effect would have to change."""
    tables = await house.pool.fetch("select tablename from pg_tables where schemaname = current_schema()")
    return {
        table["tablename"]: await house.pool.fetchval(
            f"select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) from \"{table['tablename']}\" t"
        )
        for table in tables
    }


@pytest.fixture
def rerun(house: Any) -> RerunOrder:
    return RerunOrder(house.pool, house.rulebook)


async def test_op13_the_same_rules_make_the_same_of_it(house: Any, rerun: RerunOrder) -> None:
    await house.see(sighting(order("o1")))

    said = await rerun.rerun((await house.row())["order_id"])

    assert (said["number"], said["differs"]) == ("#o1", [])
    assert said["then"] == said["now"]
    assert said["now"]["standing"] == "imported"


async def test_op13_a_new_mapping_shows_in_holds_standing_and_lines_and_stores_nothing(
    house: Any, rerun: RerunOrder
) -> None:
    await house.see(sighting(order("o1", lines=(line(sku="NEW"),))))
    mended = {**MAPPED["skus"], "map": {**MAPPED["skus"]["map"], "NEW": "SKU-9"}}
    await house.configure(configured(channel(skus=mended), version=2))
    before = await everything(house)

    said = await rerun.rerun((await house.row())["order_id"])

    assert await everything(house) == before
    assert said["differs"] == ["holds", "lines", "standing"]
    assert [hold["reason"] for hold in said["then"]["holds"]] == ["unmapped_sku"]
    assert (said["then"]["standing"], said["now"]["standing"], said["now"]["holds"]) == ("held", "imported", [])
    assert [said[at]["lines"][0]["components"] for at in ("then", "now")] == [[], [{"sku": "SKU-9", "quantity": 1}]]


async def test_op13_an_excluded_order_says_why_and_whether_it_would_come_in_today(
    house: Any, rerun: RerunOrder
) -> None:
    await house.see(sighting(order("o1", payment=PaymentState.AUTHORIZED)))
    row = await house.row()
    assert row["standing"] == "excluded"
    await house.configure(
        configured(channel(**{"import": {"payment": ["paid", "authorized"], "deferred": []}}), version=2)
    )

    said = await rerun.rerun(row["order_id"])

    assert (said["then"]["standing"], said["now"]["standing"]) == ("excluded", "held")
    assert said["then"]["reason"] == row["reason"]
    assert said["now"]["holds"]


async def test_op13_an_order_that_is_not_here_is_named(rerun: RerunOrder) -> None:
    with pytest.raises(NoSuchOrder, match="no order has the id"):
        await rerun.rerun(new_id())
