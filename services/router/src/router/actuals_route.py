"""`/internal/routing/actuals`: take what sources charged, and report it against the estimates (RT-16)."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from router.actuals import Charge, Regret, charge_of, sums, true_rulebook
from router.rulebooks import Rulebooks
from waybill_common.db import Connection, Pool, Queries, rows, transaction
from waybill_contracts.values import Currency

PAGE = 500


class ChargeRow(BaseModel):
    """What a source charged for one FR, all in all."""

    source: str
    number: str = Field(description="the FR's number, as the source knows it")
    total: Decimal = Field(ge=0, max_digits=18, decimal_places=6)
    currency: Currency


class Charges(BaseModel):
    batch: str = Field(
        min_length=1, max_length=200, description="the file that they come with: reports are asked by it"
    )
    actor: str
    charges: list[ChargeRow] = Field(min_length=1, max_length=5000)


def add_actuals(router: APIRouter, pool: Pool, q: Queries, books: Rulebooks) -> None:
    @router.post("/routing/actuals")
    async def take(body: Charges) -> dict[str, Any]:
        """Stores them; those of FRs that nobody has heard of are given back."""
        async with transaction(pool) as conn:
            return await take_charges(conn, q, body)

    @router.get("/routing/actuals")
    async def report(
        batch: str | None = None,
        since: Annotated[AwareDatetime | None, Query()] = None,
        until: Annotated[AwareDatetime | None, Query()] = None,
    ) -> dict[str, Any]:
        """By source and by rule, and what the cheapest plans would have been with true prices."""
        window = {
            "since": since or datetime(1970, 1, 1, tzinfo=UTC),
            "until": until or datetime(9999, 1, 1, tzinfo=UTC),
        }
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            return await make_report(conn, q, books, {"batch": batch, **window})


async def take_charges(conn: Connection, q: Queries, body: Charges) -> dict[str, Any]:
    """How many were taken, and which name no FR."""
    told = {(charge.source, charge.number): charge for charge in body.charges}
    named = {"sources": [source for source, _ in told], "numbers": [number for _, number in told]}
    known = {(row["source"], row["number"]): row["fr_id"] for row in await rows(q.frs_by_number(conn, **named))}
    if known:
        await q.take_charges(
            conn,
            fr_ids=list(known.values()),
            batch=body.batch,
            currencies=[told[key].currency for key in known],
            totals=[told[key].total for key in known],
            actor=body.actor,
        )
    unknown = [{"source": source, "number": number} for source, number in told if (source, number) not in known]
    return {"batch": body.batch, "taken": len(known), "unknown": unknown}


async def make_report(conn: Connection, q: Queries, books: Rulebooks, which: Mapping[str, Any]) -> dict[str, Any]:
    """Reads by pages; planning is done off the event loop."""
    charges, skipped = await _charges(conn, q, which)
    by_source = sums(charges, "source")
    regret = Regret()
    surcharges = {key: line.each for key, line in by_source.items()}
    by_decision: dict[str, list[Charge]] = {}
    for charge in charges:
        by_decision.setdefault(charge.decision_id, []).append(charge)
    ids = sorted(by_decision)
    for at in range(0, len(ids), PAGE):
        page = await rows(q.decisions_by_id(conn, decision_ids=ids[at : at + PAGE]))
        known = {revision: await books.at(conn, revision) for revision in {row["config_revision"] for row in page}}
        true = {revision: true_rulebook(book, surcharges) for revision, book in known.items() if book is not None}
        for row in page:
            then, found = known[row["config_revision"]], by_decision[row["decision_id"]]
            why = _not_planned(row, found) if then is not None else "its rules are not kept"
            if why or then is None:
                skipped[why] = skipped.get(why, 0) + 1
            else:
                await asyncio.to_thread(regret.add, row, found, then, true[row["config_revision"]])
    return {
        "frs": len(charges),
        "by_source": [line.told(name, currency) for (name, currency), line in by_source.items()],
        "by_rule": [line.told(name, currency) for (name, currency), line in sums(charges, "rule").items()],
        "cheapest": regret.told(),
        "not_compared": skipped,
    }


async def _charges(conn: Connection, q: Queries, which: Mapping[str, Any]) -> tuple[list[Charge], dict[str, int]]:
    charges: list[Charge] = []
    skipped: dict[str, int] = {}
    after = ""
    while page := await rows(q.charged_frs(conn, **which, after=after, most=PAGE)):
        after = page[-1]["fr_id"]
        ids = list({row["decision_id"] for row in page})
        decisions = {row["decision_id"]: row for row in await rows(q.decisions_by_id(conn, decision_ids=ids))}
        for row in page:
            charge = charge_of(row, decisions.get(row["decision_id"]))
            if isinstance(charge, Charge):
                charges.append(charge)
            else:
                skipped[charge] = skipped.get(charge, 0) + 1
    return charges, skipped


def _not_planned(row: Mapping[str, Any], charges: list[Charge]) -> str:
    """Why a decision is not planned again; empty = it is."""
    decision = row["event"]["decision"]
    if decision.get("by_hand") and not decision["group"]:
        return "made by hand"
    if "number" not in row["inputs"]:
        return "recorded before all of its inputs were kept"
    if len(decision["chosen"]["requests"]) > len(charges):
        return "not all of its FRs are charged"
    return ""
