"""Nothing that is asked all day reads a big table from end to end: PostgreSQL itself counts such scans (G11).

Fewer orders are a harder test: the smaller a table, the sooner a planner reads it whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from benchmarks.reading_copies import add_small_store, fill, names_of
from benchmarks.reading_lives import life_of

from benchmarks import stage
from console.consumer import subscription
from console.search import beyond
from waybill_common.db import Connection, Pool, queries, rows

Q = queries("console")
ORDERS = 10_000
BIG = ("orders", "order_versions", "search_terms", "decisions", "frs", "shipments", "activities", "records")
MOMENT = datetime(2024, 12, 10, tzinfo=UTC)
ORDER = {"order_id": "order-70000123"}
_PAGE = {"after": None, "limit": 51}
_ORDERS = dict.fromkeys(("stores", "stage", "sync", "fulfillment", "channel", "hold", "number", "placed")) | _PAGE
_FRS = dict.fromkeys(("state", "outcome", "source", "order_id", "number", "created")) | _PAGE
_SHIPMENTS = dict.fromkeys(("statuses", "order_id", "updated")) | _PAGE
_RECORDS = dict.fromkeys(("connection", "log_type", "outcome", "order_id", "since", "before")) | _PAGE
_EXCLUDED = dict.fromkeys(("channel", "number", "at")) | _PAGE
_OF_ORDERS: tuple[dict[str, Any], ...] = (
    {},
    {"stage": "held"},
    {"stage": "settled"},
    {"sync": "failed"},
    {"fulfillment": "partial"},
    {"channel": "bolt-shop"},
    {"channel": "no-shop"},
    {"hold": "unmapped_sku"},
    {"number": "70000123"},
    {"stores": ["corner"]},
    {"stores": []},
    {"stores": ["acme"], "stage": "settled", "sync": "not_needed"},
    {"hold": "awaiting_payment", "channel": "acme-eu"},
)
_OF_FRS = ({}, {"state": "FAILED"}, {"outcome": "unknown"}, {"source": "lodz"}, {"number": "E-70000123"}, ORDER)
_OF_RECORDS = (
    {}, {"connection": "east"}, {"log_type": "get_orders"}, {"outcome": "refused"}, {"since": MOMENT}, ORDER,
)  # fmt: skip
ASKED: list[tuple[str, dict[str, Any]]] = [
    *(("list_orders", _ORDERS | one) for one in _OF_ORDERS),
    *(("list_orders", _ORDERS | one | {"placed": MOMENT, "after": "order-7"}) for one in _OF_ORDERS),
    *(
        ("search_orders", _ORDERS | one | {"prefix": text, "beyond": beyond(text)})
        for text in ("smith", "sku", "7000", "nobody")
        for one in _OF_ORDERS
    ),
    *(("list_frs", _FRS | one | deep) for one in _OF_FRS for deep in ({}, {"created": MOMENT, "after": "fr-7"})),
    *(("list_shipments", _SHIPMENTS | one) for one in ({}, {"statuses": ["recorded", "sync_failed"]}, ORDER)),
    *(("list_records", _RECORDS | one | d) for one in _OF_RECORDS for d in ({}, {"before": MOMENT, "after": "g"})),
    *(("list_excluded", _EXCLUDED | one) for one in ({}, {"channel": "acme-eu"}, {"number": "70000040"})),
    ("failures", {"per_group": 5, "limit": 100}),
    ("waiting_for_names", {"channel": "acme-shop", "reason": "unmapped_sku"}),
    ("tallied", {}),
    ("oldest_by_stage", {"stages": ["held", "imported", "routed", "submitted", "shipped"]}),
    *((name, ORDER) for name in ("frs_by_order", "shipments_by_order", "activities_by_order", "records_by_order")),
    ("versions_of", ORDER),
]


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await stage.schema(database_url, "console", "console")
    await fill(opened, Q, ORDERS)
    await add_small_store(opened, Q, ORDERS)
    yield opened
    opened.terminate()


async def scans(conn: Connection) -> dict[str, int]:
    """How often this session has read which big table from end to end lately. Reading an index so is none."""
    found = await conn.fetch(
        "select relname, pg_stat_get_xact_numscans(oid) as times from pg_class "
        "where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname = any($1)",
        list(BIG),
    )
    assert len(found) == len(BIG)
    return {row["relname"]: row["times"] for row in found}


async def test_no_list_search_page_or_batch_reads_a_big_table_whole(pool: Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():  # within one, counts are not handed on
        before = await scans(conn)
        await conn.fetch("select count(*) from orders where state = 'nowhere'")
        counted = before | {"orders": before["orders"] + 1}
        assert await scans(conn) == counted  # such a scan is seen
        for name, given in ASKED:
            for _ in range(7):  # from the sixth on a plan may be one for any value
                await rows(getattr(Q, name)(conn, **given))
            assert await scans(conn) == counted, (name, given)
        await Q.order_by_id(conn, **ORDER)
        await Q.stage_seconds(conn, newest=5000)
        await Q.late(conn, stage="submitted", seconds=60.0)
        for number in (ORDERS + 100, ORDERS + 1):  # one that ends well, one that waits for a person
            await subscription(Q).handle(conn, list(life_of(number % 200, names_of(number))))
        assert await scans(conn) == counted
