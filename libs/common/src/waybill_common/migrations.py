"""Each schema is brought up to date at start: numbered SQL files, applied once, in order, under one lock.

Promises: two replicas starting together apply each file once; a file and the row that says so commit together; an
applied file that was edited is refused loudly instead of guessed about. It cannot roll back a migration that was
committed, and knows nothing of files that newer code brought (an older replica starts all the same).

Note the name: this module sits beside the folder `migrations/`, which has no `__init__.py` and only holds SQL.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

import asyncpg

from waybill_common.db import check_schema, open_session

KERNEL = "waybill_common"
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")

_CREATE = """
create table if not exists applied_migrations (
    package text not null,
    number int not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    primary key (package, number)
)
"""


class MigrationRefused(Exception):
    """The migrations of the code and those of the schema don't fit together; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `<package>/migrations/NNNN_name.sql`."""

    package: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.package}/{self.number:04}_{self.name}"


def migrations_of(package: str) -> list[Migration]:
    """The package's migrations in order; raises MigrationRefused for a number used twice."""
    found: dict[int, Migration] = {}
    folder = resources.files(package) / "migrations"
    if not folder.is_dir():
        return []
    for file in folder.iterdir():
        match = _NAME.match(file.name)
        if match is None:
            continue
        number = int(match[1])
        if number in found:
            raise MigrationRefused(
                f"{package}: number {number:04} is used twice, by {found[number].name} and {match[2]}"
            )
        found[number] = Migration(package, number, match[2], file.read_text(encoding="utf-8"))
    return [found[number] for number in sorted(found)]


async def migrate(url: str, schema: str, packages: Sequence[str]) -> list[str]:
    """Brings `schema` up to date with the kernel's and the packages' migrations; returns the names applied now."""
    wanted = [migration for package in dict.fromkeys((KERNEL, *packages)) for migration in migrations_of(package)]
    session = await open_session(url, schema, name=f"{schema}/migrate")
    try:
        await session.execute("select pg_advisory_lock(hashtextextended('waybill migrations', 0))", timeout=300.0)
        await session.execute(f"create schema if not exists {check_schema(schema)}")
        await session.execute(_CREATE)
        return await _apply(session, wanted)
    finally:
        await session.close()  # gives the lock back too


async def _apply(session: "asyncpg.Connection[asyncpg.Record]", wanted: Iterable[Migration]) -> list[str]:
    rows = await session.fetch("select package, number, name, checksum from applied_migrations")
    applied = {(row["package"], row["number"]): row for row in rows}
    done = []
    for migration in wanted:
        row = applied.get((migration.package, migration.number))
        if row is not None:
            _refuse_edited(migration, row)
            continue
        async with session.transaction():
            await session.execute(migration.sql, timeout=600.0)
            await session.execute(
                "insert into applied_migrations (package, number, name, checksum) values ($1, $2, $3, $4)",
                migration.package,
                migration.number,
                migration.name,
                migration.checksum,
            )
        done.append(str(migration))
    return done


def _refuse_edited(migration: Migration, row: asyncpg.Record) -> None:
    if row["checksum"] != migration.checksum:
        raise MigrationRefused(
            f"{migration} was edited after it had been applied as {row['name']!r}: restore the file and put the change "
            "into a new one with the next number"
        )
