"""Migrations are applied once, in order, and an edited one is refused."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from waybill_common.migrations import MigrationRefused, migrate


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a_service" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "a_service", raising=False)
    (folder / "0001_first.sql").write_text("create table things (id int); insert into things values (1);")
    return folder


async def test_a_schema_is_created_and_brought_up_to_date_once(database_url: str, package: Path) -> None:
    first = await migrate(database_url, "shop", ["a_service"])
    assert first[0] == "waybill_common/0001_kernel"
    assert first[-1] == "a_service/0001_first"
    assert await migrate(database_url, "shop", ["a_service"]) == []
    (package / "0002_more.sql").write_text("alter table things add column name text;")
    assert await migrate(database_url, "shop", ["a_service"]) == ["a_service/0002_more"]


async def test_replicas_that_start_together_apply_each_file_once(database_url: str, package: Path) -> None:
    done = await asyncio.gather(*(migrate(database_url, "shop", ["a_service"]) for _ in range(4)))
    assert sum("a_service/0001_first" in names for names in done) == 1
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from shop.things") == 1
    await connection.close()


async def test_an_applied_file_that_was_edited_is_refused(database_url: str, package: Path) -> None:
    await migrate(database_url, "shop", ["a_service"])
    (package / "0001_first.sql").write_text("create table things (id bigint);")
    with pytest.raises(MigrationRefused, match="0001_first was edited"):
        await migrate(database_url, "shop", ["a_service"])


async def test_a_file_that_fails_leaves_nothing_behind_and_can_be_corrected(database_url: str, package: Path) -> None:
    broken = package / "0002_broken.sql"
    broken.write_text("create table half (id int); select nonsense;")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(database_url, "shop", ["a_service"])
    broken.write_text("create table half (id int);")
    assert await migrate(database_url, "shop", ["a_service"]) == ["a_service/0002_broken"]


async def test_a_number_used_twice_is_refused(database_url: str, package: Path) -> None:
    (package / "0001_second.sql").write_text("select 1;")
    with pytest.raises(MigrationRefused, match="used twice"):
        await migrate(database_url, "shop", ["a_service"])


async def test_a_schema_with_a_strange_name_is_refused(database_url: str) -> None:
    with pytest.raises(ValueError, match="no plain identifier"):
        await migrate(database_url, 'x"; drop schema public; --', [])
