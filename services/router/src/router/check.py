"""The independent check: the same problem as a mixed integer program, solved by HiGHS (RT-3).

Shares no code with `routing`: it reads the sources' own settings with its own arithmetic. Takes problems whose only
priority is cost, for one address. Floating point: optima are compared to the tenth of a cent. Needs HiGHS, which
deciding does not: `pip install 'waybill-router[check]'`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from waybill_contracts.configuration import Group, Source


class SolverMissing(ImportError):
    """The independent solver is not installed."""

    def __init__(self) -> None:
        super().__init__("the check solves with HiGHS, which is not installed: pip install 'waybill-router[check]'")


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU at one source, in currency units and grams."""

    available: float
    unit_cost: float
    grams: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """`cost` None = nothing can ship all of it."""

    cost: float | None
    sources: frozenset[str]


def cheapest(
    wanted: Mapping[str, int],
    country: str,
    group: Group,
    sources: Mapping[str, Source],
    shelves: Mapping[tuple[str, str], Shelf],
    *,
    without: frozenset[str] | None = None,
) -> Optimum:
    """The least landed cost of `wanted` (SKU -> units); `without`: another set of sources than this one.

    Raises SolverMissing.
    """
    model = _solver()
    opened = {}
    for name in group.sources:
        price = next((p for p in sources[name].costs.shipping if country in p.zone or "*" in p.zone), None)
        if price is not None:
            opened[name] = (model.addBinary(obj=float(sources[name].costs.fee + price.base)), float(price.per_kg))
    units = {}
    for (name, (is_open, per_kg)), sku in product(opened.items(), wanted):
        shelf = shelves.get((name, sku))
        if shelf is None:
            continue
        most = min(shelf.available, wanted[sku])
        each = shelf.unit_cost + per_kg * shelf.grams / 1000
        units[name, sku] = model.addIntegral(lb=0, ub=most, obj=each)
        model.addConstr(units[name, sku] <= most * is_open)
    for sku, quantity in wanted.items():
        here = [x for (_, other), x in units.items() if other == sku]
        if not here:
            return Optimum(None, frozenset())
        model.addConstr(sum(here[1:], start=here[0] * 1.0) == quantity)
    for name, (is_open, _) in opened.items():
        here = [x for (other, _), x in units.items() if other == name]
        if here:
            model.addConstr(sum(here[1:], start=here[0] * 1.0) >= is_open)
    every = [is_open for is_open, _ in opened.values()]
    if group.max_frs is not None:
        model.addConstr(sum(every[1:], start=every[0] * 1.0) <= group.max_frs)
    if without is not None:
        difference = [1.0 - b if name in without else b * 1.0 for name, (b, _) in opened.items()]
        model.addConstr(sum(difference[1:], start=difference[0]) >= 1)
    model.minimize()
    if model.modelStatusToString(model.getModelStatus()) != "Optimal":
        return Optimum(None, frozenset())
    values = model.getSolution().col_value
    used = frozenset(name for (name, _), x in units.items() if values[x.index] > 0.5)
    return Optimum(model.getInfo().objective_function_value, used)


def _solver() -> Any:
    """HiGHS, silent, told to prove the optimum. Raises SolverMissing."""
    try:
        import highspy
    except ImportError:
        raise SolverMissing from None
    model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_abs_gap", 1e-7)
    return model
