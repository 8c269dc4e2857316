"""Everything on this machine: PostgreSQL, a Kafka-protocol broker, the sandbox shops and the five services.

The directory keeps what must last: the database, the sandbox's state, the keys. The broker keeps nothing; after a
restart the services notice and send again what nobody has confirmed.
"""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from console.up.children import ChildDied, Children
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.embedded.processes import free_port
from waybill_contracts.topics import TOPICS

SERVICES = {
    "order-ingest": "order_ingest",
    "router": "router",
    "fulfillment-push": "fulfillment_push",
    "shipment-poller": "shipment_poller",
    "console": "console",
}
_START_SECONDS = 90.0


class World:
    """Built by `start`, ended by `stop`; `say` is told what happens.

    `kafka` names a real broker to use instead of the in-process one; with `replicas` each service but the console runs
    that many times.
    """

    def __init__(
        self, directory: Path, say: Callable[[str], None], *, kafka: str | None = None, replicas: int = 1
    ) -> None:
        self.directory = directory.resolve()
        self._say = say
        self.resumed = (self.directory / "postgres").exists()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.children = Children(self.directory / "logs")
        self._postgres = EmbeddedPostgres(self.directory / "postgres")
        self._embedded = EmbeddedKafka() if kafka is None else None
        self._bootstrap = kafka
        self.replicas = replicas
        self._ports = {name: free_port() for name in SERVICES if name != "console"}
        self.console_port = int(os.environ.get("WAYBILL_CONSOLE_PORT") or 0)  # 0: chosen at the start
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port()}"
        self.admin_key = os.environ.get("WAYBILL_ADMIN_KEY") or self._kept("admin_key", "wb_")

    @property
    def database_url(self) -> str:
        return self._postgres.url

    @property
    def kafka(self) -> str:
        """Bootstrap servers, once it is started."""
        return self._bootstrap or ""

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    def start(self, *, sandbox_orders: int | None, shops: str = "acme") -> None:
        """`sandbox_orders` None starts without the demonstration shops; `shops` names them (or says `all`)."""
        self._say("PostgreSQL starts")
        self._postgres.start()
        if self._embedded is not None:
            self._say("the in-process Kafka-protocol broker starts (nothing on it outlives this run)")
            self._bootstrap = self._embedded.start()
            self._embedded.create_topics(TOPICS)
        if sandbox_orders is not None:
            self._say(f"the sandbox starts: {sandbox_orders} orders")
            self._start_sandbox(sandbox_orders, shops)
        self._say(f"five services start; their logs are in {self.directory / 'logs'}")
        self.console_port = self.console_port or free_port(8080)
        for name in SERVICES:
            self.start_service(name)
        for name, port in {**self._ports, "console": self.console_port}.items():
            self._wait_for(name, f"http://127.0.0.1:{port}/readyz")

    def start_service(self, name: str) -> None:
        """All replicas of one service; also after they were killed."""
        for number in range(1, (1 if name == "console" else self.replicas) + 1):
            environment = self._environment(name)
            if number > 1:
                environment["WAYBILL_HTTP_PORT"] = "0"
            self.children.start(replica(name, number), SERVICES[name], environment=environment)

    def kill_service(self, name: str) -> None:
        """SIGKILL to all replicas of one service."""
        for number in range(1, (1 if name == "console" else self.replicas) + 1):
            self.children.kill(replica(name, number))

    def stop(self) -> list[str]:
        """Services first, then what they stand on. Returns the names of those that had to be killed."""
        killed = self.children.stop()
        if self._embedded is not None:
            self._embedded.stop()
        self._postgres.stop()
        return killed

    def sandbox(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.sandbox_url}/_sandbox/{path}", timeout=30.0).raise_for_status()

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        return httpx.request(method, f"{self.console_url}/api/v1{path}", headers=headers, timeout=60.0, **options)

    def _start_sandbox(self, orders: int, shops: str) -> None:
        port = self.sandbox_url.rsplit(":", 1)[1]
        where = ("--port", port, "--data", str(self.directory / "sandbox"))
        wished = ("--orders", str(orders), "--shops", shops)
        self.children.start("sandbox", "sandbox", *where, *wished, environment={})
        self._wait_for("sandbox", f"{self.sandbox_url}/_sandbox/config.yaml")

    def _environment(self, name: str) -> dict[str, str]:
        environment = {
            "WAYBILL_DATABASE_URL": self._postgres.url,
            "WAYBILL_KAFKA": self._bootstrap or "",
            "WAYBILL_SECRET_KEY": self._kept("secret_key", ""),
        }
        if name != "console":
            return environment | {"WAYBILL_HTTP_PORT": str(self._ports[name])}
        urls = {
            f"WAYBILL_{service.upper().replace('-', '_')}_URL": f"http://127.0.0.1:{port}"
            for service, port in self._ports.items()
        }
        own = {"WAYBILL_CONSOLE_PORT": str(self.console_port), "WAYBILL_ADMIN_KEY": self.admin_key}
        return environment | urls | own

    def _wait_for(self, name: str, url: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self.children.check()
            try:
                if httpx.get(url, timeout=2.0).status_code == 200:
                    return
            except httpx.HTTPError:
                pass  # not listening yet: asked again until the deadline
            time.sleep(0.1)
        raise ChildDied(f"{name} was not ready within {_START_SECONDS:g} s; see {self.directory / 'logs' / name}.log")

    def _sandbox_port(self) -> int:
        """The shops keep their address over restarts, as shops do, unless somebody else has taken it."""
        path = self.directory / "sandbox_port"
        port = free_port(int(path.read_text()) if path.exists() else None)
        path.write_text(str(port))
        return port

    def _kept(self, name: str, prefix: str) -> str:
        """A random text of this directory, made at the first run, readable by its owner alone."""
        path = self.directory / name
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(prefix + secrets.token_urlsafe(32))
        return path.read_text().strip()


def replica(name: str, number: int) -> str:
    """What the first, second, ... process of a service is called."""
    return name if number == 1 else f"{name}-{number}"
