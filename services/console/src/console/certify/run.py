"""Tries every rule at a source, one after the other, and gives back what was asked for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from console.certify import rules_of_requests, rules_of_shipments
from console.certify.rules import CHECKS, SOURCES, Broken, NotTried, Verdict
from console.certify.supplier import Supplier

BOOKS = (rules_of_requests, rules_of_shipments)
"""Their rules are registered by their import, and tried in this order."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to certify. `sku` may be asked for; with `ship_wait` shipments are waited for so many seconds."""

    url: str
    token: str | None = None
    sku: str = "CERTIFY-1"
    ship_wait: float = 0.0
    only: frozenset[str] = frozenset()
    """Ids of rules to try; empty means all."""


async def certify(wish: Wish) -> AsyncIterator[Verdict]:
    """One verdict a rule, in their order. At the end the test's requests are canceled, as far as the source lets it.

    Raises Unreachable, before anything else, when nobody answers at the address.
    """
    async with httpx.AsyncClient(follow_redirects=False) as http:
        supplier = Supplier(wish.url.rstrip("/"), wish.token or None, wish.sku, http, wish.ship_wait)
        await supplier.reach()
        try:
            for rule_id in CHECKS:
                if wish.only and rule_id not in wish.only:
                    continue
                yield await SOURCES.tried(rule_id, supplier)
        finally:
            await _give_back(supplier)


async def _give_back(supplier: Supplier) -> None:
    for reference, request in supplier.made.items():
        try:
            await supplier.cancel(str(request.get("id")), reference)
        except (Broken, NotTried):
            continue  # said by the rules already; the supplier's test system keeps it
