"""OP-16, the kernel's part: whatever a schema keeps about a subject is found, however it is spelled, and stays away."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from waybill_common import dead_letters, outbox
from waybill_common.consuming import Record
from waybill_common.db import Pool, transaction
from waybill_common.dead_letters import Letter
from waybill_common.erasing import ERASED, Eraser, Subject
from waybill_common.outbox import Message
from waybill_contracts.personal import marks_of, without_person, words_of

MINE = "01900000-0000-7000-8000-000000000001"
OTHER = "01900000-0000-7000-8000-000000000002"
ADDRESS = {
    "name": 'Zoë "Zo" O\'Brien', "company": "", "line1": "Hauptstraße 5\\b", "line2": "", "city": "Köln",
    "region": "NW", "postal_code": "50667", "country": "DE", "phone": "+49 221 555 0100", "email": "zoe.o@example.com",
}  # fmt: skip
ORDER = {"order_id": MINE, "number": "#1001", "email": "Zoe.O@example.com", "note": "ring twice",
         "addresses": [ADDRESS], "lines": [{"sku": "SKU-1", "title": "A lamp", "quantity": 2}],
         "total": "12.50"}  # fmt: skip
SUBJECT = Subject([MINE], sorted(words_of(ORDER)), [*marks_of(ORDER), ["zoe.o@example.com"]])
EXCHANGE = {"exchange_id": "x", "order_ids": [], "url": "https://shop.example/orders?email=zoe.o%40example.com",
            "request_body": "", "response_body": json.dumps({"orders": [{"billing": ADDRESS}]}), "error": "",
            "status": 200}  # fmt: skip


def fact(number: int, key: str, document: Any, topic: str = "orders.imported", about: tuple[str, ...] = ()) -> Message:
    return Message(f"id-{number}", topic, key, {"ce_id": f"id-{number}"}, orjson.dumps(document), None, about)


async def tell(pool: Pool, *messages: Message) -> None:
    async with transaction(pool) as conn:
        await outbox.append(conn, messages)


async def told(pool: Pool) -> list[Any]:
    return [orjson.loads(row["value"]) for row in await pool.fetch("select value from facts order by position")]


def names_nobody(documents: object) -> bool:
    text = json.dumps(documents, ensure_ascii=False).lower()
    return not any(word in text for word in ("zoe", "zoë", "hauptstraße", "hauptstra\\u00dfe", "0100", "ring twice"))


@pytest.fixture
def eraser(pool: Pool) -> Eraser:
    return Eraser(pool, without_person)


async def test_ids_numbers_lines_and_amounts_stay_and_the_person_goes(pool: Pool, eraser: Eraser) -> None:
    await tell(pool, fact(1, MINE, ORDER))

    changed = await eraser.erase(SUBJECT)

    assert changed == {"facts": 1}
    (after,) = await told(pool)
    assert names_nobody(after)
    same = ("order_id", "number", "lines", "total")
    assert {name: after[name] for name in same} == {name: ORDER[name] for name in same}
    assert (after["addresses"][0]["country"], after["addresses"][0]["region"]) == ("DE", "NW")
    assert await eraser.erase(SUBJECT) == {}, "erasing twice changes nothing"


async def test_an_exchange_that_holds_the_person_loses_its_bodies_whatever_they_say(pool: Pool, eraser: Eraser) -> None:
    """The shop's words hold more than ours: a billing address, say."""
    await tell(pool, fact(1, "acme-shop", EXCHANGE, "exchanges.recorded"))

    await eraser.erase(SUBJECT)

    (after,) = await told(pool)
    assert after == EXCHANGE | {"url": f"https://shop.example/orders?{ERASED}", "response_body": ERASED}


async def test_another_order_of_the_same_person_is_left_alone(pool: Pool, eraser: Eraser) -> None:
    """It may be under way, and needs its address."""
    other = ORDER | {"order_id": OTHER}
    await tell(pool, fact(1, OTHER, other))

    assert await eraser.erase(SUBJECT) == {}

    assert await told(pool) == [other]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 'to Zoë "Zo" O\'Brien, please'),
        ("jsonb", {"order": ORDER, "said": "asked by zoe.o@example.com"}),
        ("json", [{"deep": {"text": "ZOE.O@EXAMPLE.COM"}}]),
        ("text[]", ["#1001", "zoe.o@example.com"]),
        ("bytea", orjson.dumps(ORDER)),
        ("bytea", b"\xff\x00 no JSON: zoe.o@example.com"),
    ],
)
async def test_any_column_of_a_table_that_nobody_named_is_looked_through(
    pool: Pool, eraser: Eraser, kind: str, value: Any
) -> None:
    await pool.execute(f"create table added_later (order_id text, kept {kind}, number int)")
    await pool.execute("insert into added_later values ($1, $2, 7), ($3, $2, 8)", MINE, value, OTHER)

    assert await eraser.erase(SUBJECT) == {"added_later": 1}

    mine, other = await pool.fetch("select kept, number from added_later order by number")
    shown = mine["kept"].decode("utf-8", "replace") if isinstance(mine["kept"], bytes) else mine["kept"]
    assert names_nobody(shown)
    assert other["kept"] == value


