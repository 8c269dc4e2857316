"""Actions are commands (issue 8): stored, done once, waited for, found in the time line; a refused one says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from console.app import build as build_console
from console.cli.program import app as command_line
from console.command_rules import Answer, answered, next_try, refusal_of
from console.messages import Notices
from console.settings import ConsoleSettings
from fulfillment_push.app import definition as push_definition
from fulfillment_push.settings import PushSettings
from waybill_common.service import Definition, running
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.fulfillment_submitted import FrReceived, FrState

from .conftest import ADMIN, ConsoleUnderTest
from .test_fr_commands import NOW, SECRET, created, source

Start = Callable[..., AbstractAsyncContextManager[ConsoleUnderTest]]
WHY = {"reason": "Ada asked for it"}


@pytest.fixture
def start(database_url: str, kafka: str) -> Start:
    """A console whose fulfillment-push is at this address; nobody listens at the default one."""

    @asynccontextmanager
    async def console(push_url: str = "http://127.0.0.1:9") -> AsyncIterator[ConsoleUnderTest]:
        settings = ConsoleSettings(
            database_url=database_url, kafka=kafka, secret_key=SECRET, console_port=0,
            admin_key=SecretStr(ADMIN), fulfillment_push_url=push_url,
        )  # fmt: skip
        async with running(Definition("console", "console", "console", build_console, 0, Notices()), settings) as run:
            hub = ConsoleUnderTest(run, kafka)
            yield hub
            await hub.http.aclose()

    return console


@pytest_asyncio.fixture
async def push(database_url: str, kafka: str) -> AsyncIterator[str]:
    settings = PushSettings(database_url=database_url, kafka=kafka, secret_key=SECRET, http_port=0)
    async with running(push_definition(), settings) as run:
        yield f"http://127.0.0.1:{run.port}"


@pytest_asyncio.fixture
async def hub(start: Start, push: str) -> AsyncIterator[ConsoleUnderTest]:
    """Two FRs that wait for a person, known to all."""
    async with start(push) as console:
        await known_frs(console, 2)
        yield console


async def known_frs(console: ConsoleUnderTest, number: int) -> None:
    east = source("east", platform="http", url="http://127.0.0.1:9")
    await console.publish(("console", SourceConfigured(at=NOW, source=east)))
    await console.publish(*[("router", created(f"E-{n}", "east", auto_process=False)) for n in range(number)])
    await console.eventually("/frs", lambda answer: len(answer["items"]) == number)


async def process(hub: ConsoleUnderTest, fr: str = "fr-E-0", key: str | None = None, **params: str) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/api/v1/frs/{fr}/actions/process"
    return await hub.http.post(path, json=WHY, params=params, headers=headers, timeout=90)


async def waybill(hub: ConsoleUnderTest, *words: str) -> Result:
    env = {"WAYBILL_URL": str(hub.http.base_url), "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)


async def launches(hub: ConsoleUnderTest, fr_id: str) -> int:
    asked = "select count(*) from fulfillment_push.fr_history where fr_id = $1 and to_state = 'PROCESSING'"
    return int(await hub.run.runtime.pool.fetchval(asked, fr_id))


async def test_an_action_is_answered_with_its_command_and_its_effect_is_waited_for(hub: ConsoleUnderTest) -> None:
    await hub.eventually("/frs:waiting", lambda answer: len(answer["items"]) == 2)
    answer = await process(hub, wait="60s")
    assert answer.status_code == 200, answer.text
    command = answer.json()["command"]
    assert (command["state"], command["in_read_model"], command["actor"]) == ("done", True, "WAYBILL_ADMIN_KEY")
    assert [(e["activity"], e["fr_id"]) for e in command["effects"]] == [("fr_processing", "fr-E-0")]
    assert await hub.get(f"/commands/{answer.json()['command_id']}") == command
    order = (await hub.get("/frs/fr-E-0"))["order_id"]
    story = [a for a in (await hub.get(f"/orders/{order}/timeline"))["activities"] if a["caused_by"]]
    said = {"action": "fr.process", "actor": "WAYBILL_ADMIN_KEY", "reason": "Ada asked for it"}
    assert [(a["activity"], a["command"]) for a in story] == [("fr_processing", said)]
    listed = await hub.get("/commands", target="fr/fr-E-0")
    assert [one["command_id"] for one in listed["items"]] == [command["command_id"]]


async def test_a_refused_one_says_why_and_is_kept_and_may_be_tried_again_under_its_key(hub: ConsoleUnderTest) -> None:
    await hub.eventually("/frs:waiting", lambda answer: len(answer["items"]) == 2)
    resend = "/api/v1/frs/fr-E-0/actions/resend"
    refused = await hub.http.post(resend, json=WHY, headers={"Idempotency-Key": "once"})
    assert refused.status_code == 409
    problem = refused.json()
    assert "only FAILED or unknown ones are resent" in problem["detail"]
    assert problem["remedy"] == "process it"
    now = await hub.get(f"/commands/{problem['command_id']}")
    assert (now["state"], now["refused"]["status"], now["effects"]) == ("refused", 409, [])
    assert (now["refused"]["reason"], now["refused"]["remedy"]) == (problem["reason"], problem["remedy"])
    await hub.run.runtime.pool.execute(
        "update fulfillment_push.frs set state = 'FAILED', waiting = 'failed' where fr_id = 'fr-E-0'"
    )
    again = await hub.http.post(resend, json=WHY, headers={"Idempotency-Key": "once"}, params={"wait": "60s"})
    assert (again.status_code, again.json()["command_id"]) == (200, problem["command_id"])
    assert again.json()["command"]["in_read_model"]


async def test_what_was_stored_is_done_when_its_owner_and_the_console_are_back(
    start: Start, database_url: str, kafka: str
) -> None:
    """The console stores it before sending, and whoever dies in between, sends it until it is answered."""
    async with start() as console:
        await known_frs(console, 1)
        stored = await process(console, key="the same")
        assert stored.status_code == 202, stored.text
        assert (stored.json()["command"]["state"], "does not answer" in stored.json()["command"]["trouble"]) == (
            "sent",
            True,
        )
        told = await waybill(console, "frs", "process", "E-0", "--reason", "again")
        assert (told.exit_code, "it is sent until it is" in told.output) == (3, True), told.output
    async with (
        running(
            push_definition(), PushSettings(database_url=database_url, kafka=kafka, secret_key=SECRET, http_port=0)
        ) as push,
        start(f"http://127.0.0.1:{push.port}") as console,
    ):
        command_id = stored.json()["command_id"]
        done = await console.eventually(f"/commands/{command_id}", lambda now: now["state"] != "sent", seconds=120)
        assert done["state"] == "done", done
        await console.eventually(f"/commands/{command_id}", lambda now: now["in_read_model"])
        assert await launches(console, "fr-E-0") == 1
        assert (await process(console, key="the same")).json()["command_id"] == command_id
        assert await launches(console, "fr-E-0") == 1


async def test_the_owner_takes_a_repeated_id_as_one_command(hub: ConsoleUnderTest, push: str) -> None:
    """An answer that was lost on its way is given again, and nothing is done again."""
    await hub.eventually("/frs:waiting", lambda answer: len(answer["items"]) == 2)
    token = hub.run.runtime.settings.service_token
    headers = {"Authorization": f"Bearer {token}", "Waybill-Command": "c-1"}
    body = {"actor": "ada", "reason": "twice"}
    async with httpx.AsyncClient(base_url=push, headers=headers, timeout=30) as owner:
        answers = [await owner.post("/internal/frs/fr-E-0/process", json=body) for _ in range(2)]
    assert [(a.status_code, a.json(), a.headers["waybill-told"]) for a in answers[1:]] == [
        (200, answers[0].json(), "1")
    ]
    assert await launches(hub, "fr-E-0") == 1


async def test_one_about_what_its_owner_has_not_heard_of_yet_waits_for_it(hub: ConsoleUnderTest) -> None:
    heard = FrReceived(
        sequence=1, at=NOW, fr_id="fr-E-9", order_id="o-E-9", source="east", number="E-9",
        state=FrState.UNPROCESSED, order_version=1, router_sequence=1,
    )  # fmt: skip
    await hub.publish(("fulfillment-push", heard))
    await hub.eventually("/frs/fr-E-9", lambda fr: fr["number"] == "E-9")
    waits = await process(hub, "fr-E-9")
    assert waits.status_code == 202, waits.text
    await hub.publish(("router", created("E-9", "east", auto_process=False)))
    command_id = waits.json()["command_id"]
    await hub.eventually(f"/commands/{command_id}", lambda now: now["state"] == "done")
    nobody = await process(hub, "nobody")
    assert (nobody.status_code, nobody.json()["reason"]) == (404, "there is no such FR here")


async def test_many_at_once_are_one_command_and_the_command_line_waits_for_it(hub: ConsoleUnderTest) -> None:
    await hub.eventually("/frs:waiting", lambda answer: len(answer["items"]) == 2)
    done = await waybill(hub, "frs", "process", "--source", "east", "--wait", "60s", "--reason", "Ada asked for it")
    assert (done.exit_code, "2 done, 0 refused" in done.output) == (0, True), done.output
    command_id = done.output.partition("command ")[2].split()[0]
    shown = await waybill(hub, "commands", "show", command_id)
    assert (shown.exit_code, shown.output.count("fr_processing")) == (0, 2), shown.output
    assert "fr.process of 2 FRs by WAYBILL_ADMIN_KEY (Ada asked for it): done" in shown.output
    story = await waybill(hub, "orders", "timeline", (await hub.get("/frs/fr-E-0"))["order_number"])
    assert "WAYBILL_ADMIN_KEY" in story.output
    unknown = await waybill(hub, "commands", "show", "nobody")
    assert (unknown.exit_code, "No command has the id" in unknown.output) == (1, True)
    assert "fr.process" in (await waybill(hub, "commands", "list", "--state", "done")).output


@pytest.mark.parametrize(
    ("status", "on_its_way", "over"),
    [(200, False, True), (409, False, True), (422, True, True), (404, False, True), (404, True, False),
     (0, False, False), (503, False, False), (500, False, False), (429, False, False), (408, False, False)],
)  # fmt: skip
def test_what_passes_by_itself_is_sent_again(status: int, on_its_way: bool, over: bool) -> None:
    assert answered(Answer(status), on_its_way=on_its_way) is over


def test_a_refusal_is_told_in_its_owners_words() -> None:
    told = refusal_of(Answer(409, {"detail": "it is sent", "remedy": "recall it", "code": "sent"}))
    assert told[:3] == ("it is sent", "recall it", "sent")
    assert refusal_of(Answer(500, "a stack")).remedy, "also a service that failed leaves nobody without a next step"
    wrong = refusal_of(Answer(422, {"detail": [{"loc": ["body", "state"], "msg": "is none"}]}))
    assert (wrong.reason, wrong.errors) == ("state: is none", [{"path": "state", "message": "is none"}])
    assert "mend" in wrong.remedy


def test_the_waits_between_tries_grow_to_a_minute() -> None:
    assert [next_try(n) / timedelta(seconds=1) for n in (1, 2, 3, 7, 50)] == [1, 2, 4, 60, 60]
