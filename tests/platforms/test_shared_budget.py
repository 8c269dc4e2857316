"""A platform's limits in the kernel's own budget, on a real database: one replica's 429 stops the other one, too."""

from typing import Any

import httpx
import pytest
from aiohttp import web

from waybill_common.budget import Budget, BudgetWait, Rate
from waybill_common.db import open_pool
from waybill_common.migrations import migrate
from waybill_platforms.calls import Call
from waybill_platforms.errors import PlatformError
from waybill_platforms.http import Budget as BudgetPort
from waybill_platforms.http import Http


async def test_a_retry_after_stops_every_replica_before_it_calls(database_url: str, serve: Any) -> None:
    asked = []

    async def busy(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=429, headers={"Retry-After": "30"})

    call = Call("get_order", "GET", httpx.URL(await serve(busy)))
    await migrate(database_url, "replicas", [])
    async with await open_pool(database_url, "replicas", size=2, name="test") as pool:
        budgets: list[BudgetPort] = [Budget(pool), Budget(pool)]
        replicas = [Http("shop", {}, (), budget, Rate(10, 10), lambda body: (None, "")) for budget in budgets]
        with pytest.raises(PlatformError) as raised:
            await replicas[0].send(call)
        assert raised.value.retry_after == 30.0
        for replica in replicas:
            with pytest.raises(BudgetWait) as waits:
                await replica.send(call)
            assert 25 < waits.value.seconds < 31
            await replica.aclose()
    assert len(asked) == 1
