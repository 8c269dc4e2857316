"""What benchmarks stand on: a durable PostgreSQL, brokers in processes of their own, a directory that goes away.

Everything listens on loopback and ends with the benchmark, however that ends.
"""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from waybill_common.db import Pool, open_pool
from waybill_common.embedded.artifacts import java_program
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.embedded.processes import GuardedProcess
from waybill_common.embedded.real_kafka import RealKafka
from waybill_common.migrations import migrate
from waybill_common.settings import ServiceSettings
from waybill_contracts.topics import PARTITIONS, TOPICS


@contextmanager
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="waybill-bench-", ignore_cleanup_errors=True) as made:
        path = Path(made)
        path.chmod(0o755)  # PostgreSQL may run as another user
        yield path


@contextmanager
def postgres(where: Path) -> Iterator[EmbeddedPostgres]:
    """With the settings of production: a commit waits for the disk."""
    with EmbeddedPostgres(where / "postgres") as server:
        yield server


@contextmanager
def embedded_broker(where: Path, *topics: str) -> Iterator[str]:
    """The in-process broker in a process of its own, so that its CPU is nobody else's."""
    port_file = where / "broker"
    command = [sys.executable, "-m", "waybill_common.embedded.kafka", "--port-file", str(port_file)]
    for topic in topics:
        command += ["--topic", topic]
    process = GuardedProcess(command, log=where / "broker.log", environ=os.environ)
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists():
            if time.monotonic() > deadline or not process.running:
                raise RuntimeError(f"the embedded broker did not start: {(where / 'broker.log').read_text()}")
            time.sleep(0.02)
        yield port_file.read_text()
    finally:
        process.stop(5)


@contextmanager
def any_broker(where: Path, *topics: str) -> Iterator[tuple[str, str]]:
    """(bootstrap, what it is): Apache Kafka where this machine has Java, else the embedded one."""
    names = topics or tuple(TOPICS)
    try:
        java_program()
    except Exception:
        with embedded_broker(where, *names) as bootstrap:
            yield bootstrap, "embedded broker"
        return
    with real_broker(where, *names) as bootstrap:
        yield bootstrap, "Apache Kafka"


@contextmanager
def real_broker(where: Path, *topics: str) -> Iterator[str]:
    """Apache Kafka, or an exception that says what this machine lacks."""
    with RealKafka(where / "kafka", topics=dict.fromkeys(topics or tuple(TOPICS), PARTITIONS)) as broker:
        yield broker.bootstrap


def wait_for_port(port: int, process: GuardedProcess, seconds: float = 20.0) -> None:
    """Returns when something listens there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if time.monotonic() > deadline or not process.running:
                raise
            time.sleep(0.05)
        else:
            return


async def schema(url: str, name: str, *packages: str) -> Pool:
    """A migrated schema and a pool on it; the caller closes it."""
    await migrate(url, name, list(packages))
    return await open_pool(url, name, size=8, name="bench")


def settings(url: str, kafka: str) -> ServiceSettings:
    return ServiceSettings(database_url=url, kafka=kafka, secret_key="benchmarks", log_level="WARNING")


async def commits(url: str) -> int:
    """Transactions that PostgreSQL has counted in this database."""
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval(
            "select xact_commit from pg_stat_database where datname = current_database()"
        )
        return found
    finally:
        await connection.close()
