"""IN-11: a change of settings says how many orders it releases, releases those, and tells which no longer go on."""

from dataclasses import replace
from typing import Any

import pytest
from ingest_samples import MAPPED, channel, configured, line, order, sighting

from order_ingest.import_file import NoSuchChannel
from order_ingest.preview_release import NoSuchPreview, PreviewRelease
from waybill_common.ids import new_id
from waybill_contracts.values import Address, PaymentState

MENDED = {**MAPPED["skus"], "map": {**MAPPED["skus"]["map"], "NEW": "SKU-9"}}


@pytest.fixture
async def preview(house: Any) -> PreviewRelease:
    """Three wait for the SKU (one of them for its payment too), one for another SKU, one for the filter."""
    new = (line(sku="NEW"),)
    await house.see(
        sighting(order("o1", lines=new)),
        sighting(order("o2", lines=new)),
        sighting(order("o3", lines=new, payment=PaymentState.PAID, shipping_method="Drone")),
        sighting(order("o4", lines=(line(sku="OTHER"),))),
        sighting(order("o5", payment=PaymentState.AUTHORIZED)),
        sighting(order("o6")),
    )
    return PreviewRelease(house.pool, house.rulebook)


async def test_in11_the_count_is_what_the_change_then_releases(house: Any, preview: PreviewRelease) -> None:
    wanted = channel(skus=MENDED, **{"import": {"payment": ["paid"], "deferred": ["authorized"]}})
    facts = await house.told_names()

    said = await preview.preview(wanted)
    assert await house.told_names() == facts
    before = await preview.outcome(said["token"])
    await house.configure(configured(wanted, version=2))
    waiting = await preview.outcome(said["token"])
    await house.heal()
    after = await preview.outcome(said["token"])

    assert (said["releases"], said["imports"], said["still_waiting"]) == (2, 1, 2)
    assert said["numbers"] == ["#o1", "#o2", "#o5"]
    assert (before["saved"], before["gone_on"]) == (False, 0)
    assert (waiting["saved"], waiting["waiting"]) == (True, 3)
    assert (after["promised"], after["gone_on"], after["waiting"], after["no_longer"]) == (3, 3, 0, [])
    assert {row["number"] for row in await house.rows() if row["standing"] == "imported"} == {
        "#o1",
        "#o2",
        "#o5",
        "#o6",
    }


async def test_in11_an_order_that_no_longer_qualifies_is_named_with_what_holds_it_now(
    house: Any, preview: PreviewRelease
) -> None:
    said = await preview.preview(channel(skus=MENDED))
    await house.see(sighting(order("o2", minute=5, lines=(line(sku="NEWER"),))))
    await house.configure(configured(channel(skus=MENDED), version=2))
    await house.heal()

    after = await preview.outcome(said["token"])

    assert (said["releases"], after["promised"], after["gone_on"]) == (2, 2, 1)
    ((number, why),) = [(left["number"], left["why"]) for left in after["no_longer"]]
    assert number == "#o2"
    assert "map 'NEWER'" in why


async def test_in11_a_suspected_duplicate_is_not_promised_with_its_first(house: Any, preview: PreviewRelease) -> None:
    home = (Address(name="Zoë", line1="Rue 5", country="BE"),)
    pair = [replace(order(one, lines=(line(sku="NEW"),)), addresses=home) for one in ("p1", "p2")]
    await house.see(*(sighting(one) for one in pair))

    said = await preview.preview(channel(skus=MENDED))

    assert (said["releases"], "#p2" in said["numbers"]) == (3, False)


async def test_in11_names_that_sources_know_count_when_a_channel_begins_to_pass_them(
    house: Any, preview: PreviewRelease
) -> None:
    await house.pool.execute("insert into known_names values ('sku', 'OTHER', 'stock/east')")

    said = await preview.preview(channel(skus={**MAPPED["skus"], "unmapped": "pass"}))

    assert said["numbers"] == ["#o4"]


async def test_in11_what_is_not_known_is_said(preview: PreviewRelease) -> None:
    with pytest.raises(NoSuchChannel):
        await preview.preview(channel("nowhere"))
    with pytest.raises(NoSuchPreview):
        await preview.outcome(new_id())
