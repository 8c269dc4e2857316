"""A broker that speaks Kafka's protocol inside this process: librdkafka's mock cluster.

Promises: real TCP, consumer groups with rebalances, idempotent producers, headers; other processes connect to
`bootstrap`, which stays the same for the life of the object. It starts in milliseconds.
It cannot: keep anything. It has no disk, holds the last 5 MiB of each partition, does not compact, and forgets
everything when it stops, with another cluster id the next time (the kernel's re-emission heals from that). A group
that loses or gains a member rests for the session timeout less one second.

As a process of its own: `python -m waybill_common.embedded.kafka --port-file F`.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from waybill_common.embedded.kafka_doorway import Doorway
from waybill_common.embedded.librdkafka import PRODUCER, KafkaFailed, library

HOST = "127.0.0.1"
PARTITIONS = 4
BROKER = 1
TOPIC_ALREADY_EXISTS = 36
# Where the last brokers of this process stood in memory. A mock cluster's id is made from its place, and a freed place
# is given out again: another broker must not look like one that somebody knew.
_places: deque[int] = deque(maxlen=16)


class EmbeddedKafka:
    """One broker. `start()` returns the bootstrap string; `down()` and `up()` play a network outage."""

    def __init__(self, topics: Mapping[str, int] | None = None, *, port: int = 0) -> None:
        self._topics = dict(topics or {})
        self._port = port
        self._client: int | None = None
        self._cluster: int | None = None
        self._door: Doorway | None = None
        self.bootstrap = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> str:
        if self._cluster is not None:
            return self.bootstrap
        lib = library()
        conf = lib.rd_kafka_conf_new()
        lib.rd_kafka_conf_set_log_cb(conf, None)
        reason = ctypes.create_string_buffer(512)
        self._client = lib.rd_kafka_new(PRODUCER, conf, reason, len(reason))
        if not self._client:
            raise KafkaFailed(f"librdkafka made no client: {reason.value.decode()}")
        self._cluster = self._new_cluster(self._client)
        # A real broker waits 3 s for more members before a group's first assignment; alone on a machine nobody comes.
        lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 50)
        host, _, port = lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode().partition(":")
        if self._door is None:
            self._door = Doorway(HOST, self._port)
        self._door.forward_to(host, int(port))
        self._door.open()
        self._port = self._door.port
        lib.rd_kafka_mock_broker_set_host_port(self._cluster, BROKER, HOST.encode(), self._port)
        self.bootstrap = f"{HOST}:{self._port}"
        for name, partitions in self._topics.items():
            self.create_topics([name], partitions)
        return self.bootstrap

    def _new_cluster(self, client: int) -> int:
        lib = library()
        lookalikes: list[int] = []
        try:
            while True:
                made: int | None = lib.rd_kafka_mock_cluster_new(client, 1)
                if not made:
                    raise KafkaFailed("librdkafka made no mock cluster: is a loopback port free?")
                if made not in _places:
                    _places.append(made)
                    return made
                lookalikes.append(made)
        finally:
            for other in lookalikes:
                lib.rd_kafka_mock_cluster_destroy(other)

    def stop(self) -> None:
        """End it; everything it held is gone. May be called twice."""
        lib = library()
        door, self._door = self._door, None
        if door is not None:
            door.end()
        cluster, self._cluster = self._cluster, None
        client, self._client = self._client, None
        if cluster is not None:
            lib.rd_kafka_mock_cluster_destroy(cluster)
        if client is not None:
            lib.rd_kafka_destroy(client)

    def create_topics(self, names: Iterable[str], partitions: int = PARTITIONS) -> None:
        """Create topics; one that exists is left as it is."""
        for name in names:
            code = library().rd_kafka_mock_topic_create(self._running(), name.encode(), partitions, 1)
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise KafkaFailed(f"topic {name}: {library().rd_kafka_err2str(code).decode()}")

    def restart(self) -> None:
        """Stop and start under the same address: everything it held is gone."""
        self.stop()
        self.start()

    def down(self) -> None:
        """Cut all connections and refuse new ones until `up()`; nothing stored is lost."""
        self._running()
        if self._door is not None:
            self._door.close()

    def up(self) -> None:
        self._running()
        if self._door is not None:
            self._door.open()

    def slow(self, milliseconds: int) -> None:
        """Answer every request that much later (0 ends it)."""
        library().rd_kafka_mock_broker_set_rtt(self._running(), BROKER, milliseconds)

    def refuse_topic(self, name: str, error_code: int) -> None:
        """Answer everything about this topic with a Kafka error code (0 ends it)."""
        library().rd_kafka_mock_topic_set_error(self._running(), name.encode(), error_code)

    def refuse_next(self, kind: int, error_code: int, times: int = 1) -> None:
        """Answer the next requests of this kind (Kafka's API key: 0 Produce, 1 Fetch, ...) with a Kafka error code."""
        codes = (ctypes.c_int * times)(*[error_code] * times)
        library().rd_kafka_mock_push_request_errors_array(self._running(), kind, times, codes)

    def _running(self) -> int:
        if self._cluster is None:
            raise KafkaFailed("the embedded broker is not running: call start() first")
        return self._cluster


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m waybill_common.embedded.kafka", description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True, help="where the bootstrap address is written")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument("--topic", action="append", default=[], metavar="NAME[:PARTITIONS]", help="created at start")
    options = parser.parse_args(arguments)
    wanted = (topic.partition(":") for topic in options.topic)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with EmbeddedKafka({name: int(count or PARTITIONS) for name, _, count in wanted}, port=options.port) as broker:
        # Written aside and renamed, so that a reader never sees half an address.
        draft = options.port_file.with_suffix(".part")
        draft.write_text(broker.bootstrap)
        draft.replace(options.port_file)
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
