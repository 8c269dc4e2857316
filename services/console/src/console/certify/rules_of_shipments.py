"""The rules about what comes after: giving a request back, shipments, and how answers behave."""

import asyncio
from datetime import datetime
from time import monotonic
from typing import Any

from console.certify.rules import Broken, NotTried, rule
from console.certify.supplier import PATIENCE, TIMEOUT, Supplier


async def _canceled(supplier: Supplier) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what was asked, the request) after the source accepted to give it back."""
    asked = supplier.new_request()
    taken = await supplier.stored(asked)
    answer = (await supplier.cancel(taken["id"], asked["reference"])).must_be("CancelAnswer", 200)
    if answer["result"] != "accepted":
        raise NotTried(f"the source answered {answer['result']}: let it accept for the test")
    return asked, taken


@rule("CAN-1", "asking for a request back is answered 200 with accepted, refused or pending", "answer a CancelAnswer")
async def cancel(supplier: Supplier) -> None:
    taken = await supplier.stored(supplier.new_request())
    (await supplier.cancel(taken["id"], taken["reference"])).must_be("CancelAnswer", 200)


@rule(
    "CAN-2",
    "what was accepted is canceled, is still found, and is accepted again when asked again",
    "keep canceled requests; answer what holds now",
)
async def canceled(supplier: Supplier) -> None:
    asked, taken = await _canceled(supplier)
    found = await supplier.find(asked["reference"])
    if [one["state"] for one in found] != ["canceled"]:
        raise Broken(f"it was accepted, and the request is {[one['state'] for one in found] or 'gone'}")
    again = (await supplier.cancel(taken["id"])).must_be("CancelAnswer", 200)
    if again["result"] != "accepted":
        raise Broken(f"asked again it answered {again['result']}")


@rule(
    "CAN-3",
    "a canceled request that is posted again stays canceled",
    "a reference names one request for ever, a canceled one too: answer 200 with it, and ship nothing",
)
async def canceled_for_good(supplier: Supplier) -> None:
    asked, taken = await _canceled(supplier)
    again = await supplier.stored(asked, 200)
    if (again["id"], again["state"]) != (taken["id"], "canceled"):
        raise Broken(f"it became {again['id']}, {again['state']}")


@rule("CAN-4", "a request that does not exist is answered 404 with a problem", "answer 404 where the id is unknown")
async def cancel_unknown(supplier: Supplier) -> None:
    (await supplier.cancel(f"no-such-{supplier.run}")).must_be_problem(404)


async def _shipments(supplier: Supplier, least: int) -> list[dict[str, Any]]:
    """All that the source lists, once there are so many; what was asked for before is on its way."""
    end = monotonic() + supplier.ship_wait
    while len(found := await supplier.walk(pages=200)) < least:
        if monotonic() > end:
            raise NotTried(f"{least} shipped requests are needed: ship some, or run with a longer --ship-wait")
        await asyncio.sleep(PATIENCE)
    return found


@rule("SHP-1", "shipments are listed by (updated_at, id), oldest change first", "order by updated_at, then id")
async def in_order(supplier: Supplier) -> None:
    await _shipments(supplier, 1)
    found = (await supplier.shipments())["shipments"]
    moments = [(_moment(one["updated_at"]), one["id"]) for one in found]
    if moments != sorted(moments):
        raise Broken("they come in another order")


@rule(
    "SHP-2",
    "the pages of a walk hold each shipment once, and no more than `limit`",
    "page by (updated_at, id), not by offset; `next` is null on the last page",
)
async def pages(supplier: Supplier) -> None:
    newest = (await _shipments(supplier, 2))[-5:]
    since, wanted = newest[0]["updated_at"], {one["id"] for one in newest}
    page = await supplier.shipments(since=since, limit="1")
    if len(page["shipments"]) != 1 or page["next"] is None:
        raise Broken(f"limit=1 gave {len(page['shipments'])} of {len(newest)} shipments, next {page['next']!r}")
    walked = [one["id"] for one in await supplier.walk(since=since, limit="1")]
    if len(walked) != len(set(walked)):
        raise Broken("a shipment came on two pages")
    if missing := wanted - set(walked):
        raise Broken(f"{len(missing)} of {len(wanted)} shipments are on no page")


@rule(
    "SHP-3",
    "`since` is inclusive, and what is older is left out",
    "compare updated_at >= since, as moments (with zone), to the precision that you show",
)
async def since(supplier: Supplier) -> None:
    last = (await _shipments(supplier, 1))[-1]
    given = await supplier.walk(since=last["updated_at"])
    if last["id"] not in {one["id"] for one in given}:
        raise Broken(f"since={last['updated_at']} leaves out the shipment that changed then")
    if older := [one["id"] for one in given if _moment(one["updated_at"]) < _moment(last["updated_at"])]:
        raise Broken(f"since={last['updated_at']} gives older ones: {older[:3]}")


@rule("SHP-4", "a `since` that is no time is answered 400 with a problem", "refuse what you cannot read; guess nothing")
async def since_malformed(supplier: Supplier) -> None:
    (await supplier.call("GET", "/shipments?since=yesterday")).must_be_problem(400)


@rule(
    "SHP-5",
    "shipments name their request's reference and line_refs, hold no more than was asked, and carry a tracking number",
    "copy reference and line_ref from the request; one shipment belongs to one request",
)
async def ours(supplier: Supplier) -> None:
    if not supplier.ship_wait:
        raise NotTried("run with --ship-wait SECONDS at a source that ships test requests by itself or by hand")
    asked = supplier.new_request()
    taken = await supplier.stored(asked)
    mine = await _wait_for_shipments(supplier, taken)
    left = {line["line_ref"]: line["quantity"] for line in asked["lines"]}
    for shipment in mine:
        if not shipment["tracking_numbers"]:
            raise Broken(f"{shipment['id']} has no tracking number: Waybill keeps it until it has one")
        if _moment(shipment["updated_at"]) < _moment(taken["created_at"]):
            raise Broken(f"{shipment['id']} changed before its request was made: Waybill would never see it")
        for line in shipment["lines"]:
            left[line["line_ref"]] = left.get(line["line_ref"], 0) - line["quantity"]
    if wrong := [line_ref for line_ref, pieces in left.items() if pieces < 0]:
        raise Broken(f"more was shipped than asked, or of lines that were not: {wrong}")
    supplier.made.pop(asked["reference"], None)


async def _wait_for_shipments(supplier: Supplier, taken: dict[str, Any]) -> list[dict[str, Any]]:
    end = monotonic() + supplier.ship_wait
    while True:
        found = await supplier.walk(since=taken["created_at"])
        mine = [one for one in found if one["reference"] == taken["reference"] and one["status"] == "shipped"]
        if mine:
            return mine
        if monotonic() > end:
            raise NotTried(f"nothing shipped within {supplier.ship_wait:g} s")
        await asyncio.sleep(PATIENCE)


@rule(
    "SHP-6",
    "a request that has shipped is not given back",
    "answer refused once something of the request has left",
)
async def too_late(supplier: Supplier) -> None:
    if not supplier.ship_wait:
        raise NotTried("run with --ship-wait SECONDS")
    asked = supplier.new_request()
    taken = await supplier.stored(asked)
    await _wait_for_shipments(supplier, taken)
    answer = (await supplier.cancel(taken["id"], asked["reference"])).must_be("CancelAnswer", 200)
    if answer["result"] == "accepted":
        raise Broken("it has shipped, and was given back")
    supplier.made.pop(asked["reference"], None)


@rule(
    "ERR-1",
    "429, and 503 with Retry-After, say that nothing was done",
    "turn calls away before any work; after the work answer 2xx, or 503 without Retry-After",
)
async def nothing_done(supplier: Supplier) -> None:
    if not supplier.turned_away:
        raise NotTried("no request was turned away")
    if stored := [reference for reference, found in supplier.turned_away if found]:
        raise Broken(f"turned away and stored all the same: {', '.join(stored[:3])}")


@rule("TIME-1", f"every call is answered within {TIMEOUT:g} s", "store and answer; do what takes long afterwards")
async def in_time(supplier: Supplier) -> None:
    if supplier.slowest >= TIMEOUT:
        raise Broken(f"the slowest answer took {supplier.slowest:.1f} s")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Broken(f"{text!r} is no RFC 3339 time") from error
    if moment.tzinfo is None:
        raise Broken(f"{text!r} has no zone")
    return moment
