"""The independent check: the same problem as a mixed integer program, solved by HiGHS (RT-3).

Shares no code with `routing`: it reads the sources' own settings with its own arithmetic. What counts is settled level
by level, each by a solve of its own: units left behind, the group's priorities in their order, cost. Floating point:
costs are compared to the tenth of a cent. Needs HiGHS, which deciding does not: `pip install 'waybill-router[check]'`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from router.check_reading import Asked, Request, Shelf, Want, names_of, requests_of
from waybill_contracts.configuration import Group, SingleFr, Source

SECONDS = 60.0
"""For one solve; what takes longer is not decided here."""


class SolverMissing(ImportError):
    """The independent solver is not installed."""

    def __init__(self) -> None:
        super().__init__("the check solves with HiGHS, which is not installed: pip install 'waybill-router[check]'")


class Undecided(Exception):
    """HiGHS came to no proof within its time."""


class Level(NamedTuple):
    """One of the things that count, and how well a plan does in it: less is better."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """`levels` from the one that counts most; none = nothing may ship."""

    levels: tuple[Level, ...] = ()
    sources: frozenset[str] = field(default_factory=frozenset)

    @property
    def cost(self) -> float | None:
        return next((level.value for level in self.levels if level.name == "lowest_cost"), None)


def cheapest(
    wanted: Mapping[str, int],
    country: str,
    group: Group,
    sources: Mapping[str, Source],
    shelves: Mapping[tuple[str, str], Shelf],
    *,
    without: frozenset[str] | None = None,
) -> Optimum:
    """The best plan for `wanted` (SKU -> units) at one address. Raises SolverMissing, Undecided."""
    wants = tuple(Want(sku, sku, units) for sku, units in wanted.items())
    return best_plan(Asked(wants, (country,)), group, sources, shelves, without=without)


def best_plan(
    asked: Asked,
    group: Group,
    sources: Mapping[str, Source],
    shelves: Mapping[tuple[str, str], Shelf],
    *,
    without: frozenset[str] | None = None,
) -> Optimum:
    """The best there is by the group's rules; `without`: by another set of sources than this one.

    Raises SolverMissing, Undecided.
    """
    requests = requests_of(asked, group, sources, shelves)
    if not requests:
        return Optimum()
    program = _Program(asked, group, requests)
    program.obey()
    if without is not None:
        program.differ_from(without)
    levels: list[Level] = []
    for name, goal in program.goals():
        value = program.least(goal)
        if value is None or (name == "left_behind" and round(value) == asked.units):
            return Optimum()
        levels.append(Level(name, value))
    return Optimum(tuple(levels), program.used())


class _Program:
    """The variables: `opened[request]` 0 or 1, `units[request, want]`, `whole[source, line]` 0 or 1."""

    def __init__(self, asked: Asked, group: Group, requests: list[Request]) -> None:
        self.asked, self.group, self.requests = asked, group, requests
        self.model = _solver()
        self.opened = [self.model.addBinary() for _ in requests]
        self.units: dict[tuple[int, int], Any] = {}
        for i, request in enumerate(requests):
            for at, offer in request.offers.items():
                most = min(offer.available, asked.wants[at].quantity)
                self.units[i, at] = self.model.addIntegral(lb=0, ub=most)
                self.model.addConstr(self.units[i, at] <= most * self.opened[i])

    def sum(self, terms: Iterable[Any]) -> Any:
        return self.model.qsum(list(terms))

    def obey(self) -> None:
        """Quantities, stock, and the group's limits."""
        add, group = self.model.addConstr, self.group
        for at, want in enumerate(self.asked.wants):
            given = self.sum(x for (_, other), x in self.units.items() if other == at)
            add(given <= want.quantity if group.partial else given == want.quantity)
        for i, is_open in enumerate(self.opened):
            add(self.sum(x for (other, _), x in self.units.items() if other == i) >= is_open)
        for shared in self._shelves().values():
            if len(shared) > 1 and self.requests[shared[0][0]].source.stock.from_ != "untracked":
                add(self.sum(self.units[key] for key in shared) <= self._available(shared[0]))
        if group.max_frs is not None:
            add(self.sum(self.opened) <= group.max_frs)
        if any(isinstance(p, SingleFr) and p.single_fr == "required" for p in group.priorities):
            for address in self.asked.addresses:
                add(self.sum(o for o, r in zip(self.opened, self.requests, strict=True) if r.address == address) <= 1)
        if not group.split_lines:
            self._keep_lines_whole()

    def _shelves(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """The variables that draw on each shelf."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for i, at in self.units:
            found.setdefault((self.requests[i].source.id, self.asked.wants[at].sku), []).append((i, at))
        return found

    def _available(self, key: tuple[int, int]) -> float:
        i, at = key
        return self.requests[i].offers[at].available

    def _keep_lines_whole(self) -> None:
        """A line, all SKUs of a kit included, comes from one source."""
        whole: dict[str, dict[str, Any]] = {}
        for (i, at), x in self.units.items():
            want, source = self.asked.wants[at], self.requests[i].source.id
            givers = whole.setdefault(want.line, {})
            if source not in givers:
                givers[source] = self.model.addBinary()
            self.model.addConstr(x <= want.quantity * givers[source])
        for givers in whole.values():
            self.model.addConstr(self.sum(givers.values()) <= 1)

    def differ_from(self, sources: frozenset[str]) -> None:
        """Some source more, or one less, each shipping at least a unit."""
        by_source: dict[str, list[Any]] = {name: [] for name in sources}
        for is_open, request in zip(self.opened, self.requests, strict=True):
            by_source.setdefault(request.source.id, []).append(is_open)
        changes = []
        for name, opened in by_source.items():
            used = self.model.addBinary()
            self.model.addConstr(self.sum(opened) >= used)
            for is_open in opened:
                self.model.addConstr(used >= is_open)
            changes.append(1.0 - used if name in sources else used * 1.0)
        self.model.addConstr(sum(changes[1:], start=changes[0]) >= 1)

    def goals(self) -> Iterable[tuple[str, Any]]:
        """What is made as small as can be, one after the other; in the same order as `check_reading.levels_of`."""
        for name in names_of(self.group):
            match name:
                case "left_behind":
                    yield name, self.asked.units - self.sum(self.units.values())
                case "single_fr: preferred":
                    several = self.model.addBinary()
                    addresses = len(self.asked.addresses)
                    self.model.addConstr(self.sum(self.opened) <= addresses + len(self.opened) * several)
                    yield name, several * 1.0
                case "fewest_frs":
                    yield name, self.sum(self.opened)
                case "shipping_method_mapped":
                    nameless = [o for o, r in zip(self.opened, self.requests, strict=True) if not r.method_mapped]
                    yield name, self.sum(nameless)
                case "source_priority":
                    for source in self.group.sources:
                        given = [x for (i, _), x in self.units.items() if self.requests[i].source.id == source]
                        yield f"units at {source}", -1.0 * self.sum(given)
                case "lowest_cost":
                    yield name, self._cost()

    def _cost(self) -> Any:
        fixed = [float(r.fixed) * o for o, r in zip(self.opened, self.requests, strict=True)]
        return self.sum([*fixed, *(float(self.requests[i].offers[at].each) * x for (i, at), x in self.units.items())])

    def least(self, goal: Any) -> float | None:
        """The goal's least value, which it keeps from now on; None = no plan obeys."""
        self.model.minimize(goal)
        status = self.model.modelStatusToString(self.model.getModelStatus())
        if status == "Infeasible":
            return None
        if status != "Optimal":
            raise Undecided(f"HiGHS says {status!r} instead of an optimum")
        value = float(self.model.getInfo().objective_function_value)
        self.model.addConstr(goal <= value + 1e-6)
        return value

    def used(self) -> frozenset[str]:
        values = self.model.getSolution().col_value
        return frozenset(r.source.id for o, r in zip(self.opened, self.requests, strict=True) if values[o.index] > 0.5)


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
    model.setOptionValue("time_limit", SECONDS)
    return model
