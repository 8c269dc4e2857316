"""A service starts, says whether it is ready, is steered by those who may, and ends without losing anything."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.consuming import Subscription
from waybill_common.db import Connection, transaction
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.parts import Definition, Parts, Runtime
from waybill_common.service import running
from waybill_common.settings import ServiceSettings
from waybill_common.workers import Worker


def client(run, token: str | None = None) -> httpx.AsyncClient:  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{run.port}", headers=headers)


async def test_a_running_service_is_alive_and_soon_ready_and_shows_its_metrics(start, reader, until) -> None:
    async with start(reader) as run, client(run) as http:
        assert (await http.get("/livez")).status_code == 200

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        await until(ready)
        text = (await http.get("/metrics")).text
        assert "waybill_ready 1.0" in text
        assert "waybill_relay_active 1.0" in text


async def test_a_service_whose_database_is_away_is_alive_but_not_ready(
    start, reader, until, postgres: EmbeddedPostgres
) -> None:
    async with start(reader) as run, client(run) as http:
        await until(lambda: run.consumer.joined)
        postgres.stop()
        answer = await http.get("/readyz", timeout=10)
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] != "ok"
        assert (await http.get("/livez")).status_code == 200
        postgres.start()

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        await until(ready, 30)


async def test_the_internal_routes_are_for_holders_of_the_service_token(start, reader, settings) -> None:
    async with start(reader) as run:
        async with client(run) as stranger:
            assert (await stranger.get("/internal/dead-letters")).status_code == 401
        async with client(run, "wrong") as liar:
            assert (await liar.post("/internal/facts/reemit?since=0")).status_code == 401
        async with client(run, settings.service_token) as holder:
            assert (await holder.get("/internal/dead-letters")).json() == {"dead_letters": [], "next": None}


async def test_dead_letters_are_listed_replayed_and_discarded(start, reader, settings, until, send) -> None:
    reader.poison["later"] = lambda: ValueError("not yet")
    async with start(reader) as run, client(run, settings.service_token) as http:
        await send(run.runtime.pool, "things", "fine", "later", "unreadable")

        async def listed() -> list[dict[str, object]]:
            return list((await http.get("/internal/dead-letters")).json()["dead_letters"])

        await until(lambda: _count(listed, 2))
        by_value = {letter["value"]: letter for letter in await listed()}
        later, garbage = by_value["later"], by_value["unreadable"]
        assert later["reason"] == "ValueError: not yet"

        again = await http.post(f"/internal/dead-letters/{later['id']}/replay")
        assert again.status_code == 409
        assert "not yet" in again.json()["detail"]
        reader.poison.clear()
        assert (await http.post(f"/internal/dead-letters/{later['id']}/replay")).status_code == 200
        assert await run.runtime.pool.fetchval("select count(*) from seen where id = 'later'") == 1
        assert (await http.post(f"/internal/dead-letters/{later['id']}/replay")).status_code == 404

        discard = f"/internal/dead-letters/{garbage['id']}/discard"
        assert (await http.post(discard, json={"reason": ""})).status_code == 422
        assert (await http.post(discard, json={"reason": "a test of theirs"})).status_code == 200
        assert await listed() == []
        assert await run.runtime.pool.fetchval("select count(*) from open_alerts") == 0
        everything = (await http.get("/internal/dead-letters?state=all")).json()["dead_letters"]
        assert {letter["state"] for letter in everything} == {"replayed", "discarded"}


async def _count(listed, count: int) -> bool:  # type: ignore[no-untyped-def]
    return len(await listed()) == count


async def test_kept_events_are_emitted_again_on_demand(start, reader, settings, until, send) -> None:
    async with start(reader) as run, client(run, settings.service_token) as http:
        await send(run.runtime.pool, "things", "a", "b")
        await until(lambda: sum(len(batch) for batch in reader.batches) == 2)
        newest = (await http.get("/internal/facts/position")).json()["newest"]
        assert (await http.post(f"/internal/facts/reemit?since={newest}")).json()["events"] == 1
        await until(lambda: sum(len(batch) for batch in reader.batches) == 3)


async def test_workers_turn_rest_and_are_woken(start, until) -> None:
    turns: list[float] = []
    loop = asyncio.get_running_loop()

    async def turn() -> int:
        turns.append(loop.time())
        return 0

    worker = Worker("idle", turn, idle_max=30.0)
    async with start(None, workers=[worker]):
        await asyncio.sleep(2.0)
        resting = len(turns)
        assert resting < 12, "it rests longer and longer"
        worker.wake()
        await until(lambda: len(turns) > resting, 0.5)


async def test_a_worker_that_fails_is_tried_again_and_does_not_end_the_service(start, until) -> None:
    attempts = 0

    async def turn() -> int:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise RuntimeError("not today")
        return 0

    async with start(None, workers=[Worker("moody", turn)]) as run:
        await until(lambda: attempts >= 3)
        assert not run.died.done()


async def test_what_a_handler_says_while_the_service_drains_is_still_sent(start, make_reader, until, send) -> None:
    reader = make_reader("things")
    began = asyncio.Event()

    async def slow(conn: Connection, events: Sequence[str]) -> None:
        began.set()
        await asyncio.sleep(1.0)
        await outbox.append(conn, [outbox.Message(e, "answers", e, {}, e.encode()) for e in events])

    reader.subscription = Subscription("reader", ["things"], reader.decode, slow)
    async with start(reader) as run:
        await send(run.runtime.pool, "things", "a")
        await asyncio.wait_for(began.wait(), 20)
        url = run.runtime.settings.database_url
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select count(*) from kernel_test.facts where topic = 'answers'") == 1
    assert await connection.fetchval("select count(*) from kernel_test.outbox") == 0
    assert await connection.fetchval("select sum(attempts) from kernel_test.consumer_progress") == 0, "an orderly stop"
    await connection.close()


async def test_two_services_on_one_machine_find_ports_of_their_own(start, make_reader, settings) -> None:
    given = settings.model_copy(update={"http_port": None})
    one, two = make_reader("a", group="a"), make_reader("b", group="b")
    async with start(one, given=given) as first, start(two, given=given) as second:
        assert first.port != second.port


async def test_an_alert_is_raised_once_while_it_is_open(start) -> None:
    class Spelled:
        def alert_raised(self, key: str, title: str, detail: str) -> outbox.Message:
            return outbox.Message(f"raised {key}", "alerts", key, {}, f"{title}: {detail}".encode())

        def alert_cleared(self, key: str) -> outbox.Message:
            return outbox.Message(f"cleared {key}", "alerts", key, {}, b"")

    async with start(None) as run:
        alerts = Alerts(Spelled())
        for detail in ("first", "second"):
            async with transaction(run.runtime.pool) as conn:
                await alerts.raised(conn, "k", "Trouble", detail)
        for _ in range(2):
            async with transaction(run.runtime.pool) as conn:
                await alerts.cleared(conn, "k")
        said = [row["id"] for row in await run.runtime.pool.fetch("select id from facts order by position")]
        assert said == ["raised k", "cleared k"]


SERVICE = """
import sys
from waybill_common.consuming import Subscription
from waybill_common.service import Parts, main
from waybill_common.settings import ServiceSettings

