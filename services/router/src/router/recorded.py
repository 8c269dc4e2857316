"""What is kept of a decision: the very problem that was solved, and what was done stage by stage (RT-12). Pure.

The problem can be read back and planned again, by other rules too: it holds what is known of the SKUs at every source.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from router.routing.plan import Rulebook
from router.routing.task import Demand, Offer, Stock, Task, money, nano
from router.verdict import Verdict
from waybill_contracts.values import FulfillmentRequest


def inputs_of(verdict: Verdict) -> dict[str, Any]:
    """Empty where nothing was planned. `stock`: source, SKU, free beyond the safety stock, cost, grams."""
    task = verdict.task
    if task is None or verdict.plan is None:
        return {}
    return {
        "number": task.number,
        "channel": task.channel,
        "tags": task.tags,
        "value": None if task.value is None else str(task.value),
        "shipping_method": task.shipping_method,
        "refused": sorted(task.refused),
        "countries": task.countries,
        "demands": [[d.line_id, d.sku, d.quantity, d.address] for d in task.demands],
        "stock": [
            [
                source,
                sku,
                offer.available,
                None if offer.unit_cost is None else str(money(offer.unit_cost)),
                offer.weight_g,
            ]
            for (source, sku), offer in verdict.seen.items()
        ],
    }


def task_of(inputs: Mapping[str, Any], order_id: str) -> Task:
    """The task of stored inputs. KeyError where they were stored before all of it was kept."""
    return Task(
        number=inputs["number"],
        order_id=order_id,
        channel=inputs["channel"],
        tags=tuple(inputs["tags"]),
        value=None if inputs["value"] is None else Decimal(inputs["value"]),
        shipping_method=inputs["shipping_method"],
        refused=frozenset((source, sku) for source, sku in inputs["refused"]),
        countries=tuple(inputs["countries"]),
        demands=tuple(Demand(*demand) for demand in inputs["demands"]),
    )


def stock_of(inputs: Mapping[str, Any], then: Rulebook, now: Rulebook) -> Stock:
    """The stored stock as `now` sees it: another safety stock leaves another part of the same units free."""
    stock: dict[tuple[str, str], Offer] = {}
    for source, sku, available, unit_cost, weight in inputs["stock"]:
        site = now.sites.get(source)
        if site is None:
            continue
        free: int | None = None
        if site.tracked:  # of a source that was untracked then nothing was known: it has nothing
            before = then.sites.get(source)
            free = (available or 0) + (before.source.stock.safety if before else 0) - site.source.stock.safety
            free = 0 if available is None else free
        cost = None if unit_cost is None else nano(Decimal(unit_cost))
        stock[(source, sku)] = Offer(free, cost, weight)
    return stock


def stages_of(verdict: Verdict, book: Rulebook, frs: Sequence[FulfillmentRequest]) -> list[dict[str, Any]]:
    """What was done, in order, with what went into it."""
    answer = verdict.plan
    stages: list[dict[str, Any]] = []
    if answer is not None:
        draft = answer.draft
        stages.append(
            {
                "stage": "routed",
                "group": answer.group.id if answer.group else None,
                "rule": answer.rule,
                "by_hand": verdict.by_hand.model_dump(exclude_none=True) if verdict.by_hand else None,
                "cost": str(money(draft.cost)) if draft else None,
                "currency": answer.currency,
                "sources": draft.sources if draft else [],
                "unfulfilled": len(answer.lacks),
            }
        )
    for fr in frs:
        units = [[line.line_id, line.sku, line.quantity] for line in fr.lines]
        stages.append({"stage": "fr_added", "fr_id": fr.fr_id, "source": fr.source, "lines": units})
        stages.append({"stage": "strategies_applied", "fr_id": fr.fr_id, **_strategies(fr, book)})
    stages.append({"stage": "done", "standing": verdict.standing, "reason": verdict.reason, "detail": verdict.detail})
    return stages


def _strategies(fr: FulfillmentRequest, book: Rulebook) -> dict[str, Any]:
    pattern = book.sites[fr.source].source.fr_number
    return {
        "number": fr.number,
        "pattern": pattern.model_dump(mode="json", by_alias=True),
        "auto_process": fr.auto_process,
        "shipping_method": [fr.shipping_method, fr.source_shipping_method],
        "renamed": [[line.sku, line.source_sku] for line in fr.lines if line.sku != line.source_sku],
    }
