"""What of an order waits for a person, cause by cause (OP-5). Pure.

A cause is (kind, code, at, value): what went wrong, as whoever met it names it, where, and about which unknown name.
What one order has of one cause is one trouble, however many lines, FRs or shipments it concerns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

Row = Mapping[str, Any]
_CLOSED = ("CANCELED", "VOIDED")
_SHIPMENTS = ("sync_failed", "refused", "conflicted")


class Trouble(NamedTuple):
    """One order's part in one cause."""

    kind: str
    """held, unroutable, fr_failed, fr_outcome_unknown, shipment_sync_failed, shipment_refused, shipment_conflicted"""
    code: str
    at: str
    """the channel or source; empty where it is neither's"""
    value: str | None
    action: str
    message: str
    number: str
    """the order's, of FRs theirs"""
    since: datetime
    things: tuple[str, ...] = ()
    """the FRs or shipments, the one that waits longest first"""


class Unrouted(NamedTuple):
    """Why the router found no plan, or none for all of it."""

    reason: str
    since: datetime
    lacks: Sequence[Row] = ()
    """What is wanting: code, source, sku, fix."""


def troubles_of(
    order: Row, stage: str, since: datetime, unrouted: Unrouted | None, requests: Iterable[Row],
    shipments: Iterable[Row],
) -> list[Trouble]:  # fmt: skip
    """`order` is a snapshot of our copy, at `stage` since then; `unrouted`: what the router found wanting."""
    found: dict[tuple[str, str, str, str | None], Trouble] = {}
    for one in _single(order, stage, since, unrouted, requests, shipments):
        known = found.get(one[:4])
        found[one[:4]] = one if known is None else _both(known, one)
    return sorted(found.values(), key=lambda one: (one.since, one.kind, one.code, one.at, one.value or ""))


def _both(one: Trouble, other: Trouble) -> Trouble:
    """The older one's words, both one's things."""
    first, second = sorted((one, other), key=lambda t: (t.since, t.things))
    return first._replace(things=first.things + second.things)


def _single(
    order: Row, stage: str, since: datetime, unrouted: Unrouted | None, requests: Iterable[Row],
    shipments: Iterable[Row],
) -> Iterator[Trouble]:  # fmt: skip
    if stage == "held":
        yield from _held(order, since)
    if unrouted is not None:
        yield from _unrouted(order, unrouted)
    for request in requests:
        unknown = request["outcome"] == "unknown"
        if request["state"] == "FAILED" or (unknown and request["state"] not in _CLOSED):
            kind = "fr_outcome_unknown" if unknown else "fr_failed"
            yield _of_reason(kind, request, request["state"].lower(), request["source"], request["number"], "fr_id")
    for shipment in shipments:
        if shipment["status"] in _SHIPMENTS:
            at = order["channel"] if shipment["status"] == "sync_failed" else shipment["source"]
            kind = f"shipment_{shipment['status']}"
            yield _of_reason(kind, shipment, shipment["status"], at, order["number"], "shipment_id")


def _unrouted(order: Row, unrouted: Unrouted) -> Iterator[Trouble]:
    """What is wanting, each cause with its own advice; the reason alone where nothing is (a person's word, say)."""
    for lack in unrouted.lacks or [{"code": unrouted.reason}]:
        at, value = lack.get("source") or "", lack.get("sku")
        yield Trouble("unroutable", lack["code"], at, value, lack.get("fix") or "", "", order["number"], unrouted.since)


def _held(order: Row, since: datetime) -> Iterator[Trouble]:
    holds: Sequence[Row] = order["holds"]
    for hold in holds:
        fix = hold.get("fix") or ""
        yield Trouble("held", hold["reason"], order["channel"], hold.get("value"), fix, "", order["number"], since)


def _of_reason(kind: str, row: Row, code: str, at: str, number: str, name: str) -> Trouble:
    """Of an FR or a shipment, in the words of the reason that it was told with."""
    reason = row["reason"] or {}
    unmapped = row["carrier"] if reason.get("code") == "COURIER_NOT_MAPPED" and "carrier" in row else None
    said = reason.get("action") or "", reason.get("message") or ""
    return Trouble(kind, reason.get("code") or code, at, unmapped, *said, number, row["updated_at"], (row[name],))
