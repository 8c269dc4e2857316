"""Lists and search narrow alike: the answer is what a plain look at every row finds (decision 0052)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest_asyncio

from console.search import beyond
from waybill_common.db import Pool, open_pool, queries, rows
from waybill_common.migrations import migrate

Q = queries("console")
PAGE = 7
CHOICES: Mapping[str, Sequence[Any]] = {
    "stores": (["acme"], ["bolt", "corner"], ["corner"], ["closed"], []),
    "channel": ("acme-shop", "acme-eu", "corner-shop", "closed-shop"),
    "stage": ("held", "imported", "settled", "canceled", "nowhere"),
    "sync": ("pending", "failed", "synced", "not_needed"),
    "fulfillment": ("unfulfilled", "partial", "shipped", "canceled"),
    "hold": ("unmapped_sku", "awaiting_payment", "nothing"),
    "number": ("17", "23999", "none"),
}
NOTHING: Mapping[str, Any] = dict.fromkeys(CHOICES)
ORDERS = """
insert into orders (order_id, store, channel, channel_order_id, number, version, sequence, state, snapshot, placed_at,
                    updated_at, stage, stage_since, fulfillment, sync)
select 'order-' || lpad(n::text, 5, '0'), split_part(channel, '-', 1), channel, n, '#' || n, 1, 1, 'imported',
       '{"holds": []}', moment, moment, stage, moment, fulfillment, sync
from (
    select n, timestamptz '2026-11-22 10:00Z' + make_interval(secs => (random() * 5000)::int) as moment,  -- many alike
           case when random() < 0.004 then 'corner-shop'
                else (array['acme-shop', 'acme-eu', 'bolt-shop'])[1 + n % 3] end as channel,
           case when random() < 0.9 then 'settled'
                else (array['held', 'imported', 'canceled'])[1 + n % 7 % 3] end as stage,
           case when random() < 0.9 then 'synced'
                else (array['pending', 'failed', 'not_needed'])[1 + n % 11 % 3] end as sync,
           case when random() < 0.9 then 'shipped'
                else (array['unfulfilled', 'partial', 'canceled'])[1 + n % 5 % 3] end as fulfillment
    from generate_series(1, 24000) n
) made
"""
HELD = """
insert into troubles (order_id, kind, code, at, value, action, message, number, since, store, channel, placed_at)
select order_id, 'held', code, channel, value, '', '', number, placed_at, store, channel, placed_at
from orders cross join unnest(array['unmapped_sku', 'unmapped_sku', 'awaiting_payment'], array['A', 'B', 'open'])
     with ordinality as held (code, value, place)
where stage = 'held' and hashtext(order_id) % 3 <> place - 2
"""
TERMS = """
insert into search_terms (term, placed_at, order_id, kind, store, channel)
select term, placed_at, order_id, 'customer', store, channel
from orders cross join lateral (values
    ('smith'), ('smart'), ('sm' || substr(order_id, 9)), ('rare ' || substr(order_id, 7, 3))) t (term)
where term <> 'smith' or hashtext(order_id) % 2 = 0
"""


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url, "console", ["console"])
    opened = await open_pool(database_url, "console", size=2, name="newest")
    await opened.execute("select setseed(0.25)")
    for statement in (ORDERS, HELD, TERMS, "analyze"):
        await opened.execute(statement, timeout=300)
    yield opened
    opened.terminate()


async def test_a_list_is_what_a_plain_look_at_every_row_finds(pool: Pool) -> None:
    orders, dice = await every_order(pool), random.Random(11)

    for asked in [*filters(dice, 60), *({**NOTHING, name: value} for name in CHOICES for value in CHOICES[name])]:
        await paged_alike(lambda given: Q.list_orders(pool, **given), asked, passing(orders, asked), dice)


async def test_a_search_is_what_a_plain_look_at_every_row_finds(pool: Pool) -> None:
    """ "sm" is common under twenty words, "smith" under one; with few orders left, with many, and with all."""
    orders, dice = await every_order(pool), random.Random(12)
    by_id = {order["order_id"]: order for order in orders}

    for search in ("sm", "smith", "rare 01", "nobody"):
        words = set(sorted({t for o in orders for t in o["terms"] if search <= t < beyond(search)})[:20])
        named = [order for order in orders if words & order["terms"]]
        for asked in [NOTHING, *filters(dice, 30)]:
            given = {**asked, "prefix": search, "beyond": beyond(search)}
            for row in await paged_alike(lambda g: Q.search_orders(pool, **g), given, passing(named, asked), dice):
                assert set(row["matched"]) == words & by_id[row["order_id"]]["terms"]


async def every_order(pool: Pool) -> list[dict[str, Any]]:
    """Newest first, each with its words and why it is held."""
    found = await pool.fetch("""
        select o.order_id, store, channel, stage, sync, fulfillment, number, placed_at,
               array(select code from troubles t where t.order_id = o.order_id) as holds, s.terms
        from orders o join (select order_id, array_agg(term) as terms from search_terms group by 1) s using (order_id)
        order by placed_at desc, order_id desc""")
    return [{**row, "terms": set(row["terms"])} for row in found]


def filters(dice: random.Random, count: int) -> list[dict[str, Any]]:
    """Some narrow by one thing, most by two or three."""
    asked = []
    for _ in range(count):
        names = dice.sample(list(CHOICES), dice.randint(1, 3))
        asked.append({**NOTHING, **{name: dice.choice(CHOICES[name]) for name in names}})
    return asked


def passing(orders: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The filters, as their words say."""
    tests: dict[str, Callable[[Mapping[str, Any], Any], bool]] = {
        "stores": lambda order, value: order["store"] in value,
        "hold": lambda order, value: order["stage"] == "held" and value in order["holds"],
        "number": lambda order, value: order["number"] in (value, f"#{value}"),
    }
    plain = {name: lambda order, value, name=name: order[name] == value for name in CHOICES}
    wanted = [(plain | tests)[name] for name in CHOICES], [asked[name] for name in CHOICES]
    return [o for o in orders if all(v is None or test(o, v) for test, v in zip(*wanted, strict=True))]


async def paged_alike(
    ask: Callable[[dict[str, Any]], Any],
    given: Mapping[str, Any],
    wanted: Sequence[Mapping[str, Any]],
    dice: random.Random,
) -> list[Any]:
    """The first page, and one from the middle of the list."""
    seen = []
    for start in {0, dice.randrange(len(wanted)) if wanted else 0}:
        last = wanted[start - 1] if start else {"placed_at": None, "order_id": None}
        page = await rows(ask({**given, "placed": last["placed_at"], "after": last["order_id"], "limit": PAGE}))
        expected = [order["order_id"] for order in wanted[start : start + PAGE]]
        assert [row["order_id"] for row in page] == expected, (given, start)
        seen += page
    return seen
