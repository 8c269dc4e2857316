"""The rules about requests: stored once under a reference, found at once, refused with a reason."""

import asyncio

from console.certify.rules import Broken, NotTried, rule
from console.certify.supplier import Supplier

AT_ONCE = 8
"""Posts of one request at the same moment."""


@rule(
    "AUTH-1", "a missing or wrong token is answered 401 with a problem", "check the bearer token before anything else"
)
async def auth(supplier: Supplier) -> None:
    if not supplier.token:
        raise NotTried("no token was given: the source trusts the network")
    for token in ("", supplier.token + "x"):
        (await supplier.call("GET", "/shipments", token=token)).must_be_problem(401)


@rule(
    "REQ-1", "a new request is stored and answered 201 with a Request", "answer POST /requests with the stored request"
)
async def new_request(supplier: Supplier) -> None:
    try:
        await supplier.stored(supplier.new_request(), 201)
    except NotTried as refused:  # without this nothing else can be said
        raise Broken(str(refused)) from refused


@rule(
    "REQ-2",
    "the answer repeats reference and lines as asked, a SKU on two lines told apart by line_ref",
    "keep the lines one by one under their line_ref; never merge those of one SKU",
)
async def lines_as_asked(supplier: Supplier) -> None:
    asked = supplier.new_request()
    taken = await supplier.stored(asked)
    if taken["reference"] != asked["reference"]:
        raise Broken(f"asked under {asked['reference']!r}, answered about {taken['reference']!r}")
    want = sorted((line["line_ref"], line["sku"], line["quantity"]) for line in asked["lines"])
    have = sorted((line["line_ref"], line["sku"], line["quantity"]) for line in taken["lines"])
    if want != have:
        raise Broken(f"asked for {want}, the request has {have}")


@rule(
    "REQ-3",
    "the same reference and content again is answered 200 with the same request, and changes nothing",
    "look the reference up first; answer what is there, and store and ship nothing",
)
async def sent_again(supplier: Supplier) -> None:
    asked = supplier.new_request()
    first = await supplier.stored(asked)
    again = await supplier.stored(asked, 200)
    if (first["id"], first["lines"]) != (again["id"], again["lines"]):
        raise Broken(f"first it was {first['id']}, then {again['id']} with {again['lines']}")


@rule(
    "REQ-4",
    "lines in another order are the same content",
    "compare the lines as a set of (line_ref, sku, quantity)",
)
async def other_order_of_lines(supplier: Supplier) -> None:
    asked = supplier.new_request()
    first = await supplier.stored(asked)
    again = await supplier.stored(asked | {"lines": list(reversed(asked["lines"]))}, 200)
    if first["id"] != again["id"]:
        raise Broken(f"{first['id']} became {again['id']}")


@rule(
    "REQ-5",
    "the same reference with other lines, address or shipping method is answered 409 reference_conflict",
    "keep the content with the reference, compare it, and leave the stored request as it is",
)
async def conflict(supplier: Supplier) -> None:
    asked = supplier.new_request()
    first = await supplier.stored(asked)
    others = (
        {"lines": [asked["lines"][0] | {"quantity": 3}, asked["lines"][1]]},
        {"lines": asked["lines"][:1]},
        {"ship_to": asked["ship_to"] | {"line1": "7 Low Road"}},
        {"shipping_method": "Other Express"},
    )
    for change in others:
        answer = await supplier.call("POST", "/requests", asked | change)
        if answer.status != 409:
            raise Broken(f"with other {next(iter(change))} it answered {answer}")
        answer.must_be_problem(409, "reference_conflict")
    if [one["lines"] for one in await supplier.find(asked["reference"])] != [first["lines"]]:
        raise Broken("a post that was answered 409 changed the stored request")


@rule(
    "REQ-6",
    f"{AT_ONCE} posts of one request at the same moment end as one request",
    "put a unique index on the reference; let the database decide, and answer the others with what it kept",
)
async def at_the_same_moment(supplier: Supplier) -> None:
    asked = supplier.new_request()
    answers = await asyncio.gather(*(supplier.submit(asked) for _ in range(AT_ONCE)))
    if answers[0].status == 422:
        await supplier.stored(asked)
    taken = [answer.must_be("Request", 200, 201) for answer in answers]
    ids = {one["id"] for one in taken}
    if len(ids) != 1 or sum(answer.status == 201 for answer in answers) != 1:
        statuses = sorted(answer.status for answer in answers)
        raise Broken(f"{len(ids)} requests came of it; the answers were {statuses} (one 201 is right)")


