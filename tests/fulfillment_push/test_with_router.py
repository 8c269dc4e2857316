"""Router and fulfillment-push together, on one PostgreSQL: whatever happens in whatever order, FRs move only as their
table says, and quantities and stock add up. (FP-1, FP-6, FP-7, FP-9, RT-6, RT-13, IN-13)

Each run plays a few dozen steps by a seed: orders placed, changed, held and canceled; facts delivered late and twice;
sends that succeed, fail, are refused or lost; people who process, mark, resend, void and regenerate; sources that
acknowledge, cancel and ship parts, give requests back or not, and ship what they gave back all the same, about which
people decide. Then everything is delivered, time passes, and the
books must agree: router, push, and source. That they see what goes wrong is shown by
`test_planted_defects.py`.

This cannot show what the channel is told; the poller's own tests do.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.fulfillment_push.play import STEPS, Play
from tests.router.conftest import World

SEEDS = range(int(os.environ.get("WAYBILL_PLAYS", "8")))
"""More of them: WAYBILL_PLAYS=120."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_fp1_any_interleaving_moves_as_allowed_and_quantities_and_stock_add_up(
    stage: Any, kit: Any, router: World, seed: int
) -> None:
    play = await Play.begin(router, stage, kit, seed)
    await play.round(STEPS)
