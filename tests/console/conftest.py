"""A console that runs for real: its own database, a broker, HTTP on a loopback port."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from console.app import build
from console.messages import Notices
from console.settings import ConsoleSettings
from waybill_common.db import queries
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.service import Definition, Running, running
from waybill_common.testing import new_database
from waybill_contracts.alerts_raised import ConfigApplied
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event

sys.path.insert(0, str(Path(__file__).parent))  # for console_samples

ADMIN = "wb_test_admin_key_of_the_tests"


class ConsoleUnderTest:
    """What a test does with it: publish events, ask the API, wait for something to be so."""

    def __init__(self, run: Running[ConsoleSettings], kafka: str) -> None:
        self.run = run
        self.kafka = kafka
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{run.port}", headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30
        )

    async def publish(self, *events: tuple[str, Event]) -> None:
        """(source, event) pairs, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        try:
            for source, event in events:
                message = encode(event, source=source, traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01")
                headers = [(name, value.encode()) for name, value in message.headers.items()]
                await producer.send_and_wait(message.topic, message.value, message.key.encode(), headers=headers)
        finally:
            await producer.stop()

    async def forget(self) -> None:
        """The read model, as a rebuild forgets it."""
        await queries("console").forget_read_model(self.run.runtime.pool)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(f"/api/v1{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def eventually(self, path: str, so: Callable[[Any], bool], seconds: float = 60.0, **params: Any) -> Any:
        """The answer once it is `so`; fails with the last answer when it never is."""
        deadline = time.monotonic() + seconds
        while True:
            answer = await self.http.get(f"/api/v1{path}", params=params)
            if answer.status_code == 200 and so(answer.json()):
                return answer.json()
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.05)

    async def put_config(self, document: Any, **params: Any) -> httpx.Response:
        return await self.http.put("/api/v1/config", json=document, params=params)

    async def answer_config(self, entities: Sequence[str], version: int, *services: str) -> None:
        for service in services:
            for entity in entities:
                event = ConfigApplied(at="2026-11-22T10:00:00Z", service=service, entity=entity, version=version)
                await self.publish((service, event))


NOBODY = dict.fromkeys(
    ("order_ingest_url", "router_url", "fulfillment_push_url", "shipment_poller_url"), "http://127.0.0.1:9"
)
"""No owner answers: at their default addresses another test's services may."""


@asynccontextmanager
async def running_console(database_url: str, kafka: str, **given: Any) -> AsyncIterator[ConsoleUnderTest]:
    settings = ConsoleSettings(
        database_url=database_url,
        kafka=kafka,
        secret_key=SecretStr("a secret of the tests"),
        console_port=0,
        admin_key=SecretStr(ADMIN),
        **NOBODY,
        **given,
    )
    definition = Definition("console", "console", "console", build, 0, Notices())
    async with running(definition, settings) as run:
        under_test = ConsoleUnderTest(run, kafka)
        yield under_test
        await under_test.http.aclose()


@pytest.fixture(name="running_console")
def _running_console() -> Any:
    """For tests that start consoles themselves."""
    return running_console


@pytest_asyncio.fixture
async def console(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """A console that only this test uses."""
    async with running_console(database_url, kafka) as under_test:
        yield under_test


@pytest_asyncio.fixture(scope="session")
async def shared_console(postgres: Any) -> AsyncIterator[ConsoleUnderTest]:
    async with new_database(postgres) as url:
        with EmbeddedKafka() as broker:
            async with running_console(url, broker.bootstrap) as under_test:
                yield under_test


@pytest_asyncio.fixture
async def empty_console(shared_console: ConsoleUnderTest) -> AsyncIterator[ConsoleUnderTest]:
    """A console without orders, shared by the tests that publish nothing; a client of its own for each."""
    under_test = ConsoleUnderTest(shared_console.run, shared_console.kafka)
    yield under_test
    await under_test.http.aclose()


@pytest.fixture
def document() -> dict[str, Any]:
    """A small configuration with a secret in it."""
    return {
        "stores": [
            {
                "id": "acme",
                "channels": [
                    {
                        "id": "acme-shop",
                        "platform": "shopify",
                        "url": "https://acme.example",
                        "credentials": {"access_token": "shpat_very_secret"},
                    }
                ],
            }
        ],
        "sources": [
            {
                "id": "east",
                "platform": "http",
                "url": "https://east.example",
                "costs": {"currency": "USD", "fee": "1.50", "shipping": [{"zone": ["US"], "base": "4.00"}]},
            }
        ],
        "routing": {"groups": [{"id": "default", "sources": ["east"]}]},
        "stock": [{"source": "east", "sku": "SKU-1", "on_hand": 40, "unit_cost": "3.10", "weight_g": 250}],
    }
