"""Fills the console's read model with any number of orders: each kind of life is projected once, and copied by SQL.

Promises: a copy is the row that the projection would have written for an order of that name and hour, in every column
of every table (`tests/benchmarks/test_reading.py`). The tables are not logged meanwhile: reading does not differ, and a
million orders fit into minutes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.reading_lives import SLOTS, Names, life_of
from console.consumer import subscription
from waybill_common.db import Connection, Pool, Queries, transaction

BEGIN = datetime(2024, 12, 1, tzinfo=UTC)
TEMPLATE_HOUR = BEGIN - timedelta(days=1)
AN_HOUR = 60
"""Orders an hour: a million are nearly two years."""
SHARED = 5000
"""So many different SKUs and customers' addresses."""
CHUNK = 20_000
SMALL_STORE = "corner"
SMALL = 300
"""Orders of the small store: projected one by one, and spread over the whole time."""
COPIED = ("orders", "order_versions", "search_terms", "troubles", "decisions", "excluded_orders", "frs", "shipments",
          "activities", "records")  # fmt: skip


def names_of(number: int) -> Names:
    """Those of the order with this number, of which there are `SLOTS` kinds in turn."""
    return Names(f"7{number:07}", f"{number % SHARED:05}", BEGIN + timedelta(hours=number // AN_HOUR))


async def fill(pool: Pool, q: Queries, orders: int, say: Callable[[str], None] = lambda text: None) -> None:
    """Orders 1 to `orders`."""
    async with transaction(pool) as conn:
        for slot in range(len(SLOTS)):
            names = Names(_token(slot), "@shared@", TEMPLATE_HOUR)
            await subscription(q).handle(conn, list(life_of(slot, names)))
    for table in COPIED:
        await pool.execute(f"alter table {table} set unlogged")
        await pool.execute(f"create unlogged table template_{table} as table {table}")
        await pool.execute(f"alter table template_{table} add column slot int")
        await pool.execute(f"update template_{table} t set slot = substring(t::text from '@([0-9]{{3}})@')::int")
        await pool.execute(f"delete from {table}")
    indexes = await _without_indexes(pool)
    began = time.perf_counter()
    for start in range(1, orders + 1, CHUNK):
        await _copy(pool, start, min(start + CHUNK - 1, orders))
        say(f"{min(start + CHUNK - 1, orders)} orders after {time.perf_counter() - began:.0f} s")
    for statement in indexes:
        await _patiently(pool, statement)
        say(f"{statement[:90]} after {time.perf_counter() - began:.0f} s")
    for table in COPIED:
        await pool.execute(f"drop table template_{table}")
        await _patiently(pool, f"vacuum analyze {table}")


async def add_small_store(pool: Pool, q: Queries, orders: int) -> None:
    """A store of 300 orders beside the others' `orders`, and some thousand alerts; where they are not there yet."""
    if await pool.fetchval("select true from orders where store = $1 limit 1", SMALL_STORE):
        return
    for start in range(0, SMALL, 50):
        told = [
            fact
            for number in range(start, start + 50)
            for fact in life_of(number * len(SLOTS) // SMALL, small_names(number, orders))
        ]
        async with transaction(pool) as conn:
            await subscription(q).handle(conn, told)
    await pool.execute(
        "insert into alerts (alert, title, raised_at, cleared_at) "
        "select 'bench/' || n, 'Sync of ' || n || ' failed', now() - n * interval '1 minute', "
        "case when n % 100 > 0 then now() end from generate_series(1, 5000) n on conflict (alert) do nothing"
    )
    for table in (*COPIED, "alerts"):
        await pool.execute(f"analyze {table}", timeout=600)


def small_names(number: int, orders: int) -> Names:
    """Those of an order of the small store."""
    hour = BEGIN + timedelta(hours=number * (orders // AN_HOUR) // SMALL)
    return Names(f"8{number:07}", f"{number % SHARED:05}", hour, f"{SMALL_STORE}-shop")


async def _without_indexes(pool: Pool) -> list[str]:
    """Drops every index of the tables; returns what makes them again, which is faster than keeping them."""
    keys = await pool.fetch(
        "select conrelid::regclass::text as of_table, conname as name, pg_get_constraintdef(oid) as text "
        "from pg_constraint where contype in ('p', 'u') and conrelid = any($1::text[]::regclass[])",
        list(COPIED),
    )
    for key in keys:
        await pool.execute(f"alter table {key['of_table']} drop constraint {key['name']}")
    others = await pool.fetch(
        "select indexname as name, indexdef as text from pg_indexes "
        "where schemaname = current_schema() and tablename = any($1)",
        list(COPIED),
    )
    for index in others:
        await pool.execute(f"drop index {index['name']}")
    made = [f"alter table {key['of_table']} add constraint {key['name']} {key['text']}" for key in keys]
    return made + [index["text"] for index in others]


async def _patiently(pool: Pool, statement: str) -> None:
    async with pool.acquire() as conn:
        await conn.execute("set maintenance_work_mem = '512MB'")
        await conn.execute(statement, timeout=1800)
        await conn.execute("reset maintenance_work_mem")


def _token(slot: int) -> str:
    return f"@{slot:03}@"


async def _copy(pool: Pool, first: int, last: int) -> None:
    async with transaction(pool) as conn:
        await conn.execute("set local synchronous_commit = off")
        for table in COPIED:
            await conn.execute(await _statement(conn, table, first, last), timeout=900)


async def _statement(conn: Connection, table: str, first: int, last: int) -> str:
    columns = await conn.fetch(
        "select column_name as name, data_type as type from information_schema.columns "
        "where table_schema = current_schema() and table_name = $1 and is_identity = 'NO' and is_generated = 'NEVER' "
        "order by ordinal_position",
        table,
    )
    values = ", ".join(_value(column["name"], column["type"]) for column in columns)
    return f"""
        insert into {table} ({", ".join(column["name"] for column in columns)})
        select {values} from (
            select to_char((timestamptz '{BEGIN.isoformat()}' + make_interval(hours => n / {AN_HOUR}))
                           at time zone 'UTC', 'YYYY-MM-DD"T"HH24:') as hour,
                   '7' || lpad(n::text, 7, '0') as number, lpad((n % {SHARED})::text, 5, '0') as shared,
                   make_interval(hours => n / {AN_HOUR}) + interval '1 day' as later, n % {len(SLOTS)} as slot
            from generate_series({first}, {last}) n
        ) s join template_{table} t using (slot)
    """


def _value(name: str, kind: str) -> str:
    """The column of a copy: names put in, moments moved."""
    named = (
        f"replace(replace(t.{name}::text, '@' || lpad(s.slot::text, 3, '0') || '@', s.number), '@shared@', s.shared)"
    )
    if name == "terms_digest":  # console.search.digest
        term = named.replace("t.terms_digest", "x.term") + ' collate "C"'
        return f"""(select crc32(convert_to(string_agg({term}, E'\\n' order by {term}), 'UTF8'))
                    from template_search_terms x where x.order_id = t.order_id)"""
    if kind == "timestamp with time zone":
        return f"t.{name} + s.later"
    if kind == "jsonb":
        return f"replace({named}, '{TEMPLATE_HOUR:%Y-%m-%dT%H:}', s.hour)::jsonb"
    if kind == "ARRAY":
        return f"{named}::text[]"
    return named if kind == "text" else f"t.{name}"
