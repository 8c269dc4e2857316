"""OP-1: one box finds an order by its number, an SKU, the customer, an FR's number or a tracking number."""

import unicodedata
from typing import Any

import pytest
from console_samples import CREATED, IMPORTED, LIFE, ORDER, made
from hypothesis import given
from hypothesis import strategies as st

from console.search import LONGEST, beyond, digest, folded, terms_of

BUYER = {**ORDER, "email": "zoe@mail.example", "addresses": [{"name": "Zoë  Müller", "country": "BE"}]}
NAMED = ("order-ingest", made("order.imported", 1, 0, order=BUYER, via="pull"))


@pytest.mark.parametrize(
    ("search", "kind"),
    [
        ("#1001", "number"),
        ("1001", "number"),
        ("gid://shopify/Order/1", "number"),
        ("s-1", "sku"),
        ("ZOE@mail", "customer"),
        ("zoë mü", "customer"),
        ("MÜLLER", "customer"),
        (unicodedata.normalize("NFD", "müller"), "customer"),
        ("e-1001", "fr"),
        ("1z1", "tracking"),
    ],
)
async def test_an_order_is_found_by_what_people_have_in_hand(console: Any, search: str, kind: str) -> None:
    await console.publish(NAMED, *LIFE[1:])
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    (found,) = (await console.get("/orders", search=search))["items"]

    assert found["order_id"] == ORDER["order_id"]
    assert kind in found["matched"].values()
    assert (await console.get("/orders", search=search + "-not"))["items"] == []


async def test_a_search_goes_with_the_filters_and_is_paged_newest_first(console: Any) -> None:
    orders = [
        {**ORDER, "order_id": f"id-{n:03}", "channel_order_id": f"c-{n}", "number": f"#7{n:03}",
         "placed_at": f"2026-11-22T10:00:{n:02}Z", "state": "held" if n % 2 else "imported"}
        for n in range(24)
    ]  # fmt: skip
    await console.publish(
        *(("order-ingest", made("order.imported", 1, 0, order=order, via="pull")) for order in orders)
    )
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 24)

    seen, cursor = [], None
    while True:
        given = {"cursor": cursor} if cursor else {}
        answer = await console.get("/orders", search="s-1", stage="held", limit=5, **given)
        seen += [order["order_id"] for order in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert seen == [f"id-{n:03}" for n in range(23, -1, -2)]


async def test_a_word_that_comes_before_its_order_is_found_all_the_same(console: Any) -> None:
    """Topics are read side by side: the FR may be heard of before the order."""
    await console.publish(CREATED)
    await console.publish(IMPORTED)

    await console.eventually("/orders", lambda a: len(a["items"]) == 1, search="e-1001")


async def test_one_character_is_too_little_to_search_for(console: Any) -> None:
    answer = await console.http.get("/api/v1/orders", params={"search": "#1"})

    assert answer.status_code == 422
    assert "2 characters" in answer.json()["remedy"]


@given(st.text(max_size=300), st.text(max_size=5))
def test_a_folded_text_is_found_by_each_of_its_beginnings(text: str, more: str) -> None:
    term = folded(text)
    assert folded(term) == term or term.startswith("#")
    assert len(term) <= LONGEST
    for length in range(1, len(term) + 1):
        assert term[:length] <= term < beyond(term[:length]) or "\U0010ffff" in term


def test_the_same_terms_have_the_same_digest_in_any_order() -> None:
    terms = terms_of(BUYER, [{"number": "E-1"}], [{"tracking_numbers": ["1Z1"]}])
    assert digest(dict(reversed(terms.items()))) == digest(terms)
    assert digest(terms | {"more": "sku"}) != digest(terms)
