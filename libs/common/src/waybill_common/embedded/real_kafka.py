"""Apache Kafka itself, one node in KRaft mode, for `make test-connected`.

`running_kafka()` takes, in this order: the broker that `WAYBILL_KAFKA` names; a container where a Docker engine
answers; else the artifacts that `deploy/kafka/pom.xml` names, fetched once by Maven into `.waybill/kafka/<version>` and
run on the machine's Java. What is missing is said in one line. The broker ends with this process, however it ends.
It cannot: show what more than one broker would do (leader changes, replication).
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from waybill_common.embedded.artifacts import artifacts, find_pom, java_program, version
from waybill_common.embedded.librdkafka import KafkaFailed
from waybill_common.embedded.processes import GuardedProcess, free_port

PARTITIONS = 4
START_SECONDS = 90.0
JAVA_OPTIONS = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class RealKafka:
    """One broker on one directory; stopped and started again it keeps its address, topics, records and cluster id."""

    def __init__(
        self,
        directory: Path,
        *,
        topics: Mapping[str, int] | None = None,
        pom: Path | None = None,
        port: int | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.topics = dict(topics or {})
        self.port = port or free_port()
        self._controller_port = free_port()
        self._pom = pom
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> str:
        """Start (formatting a new directory), wait until it answers, create the topics; return the address."""
        if self.pid is not None:
            return self.bootstrap
        classes = f"{artifacts(self._pom or find_pom())}/*"
        self.directory.mkdir(parents=True, exist_ok=True)
        properties = self.directory / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        if not (self.directory / "logs" / "meta.properties").exists():
            _run_java(classes, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(properties))
        log = self.directory / "kafka.log"
        self._process = GuardedProcess(
            [java_program(), *JAVA_OPTIONS, "-cp", classes, "kafka.Kafka", str(properties)], log=log, cwd=self.directory
        )
        try:
            wait_until_ready(self.bootstrap, lambda: self.pid is not None)
            create_topics(self.bootstrap, self.topics)
        except KafkaFailed as error:
            self.stop()
            last = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise KafkaFailed(f"{error}; the broker's last words in {log}: {'; '.join(last)}") from error
        return self.bootstrap

    def stop(self) -> None:
        """Stop it; what it holds stays in the directory. May be called twice."""
        if self._process is not None:
            self._process.stop(timeout=20)
            self._process = None

    def kill(self) -> None:
        """Kill it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _settings(self) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.directory / "logs"),
            "num.partitions": str(PARTITIONS),
            **SINGLE_NODE,
        }


SINGLE_NODE = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "100",
    "log.cleaner.dedupe.buffer.size": "8388608",
}


@contextmanager
def running_kafka(directory: Path, topics: Mapping[str, int] | None = None) -> Iterator[str]:
    """The bootstrap string of an Apache Kafka with these topics; see the module for where it comes from."""
    given = os.environ.get("WAYBILL_KAFKA")
    if given:
        create_topics(given, topics or {})
        yield given
    elif docker_answers():
        with _container() as bootstrap:
            create_topics(bootstrap, topics or {})
            yield bootstrap
    else:
        with RealKafka(directory, topics=topics) as broker:
            yield broker.bootstrap


def docker_answers() -> bool:
    try:
        import docker  # type: ignore[import-untyped]

        return bool(docker.from_env(timeout=3).ping())
    except Exception:  # no package, no socket, no permission: in every case there is no engine for us
        return False


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer

    port = free_port()
    container = DockerContainer(f"apache/kafka:{version(find_pom())}").with_bind_ports(port, port)
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "num.partitions": str(PARTITIONS),
        **SINGLE_NODE,
    }
    for name, value in settings.items():
        container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container:
        wait_until_ready(f"127.0.0.1:{port}", lambda: True)
        yield f"127.0.0.1:{port}"


def wait_until_ready(bootstrap: str, alive: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Return when the broker answers; KafkaFailed when it does not within `seconds`, or `alive()` turns false."""

    async def ask() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            await admin.list_topics()
        finally:
            await admin.close()

    deadline = time.monotonic() + seconds
    while True:
        try:
            _finish(ask())
        except (KafkaError, OSError) as error:
            if not alive():
                raise KafkaFailed("Apache Kafka ended while it started") from error
            if time.monotonic() > deadline:
                raise KafkaFailed(f"Apache Kafka at {bootstrap} does not answer after {seconds:.0f} s") from error
            time.sleep(0.2)
        else:
            return


def create_topics(
    bootstrap: str, topics: Mapping[str, int], configs: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Create the topics ({name: partitions}) that are missing, with `configs` ({name: {setting: value}})."""

    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            wanted = [
                NewTopic(name, partitions, 1, topic_configs=dict((configs or {}).get(name, {})))
                for name, partitions in topics.items()
            ]
            response = await admin.create_topics(wanted)
            for name, code, *reason in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise KafkaFailed(f"topic {name} was refused with error {code}: {reason}")
        finally:
            await admin.close()

    if topics:
        _finish(create())


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, also from inside a running event loop (fixtures)."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _run_java(classes: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603
        [java_program(), *JAVA_OPTIONS, "-cp", classes, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise KafkaFailed(f"{arguments[0]} failed: {'; '.join(said)}")


def _cluster_id() -> str:
    """A new one for each directory: by it a service sees that the broker is another one, which kept nothing."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):  # the formatting tool would take it for an option
            return made
