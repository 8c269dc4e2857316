"""The start of a service: wait for what it needs, bounded, and say in one line what keeps it from starting."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
from aiokafka.errors import KafkaError

from waybill_common.brokers import cluster_id
from waybill_common.db import Pool, open_pool, transient
from waybill_common.http import PortTaken
from waybill_common.logs import Log, declare_events
from waybill_common.migrations import MigrationRefused, migrate
from waybill_common.settings import ServiceSettings

T = TypeVar("T")

declare_events(
    {
        "service.waiting": "a dependency does not answer yet; it is asked again",
        "service.migrated": "migrations that were applied now",
    }
)


class StartFailed(Exception):
    """The service cannot start; the text is one line that names what is wrong and where to set it right."""


async def prepare(schema: str, package: str, settings: ServiceSettings, instance: str, log: Log) -> Pool:
    """Database reached and migrated, broker reached; returns the pool. Raises StartFailed."""

    async def migrated() -> list[str]:
        return await migrate(settings.database_url, schema, [package])

    with as_failure():
        applied = await _reach("WAYBILL_DATABASE_URL", "PostgreSQL", migrated, settings, log)
        if applied:
            log.info("service.migrated", migrations=applied)
        await _reach("WAYBILL_KAFKA", "Kafka", lambda: cluster_id(settings.kafka), settings, log)
        return await open_pool(settings.database_url, schema, size=settings.pool_size, name=instance[:60])


async def _reach(
    variable: str, what: str, attempt: Callable[[], Awaitable[T]], settings: ServiceSettings, log: Log
) -> T:
    deadline = time.monotonic() + settings.start_timeout
    kafka_log = logging.getLogger("aiokafka")
    level = kafka_log.level
    kafka_log.setLevel(logging.CRITICAL)  # we say it ourselves
    told = 0.0
    try:
        while True:
            try:
                return await attempt()
            except Exception as error:
                if not (transient(error) or isinstance(error, KafkaError)):
                    raise
                if time.monotonic() >= deadline:
                    wait = settings.start_timeout
                    text = f"{what} did not answer within {wait:g} s ({_plain(error)}): start it or correct {variable}"
                    raise StartFailed(text) from error
                if time.monotonic() - told > 5.0:
                    told = time.monotonic()
                    log.warning("service.waiting", dependency=what, variable=variable, error=_plain(error))
            await asyncio.sleep(0.5)
    finally:
        kafka_log.setLevel(level)


@contextmanager
def as_failure() -> Iterator[None]:
    """Turns what can be wrong with the surroundings into a StartFailed of one line; bugs pass as they are."""
    try:
        yield
    except (MigrationRefused, PortTaken) as error:
        raise StartFailed(_plain(error)) from error
    except asyncpg.PostgresSyntaxError:
        raise
    except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise StartFailed(f"PostgreSQL refuses us ({_plain(error)}): correct WAYBILL_DATABASE_URL") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartFailed(f"the database user lacks a right ({_plain(error)}): grant it") from error
    except ValueError as error:
        raise StartFailed(f"a setting cannot be used ({_plain(error)}): correct it") from error


def _plain(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