async def build(runtime):
    async def handle(conn, events):
        pass

    return Parts(subscription=Subscription("plain", ["things"], lambda record: record.value, handle))

sys.exit(main("plain", "plain", "waybill_common", build, ServiceSettings, default_port=18997))
"""


async def run_service(tmp_path: Path, **variables: str) -> asyncio.subprocess.Process:
    script = tmp_path / "plain.py"
    script.write_text(SERVICE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(script), env={**environment, **variables}, stderr=asyncio.subprocess.PIPE
    )


async def ends(process: asyncio.subprocess.Process, seconds: float = 30.0) -> tuple[int, list[str]]:
    _, said = await asyncio.wait_for(process.communicate(), seconds)
    lines = said.decode().splitlines()
    return process.returncode or 0, [line for line in lines if not line.startswith("{")]


async def test_a_missing_variable_is_named_in_one_line(tmp_path: Path) -> None:
    code, lines = await ends(await run_service(tmp_path, WAYBILL_KAFKA="localhost:1"))
    assert code == 2
    assert len(lines) == 1
    assert "plain cannot start" in lines[0]
    assert "WAYBILL_DATABASE_URL is not set" in lines[0]
    assert "WAYBILL_SECRET_KEY is not set" in lines[0]


@pytest.mark.parametrize("missing", ["database", "kafka", "right to connect", "port"])
async def test_a_dependency_that_is_not_there_is_named_in_one_line(
    tmp_path: Path, settings: ServiceSettings, missing: str, unused_port: int
) -> None:
    given = {
        "WAYBILL_DATABASE_URL": settings.database_url,
        "WAYBILL_KAFKA": settings.kafka,
        "WAYBILL_SECRET_KEY": "k",
        "WAYBILL_START_TIMEOUT": "1",
        "WAYBILL_HTTP_PORT": "0",
    }
    named = "WAYBILL_DATABASE_URL"
    taken = socket.create_server(("127.0.0.1", 0))
    if missing == "database":
        given["WAYBILL_DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{unused_port}/nothing"
    elif missing == "kafka":
        given["WAYBILL_KAFKA"] = f"127.0.0.1:{unused_port}"
        named = "WAYBILL_KAFKA"
    elif missing == "right to connect":
        given["WAYBILL_DATABASE_URL"] = settings.database_url.replace("postgres:", "stranger:")
    else:
        given["WAYBILL_HTTP_PORT"] = named = str(taken.getsockname()[1])
    code, lines = await ends(await run_service(tmp_path, **given))
    taken.close()
    assert code == 2
    assert len(lines) == 1, lines
    assert named in lines[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_service_that_is_told_to_stop_ends_with_code_0(
    tmp_path: Path, settings: ServiceSettings, number: signal.Signals, unused_port: int, until
) -> None:
    process = await run_service(
        tmp_path,
        WAYBILL_DATABASE_URL=settings.database_url,
        WAYBILL_KAFKA=settings.kafka,
        WAYBILL_SECRET_KEY="k",
        WAYBILL_HTTP_PORT=str(unused_port),
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_port}") as http:

        async def ready() -> bool:
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(ready)
    process.send_signal(number)
    code, lines = await ends(process, 10)
    assert (code, lines) == (0, [])


async def test_a_service_that_still_waits_for_its_database_stops_when_told(tmp_path: Path, unused_port: int) -> None:
    process = await run_service(
        tmp_path,
        WAYBILL_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{unused_port}/nothing",
        WAYBILL_KAFKA="127.0.0.1:1",
        WAYBILL_SECRET_KEY="k",
        WAYBILL_HTTP_PORT="0",
    )
    assert process.stderr is not None
    waiting = await asyncio.wait_for(process.stderr.readline(), 30)
    assert b"service.waiting" in waiting
    process.terminate()
    code, _ = await ends(process, 10)
    assert code == 0


async def test_what_parts_finish_at_the_end_still_leaves_with_the_relay(database_url: str, kafka: str) -> None:
    """A finisher runs when consumer and workers have ended, and before the relay does."""
    left: list[int] = []

    async def build(runtime: Runtime[ServiceSettings]) -> Parts:
        async def finish() -> None:
            async with transaction(runtime.pool) as conn:
                await outbox.append(conn, [outbox.Message("last", "farewells", "k", {}, b"{}")])
            left.append(1)

        return Parts(finishers=(finish,))

    settings = ServiceSettings(database_url=database_url, kafka=kafka, secret_key=SecretStr("tests"))
    async with running(Definition("leaver", "leaver", "waybill_common", build, 0), settings):
        pass

    conn = await asyncpg.connect(database_url)
    try:
        assert await conn.fetchval("select count(*) from leaver.facts") == len(left) == 1
        assert await conn.fetchval("select count(*) from leaver.outbox") == 0
    finally:
        await conn.close()


async def test_a_worker_that_keeps_failing_makes_the_service_not_ready_and_says_which(
    database_url: str, kafka: str, until
) -> None:
    async def broken() -> int:
        raise RuntimeError("a bug")

    async def build(runtime: Runtime[ServiceSettings]) -> Parts:
        worker = Worker("send-run", broken)
        worker.failures = 4
        return Parts(workers=(worker,))

    settings = ServiceSettings(database_url=database_url, kafka=kafka, secret_key=SecretStr("tests"))
    async with (
        running(Definition("broken", "broken", "waybill_common", build, 0), settings) as run,
        client(run) as http,
    ):

        async def told() -> bool:
            answer = await http.get("/readyz")
            return answer.status_code == 503 and "send-run" in answer.json()["checks"]["workers"]

        await until(told)
