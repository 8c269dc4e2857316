"""The embedded PostgreSQL keeps its promises on a directory that a crash left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from waybill_common.embedded.postgres import EmbeddedPostgres, PostgresFailed


async def test_committed_rows_survive_a_crash_of_the_server(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as server:
        url = server.url
        connection = await asyncpg.connect(url)
        await connection.execute("create table kept (n int); insert into kept values (7)")
        server.kill()
        connection.terminate()
        assert server.start() == url
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select n from kept") == 7
        await connection.close()


def test_the_server_ends_when_its_parent_is_killed_and_the_next_start_takes_over(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib\nfrom waybill_common.embedded.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), fast=True)\nserver.start()\n"
        "print(server.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "pg")], capture_output=True, text=True, timeout=60, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    orphan = int(parent.stdout)
    with EmbeddedPostgres(tmp_path / "pg", fast=True) as server:
        assert server.pid not in (None, orphan)
        assert not _alive(orphan)


def test_a_lock_file_whose_number_is_now_another_programs_is_no_obstacle(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", fast=True)
    server.start()
    lock = (tmp_path / "pg/data/postmaster.pid").read_text().splitlines()
    server.kill()
    (tmp_path / "pg/data/postmaster.pid").write_text("\n".join([str(os.getppid()), *lock[1:]]) + "\n")
    with server:
        assert server.pid is not None


def test_a_directory_of_another_version_is_refused_with_the_fix(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", fast=True) as server:
        pass
    (tmp_path / "pg/data/PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresFailed, match=r"written by PostgreSQL 9, .* move the directory"):
        server.start()


def test_the_password_is_for_the_owner_alone(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", fast=True):
        assert (tmp_path / "pg/password").stat().st_mode & 0o077 == 0


def _alive(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return True
        time.sleep(0.05)
    return False
