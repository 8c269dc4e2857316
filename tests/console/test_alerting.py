"""OP-11: alerts reach people by log, webhook and mail, several at once, and promised times are watched."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest_asyncio
from console_samples import LIFE
from webhook_receiver import Receiver, receiving

from console.alert_ways import ByEmail, ByWebhook, letter
from console.alerting import Deadlines, Teller
from waybill_common.db import queries, transaction
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised

SECRET = "a shared secret"
AT = "2026-11-22T10:00:00Z"


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def publish_alerts(console: Any, *numbers: int) -> None:
    """Recent ones: what a day ago was news is told to nobody."""
    now = console.run.runtime.clock.now()
    raised = [
        AlertRaised(at=now, alert=f"router/a{n}", title=f"Trouble {n}", detail="why", action="do") for n in numbers
    ]
    await console.publish(*(("router", event) for event in raised))
    await console.eventually("/alerts", lambda a: len(a["items"]) >= len(numbers))


def teller(console: Any, *ways: Any) -> Teller:
    runtime = console.run.runtime
    return Teller(runtime.pool, queries("console"), ways, runtime.log)


async def test_a_webhook_gets_signed_changes_once_and_several_at_once(console: Any, receiver: Receiver) -> None:
    await publish_alerts(console, 1, 2)
    way = ByWebhook(receiver.url, SECRET)
    telling = teller(console, way)

    assert await telling.turn() == 2
    assert await telling.turn() == 0

    ((headers, body),) = receiver.posts
    stamp, _, proof = headers["Waybill-Signature"].removeprefix("t=").partition(",v1=")
    assert proof == hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    told = orjson.loads(body)["alerts"]
    assert [(one["alert"], one["state"], one["action"]) for one in told] == [
        ("router/a1", "raised", "do"),
        ("router/a2", "raised", "do"),
    ]
    await way.aclose()


async def test_a_webhook_that_fails_is_told_later_and_keeps_no_other_way_from_telling(
    console: Any, receiver: Receiver
) -> None:
    await publish_alerts(console, 1)
    receiver.status = 500
    told: list[Any] = []

    class Other:
        name = "other"

        async def tell(self, changes: Any) -> None:
            told.extend(changes)

    way = ByWebhook(receiver.url, None)
    telling = teller(console, way, Other())

    await telling.turn()
    await telling.turn()  # not due yet

    assert (len(receiver.posts), len(told)) == (1, 1)
    row = await console.run.runtime.pool.fetchrow("select * from alert_ways where way = 'webhook'")
    assert (row["failures"], row["last_error"]) == (1, "ValueError: the webhook answered 500")
    receiver.status = 200
    await console.run.runtime.pool.execute("update alert_ways set due_at = now()")
    assert await telling.turn() == 1
    await way.aclose()


async def test_what_is_over_is_told_too(console: Any, receiver: Receiver) -> None:
    await publish_alerts(console, 1)
    cleared = AlertCleared(at=console.run.runtime.clock.now(), alert="router/a1")
    await console.publish(("router", cleared))
    await console.eventually("/alerts", lambda a: a["items"] == [])
    way = ByWebhook(receiver.url, None)

    await teller(console, way).turn()

    states = [one["state"] for one in orjson.loads(receiver.posts[0][1])["alerts"]]
    assert states == ["raised", "cleared"]
    await way.aclose()


async def test_orders_that_are_late_raise_one_alert_which_ends_with_them(console: Any) -> None:
    """LIFE is of the past: what stops in it is late at once."""
    runtime = console.run.runtime
    watching = Deadlines(runtime.pool, queries("console"), runtime.alerts)
    await console.publish(*LIFE[:6])
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"shipped": 1})

    await watching.turn()

    opened = await console.eventually("/alerts", lambda a: len(a["items"]) == 1)
    assert opened["items"][0]["alert"] == "console/deadline/shipped"
    assert "told to the channel within 5 minutes" in opened["items"][0]["title"]
    assert "#1001" in opened["items"][0]["detail"]
    await console.publish(LIFE[6])
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})
    await watching.turn()
    await console.eventually("/alerts", lambda a: a["items"] == [])


def test_a_letter_says_first_what_needs_a_look() -> None:
    over = {"raised": False, "title": "A was away", "detail": "", "action": "", "at": AT}
    open_ = {"raised": True, "title": "B is away", "detail": "since 10:00", "action": "Call B.", "at": AT}

    message = letter([over, open_], "waybill@shop.example", "desk@shop.example")

    assert message["Subject"] == "[Waybill] B is away and 1 more"
    text = message.get_content()
    assert text.index("Next: Call B.") < text.index("Over: A was away")


async def test_a_letter_goes_through_a_mail_server(unused_port: int) -> None:
    heard: list[str] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of SMTP as a plain delivery needs."""
        writer.write(b"220 ready\r\n")
        in_letter = False
        while line := (await reader.readline()).decode():
            heard.append(line.rstrip())
            if in_letter and line != ".\r\n":
                continue
            in_letter = line.upper().startswith("DATA")
            bye = line.upper().startswith("QUIT")
            writer.write(b"354 go on\r\n" if in_letter else b"221 bye\r\n" if bye else b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", unused_port)
    change = {"raised": True, "title": "B is away", "detail": "x", "action": "Call B.", "at": AT}

    await ByEmail(f"smtp://127.0.0.1:{unused_port}", "waybill@shop.example", "desk@shop.example").tell([change])

    server.close()
    assert "rcpt TO:<desk@shop.example>" in [line.replace("RCPT", "rcpt") for line in heard]
    assert "Subject: [Waybill] B is away" in heard


async def test_one_replica_alone_tells(console: Any, receiver: Receiver) -> None:
    await publish_alerts(console, 1)
    way = ByWebhook(receiver.url, None)
    pool = console.run.runtime.pool

    async with transaction(pool) as conn:
        q = queries("console")
        await q.know_way(conn, way="webhook")
    async with transaction(pool) as conn:
        assert await queries("console").claim_way(conn, way="webhook") is not None
        assert await teller(console, way).turn() == 0, "another replica is telling"

    assert await teller(console, way).turn() == 1
    await way.aclose()
