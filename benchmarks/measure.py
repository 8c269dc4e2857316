"""Yardstick and product in turn, CPU by the system's own accounting, medians."""

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Size:
    """How much a benchmark does. `orders` None: what suits it. `keep`: where a filled database stays."""

    quick: bool = False
    orders: int | None = None
    keep: Path | None = None

    def of(self, usual: int, quick: int) -> int:
        return quick if self.quick else usual

    @property
    def pairs(self) -> int:
        return 2 if self.quick else 3


@dataclass(frozen=True, slots=True)
class Pairs:
    """What yardstick and product took, try by try."""

    yardstick: list[float]
    product: list[float]

    @property
    def ratio(self) -> float:
        """The median of product ÷ yardstick, pair by pair: what slows the machine for a while slows both of a pair."""
        return statistics.median(p / y for y, p in zip(self.yardstick, self.product, strict=True))


Try = Callable[[], Awaitable[float]]


async def in_turn(pairs: int, yardstick: Try, product: Try, *, warm: bool = True) -> Pairs:
    """A B A B ...; with `warm` one pair before that is thrown away (imports, caches, connections)."""
    found = Pairs([], [])
    for number in range(pairs + warm):
        first, second = await yardstick(), await product()
        if number >= warm:
            found.yardstick.append(first)
            found.product.append(second)
    return found


class Stopwatch:
    """CPU of this process (all threads) and of a PostgreSQL server, and wall time, since it was made. Seconds."""

    def __init__(self, postgres: int | None = None, others: Iterable[int] = ()) -> None:
        self._postgres = postgres
        self._others = tuple(others)
        self.start()

    def start(self) -> None:
        self._own, self._database = time.process_time(), self._database_now()
        self._others_began = {pid: cpu_of(pid) for pid in self._others}
        self._began = time.perf_counter()

    @property
    def own(self) -> float:
        return time.process_time() - self._own

    @property
    def database(self) -> float:
        return self._database_now() - self._database

    @property
    def others(self) -> dict[int, float]:
        """By process id."""
        return {pid: cpu_of(pid) - began for pid, began in self._others_began.items()}

    @property
    def wall(self) -> float:
        return time.perf_counter() - self._began

    def _database_now(self) -> float:
        return 0.0 if self._postgres is None else server_cpu(self._postgres)


def cpu_of(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def server_cpu(postmaster: int) -> float:
    """CPU of a PostgreSQL server in seconds: the postmaster, its processes, and those that have ended."""
    process = psutil.Process(postmaster)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # ended just now: counted with the ended ones next time
        total += times.user + times.system
    return float(total)


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def rounded(values: Sequence[float], scale: float = 1.0, digits: int = 3) -> list[float]:
    return [round(value * scale, digits) for value in values]


def busy() -> float:
    """The machine's load over the last minute: above the number of cores, figures are noisy."""
    return os.getloadavg()[0]