async def test_a_table_without_orders_is_searched_by_what_it_holds(pool: Pool, eraser: Eraser) -> None:
    await pool.execute("create table notices (id int primary key, words text)")
    await pool.execute(
        "insert into notices values (1, 'mail to Zoe.O@example.com failed'), (2, 'mail to joe@example.com failed'), "
        "(3, 'Zoë \"Zo\" O''Brien lives elsewhere too')"
    )

    await eraser.erase(SUBJECT)

    words = [row["words"] for row in await pool.fetch("select words from notices order by id")]
    assert words[0] == f"mail to {ERASED} failed"
    assert words[1:] == ["mail to joe@example.com failed", 'Zoë "Zo" O\'Brien lives elsewhere too']


@pytest.mark.parametrize("found_by", ["id", "e-mail", "name and street"])
async def test_answers_that_are_kept_for_who_asks_again_lose_the_person_too(
    pool: Pool, eraser: Eraser, found_by: str
) -> None:
    """As commands keep them, as JSON; and as `Idempotency-Key` does, as the text that was sent: a note stands in no
    list of words, and a city alone names nobody, so both go by the shape of what is in the text."""
    said = {
        "id": {"order_id": MINE, "note": ORDER["note"]},
        "e-mail": {"order": {"email": ORDER["email"], "note": ORDER["note"], "addresses": [ADDRESS]}},
        "name and street": {"ship_to": ADDRESS | {"email": "", "phone": ""}, "note": ORDER["note"]},
    }[found_by]
    other = {"ship_to": ADDRESS | {"name": "Joe", "line1": "Elsewhere 1", "email": "", "phone": ""}}
    await pool.execute("create table kept_answers (route text, key text, answer jsonb, primary key (route, key))")
    for number, content in enumerate((said, other)):
        text = {"type": "application/json", "body": orjson.dumps({"items": [content]}).decode()}
        ascii_only = {"type": "application/json", "body": json.dumps({"items": [content]})}
        await pool.execute("insert into commands_taken (command_id, answer) values ($1, $2)", f"c{number}", content)
        await pool.execute("insert into kept_answers values ('/frs', $1, $2)", f"k{number}", text)
        await pool.execute("insert into kept_answers values ('/frs', $1, $2)", f"a{number}", ascii_only)

    assert await eraser.erase(SUBJECT) == {"commands_taken": 1, "kept_answers": 2}

    kept = {row["key"]: orjson.loads(row["answer"]["body"]) for row in await pool.fetch("select * from kept_answers")}
    commands = {row["command_id"]: row["answer"] for row in await pool.fetch("select * from commands_taken")}
    theirs = [commands["c0"], kept["k0"], kept["a0"]]
    assert names_nobody(theirs)
    assert "Köln" not in str(theirs)
    assert (commands["c1"], kept["k1"], kept["a1"]) == (other, {"items": [other]}, {"items": [other]})
    assert await eraser.erase(SUBJECT) == {}


async def test_a_record_in_flight_is_redacted_before_it_is_handled(pool: Pool, eraser: Eraser) -> None:
    await eraser.erase(SUBJECT)
    late = [Record("t", 0, n, key.encode(), orjson.dumps(ORDER), {}, 0) for n, key in enumerate((MINE, OTHER))]

    mine, other = await eraser.without_erased(pool, late)

    assert names_nobody(orjson.loads(mine.value or b""))
    assert other == late[1]


async def test_what_is_told_later_about_the_erased_is_redacted_by_the_next_turn(pool: Pool, eraser: Eraser) -> None:
    await eraser.erase(SUBJECT)
    page = fact(2, "acme-shop", EXCHANGE, "exchanges.recorded", about=(OTHER, MINE))
    await tell(pool, fact(1, MINE, ORDER), page, fact(3, OTHER, ORDER | {"order_id": OTHER}))

    assert await eraser.again() == 2
    assert await eraser.again() == 0

    mine, exchange, other = await told(pool)
    assert names_nobody([mine, exchange])
    assert other["email"] == ORDER["email"]


@pytest.mark.parametrize(
    ("document", "closed"),
    [
        (ORDER | {"order_id": None}, True),
        (ORDER | {"order_id": None, "email": "", "addresses": [ADDRESS | {"email": "", "phone": ""}]}, False),
    ],
)
async def test_a_dead_letter_is_theirs_by_key_or_email_and_is_closed_then(
    pool: Pool, eraser: Eraser, document: Any, closed: bool
) -> None:
    """By name and street alone it may be another order of theirs, which a person may still replay."""
    raw = Record("orders.inbound", 0, 1, b"1001", orjson.dumps(document), {}, 0)
    async with transaction(pool) as conn:
        await dead_letters.save(conn, [Letter(raw, "unreadable: zoe.o@example.com" if closed else "unreadable")])

    await eraser.erase(SUBJECT)

    (letter,) = await dead_letters.listing(pool, state=None)
    assert (letter["state"], letter["resolved_reason"]) == (
        ("discarded", "the data of its person was erased") if closed else ("open", None)
    )
    assert names_nobody([letter["value"].decode(), letter["reason"]]) is closed


def test_words_are_replaced_whole_and_never_inside_others(log: Callable[..., Any]) -> None:
    subject = Subject([], ["Ann Lee"])
    assert subject.pattern is not None
    assert subject.pattern.sub(ERASED, "Ann Lee, ANN LEE; Joann Lee and Ann Leeds") == (
        f"{ERASED}, {ERASED}; Joann Lee and Ann Leeds"
    )