@rule(
    "REQ-7",
    "references and texts may hold any characters; references are compared case-sensitively",
    "store text as UTF-8, decode the query once, and use a case-sensitive collation",
)
async def any_characters(supplier: Supplier) -> None:
    name = f"CERTIFY-{supplier.run} ü & 1/2=#?+%20 注"
    first = await supplier.stored(supplier.new_request(reference=name))
    found = await supplier.find(name)
    if [one["id"] for one in found] != [first["id"]]:
        raise Broken(f"{name!r} was stored and is not found under its reference")
    if await supplier.find(name.lower()):
        raise Broken("a reference was found under another case")


@rule("REQ-8", "fields that are not known are ignored", "read the fields you know; refuse nothing for what is new")
async def unknown_fields(supplier: Supplier) -> None:
    asked = supplier.new_request(gift_note="Happy birthday")
    asked["lines"][0]["colour"] = "red"
    await supplier.stored(asked)


@rule(
    "REQ-9",
    "a malformed call is answered 400 with a problem, and stores nothing",
    "check the body against NewRequest before anything is stored; name the field in the detail",
)
async def malformed(supplier: Supplier) -> None:
    whole = supplier.new_request()
    line = whole["lines"][0]
    wrong = {
        "no JSON": b"{",
        "no lines": supplier.new_request(lines=[]),
        "a quantity of 0": supplier.new_request(lines=[line | {"quantity": 0}]),
        "no line_ref": supplier.new_request(lines=[{"sku": supplier.sku, "quantity": 1}]),
        "no country": supplier.new_request(ship_to={"name": "Zoë"}),
        "no reference": {name: value for name, value in whole.items() if name != "reference"},
    }
    for what, body in wrong.items():
        raw = body if isinstance(body, bytes) else None
        answer = await supplier.call("POST", "/requests", None if raw else body, raw=raw)
        if answer.status != 400:
            raise Broken(f"with {what} it answered {answer}")
        answer.must_be_problem(400)
        if isinstance(body, dict) and "reference" in body and await supplier.find(body["reference"]):
            raise Broken(f"with {what} it answered 400 and stored the request")


@rule(
    "REQ-10",
    "a SKU that is not sold is answered 422 unknown_sku",
    "refuse with 422 and the code unknown_sku; a 5xx would be sent again, a 2xx would be waited for",
)
async def unknown_sku(supplier: Supplier) -> None:
    asked = supplier.new_request()
    asked["lines"][0]["sku"] = f"NO-SUCH-{supplier.run}"
    answer = await supplier.submit(asked)
    if answer.status in (200, 201):
        raise NotTried("the source takes any SKU")
    answer.must_be_problem(422, "unknown_sku")


@rule(
    "REQ-11",
    "a reference of 255 characters is taken, or refused with 422 number_too_long",
    "make the column at least 255 characters wide; never cut a reference",
)
async def long_reference(supplier: Supplier) -> None:
    name = f"CERTIFY-{supplier.run}-".ljust(255, "9")
    asked = supplier.new_request(reference=name)
    answer = await supplier.submit(asked)
    if answer.status == 422 and isinstance(answer.body, dict) and answer.body.get("code") == "number_too_long":
        return
    taken = await supplier.stored(asked)
    if taken["reference"] != name or not await supplier.find(name):
        raise Broken("a reference of 255 characters was stored as another one")


@rule(
    "FIND-1",
    "what was answered 2xx is found by its reference at once",
    "commit before you answer, and read from where you write (no replica, no search index)",
)
async def read_your_writes(supplier: Supplier) -> None:
    for _ in range(5):
        asked = supplier.new_request()
        taken = await supplier.stored(asked)
        if [one["id"] for one in await supplier.find(asked["reference"])] != [taken["id"]]:
            raise Broken(f"{asked['reference']} was answered and is not found")


@rule("FIND-2", "a reference that is not known gives 200 and an empty list", "answer {requests: []}, not 404")
async def not_found(supplier: Supplier) -> None:
    if await supplier.find(f"CERTIFY-{supplier.run}-never-sent"):
        raise Broken("a reference that was never sent is found")
