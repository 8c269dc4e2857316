"""`python -m router.plan --config C.yaml --orders O.jsonl [--sequential]`: plans from files alone, without a server.

Prints one decision a line (DESIGN section 7). Totals are rounded half-even to the cent, each FR's cost is exact;
amounts are text. With `--sequential` earlier orders use the stock up. Exit code 2 and one line for each error when a
file is not as it should be; nothing is planned then.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from router.plan_files import FileRefused, OrderRow, read_configuration, read_orders
from router.routing.draft import Draft
from router.routing.plan import Answer, Rulebook, plan_order, take_off
from router.routing.task import Offer, Site, money, nano, printed
from router.words import lack_words
from waybill_contracts.configuration import Configuration


def rulebook_of(configuration: Configuration) -> Rulebook:
    """The configuration prepared for planning, as version 0."""
    return Rulebook(0, configuration.routing, {source.id: Site(source) for source in configuration.sources})


def stock_of(configuration: Configuration) -> dict[tuple[str, str], Offer]:
    """The file's stock, less each source's safety stock."""
    sources = {source.id: source for source in configuration.sources}
    stock = {}
    for level in configuration.stock:
        source = sources[level.source]
        free = max(level.on_hand - source.stock.safety, 0) if source.stock.from_ != "untracked" else None
        cost = None if level.unit_cost is None else nano(level.unit_cost)
        stock[(level.source, level.sku)] = Offer(free, cost, level.weight_g)
    return stock


def plan_all(
    configuration: Configuration, orders: Iterable[OrderRow], *, sequential: bool = False
) -> Iterator[dict[str, Any]]:
    """One decision for each order, in their order."""
    book, stock = rulebook_of(configuration), stock_of(configuration)
    for order in orders:
        answer = plan_order(order.task(), book, stock)
        if sequential and answer.draft is not None:
            take_off(stock, answer)
        yield decision_of(order.number, answer)


def decision_of(number: str, answer: Answer) -> dict[str, Any]:
    """The line that is printed. An order without lines costs nothing; one without a plan has no cost."""
    draft, bound = answer.draft, answer.lower_bound
    if draft is None and not answer.lacks:
        draft, bound = Draft([]), 0
    used = set(draft.sources) if draft else set()
    return {
        "number": number,
        "group": answer.group.id if answer.group else None,
        "currency": answer.currency,
        "cost": printed(draft.cost) if draft else None,
        "lower_bound": None if bound is None else printed(bound),
        "gap": printed(draft.cost - bound) if draft and bound is not None else None,
        "unfulfilled": [
            {
                "line": lack.line_id,
                "sku": lack.sku,
                "quantity": lack.quantity,
                "reason": lack.reason,
                "detail": lack.detail,
                "fix": lack_words(lack)[1],
            }
            for lack in answer.lacks
        ],
        "frs": _frs(draft) if draft else [],
        "runner_up": _runner_up(answer.runner_up),
        "excluded": [
            {"source": b.source, "reason": b.reason, "detail": b.detail}
            for b in answer.excluded
            if b.source not in used
        ],
    }


def _runner_up(draft: Draft | None) -> dict[str, Any] | None:
    if draft is None:
        return None
    return {"cost": printed(draft.cost), "sources": draft.sources, "frs": _frs(draft)}


def _frs(draft: Draft) -> list[dict[str, Any]]:
    return [
        {
            "source": request.source,
            "cost": str(money(request.cost)),
            "lines": [{"line": demand.line_id, "quantity": units} for demand, units in request.lines],
        }
        for request in draft.requests
    ]


def main(arguments: list[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="router.plan", description="Plans orders against a configuration file.")
    parser.add_argument("--config", type=Path, required=True, help="a configuration file with sources, routing, stock")
    parser.add_argument("--orders", type=Path, required=True, help="{number, country, lines: [{line, sku, quantity}]}")
    parser.add_argument("--sequential", action="store_true", help="earlier orders use the stock up")
    given = parser.parse_args(arguments)
    try:
        configuration = read_configuration(given.config)
        orders = read_orders(given.orders)
    except FileRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    sys.stderr.writelines(f"warning: {where}: {what}\n" for where, what in configuration.warnings())
    for decision in plan_all(configuration, orders, sequential=given.sequential):
        sys.stdout.write(json.dumps(decision, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
