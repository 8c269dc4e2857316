"""A walk through changed orders that loses none, though orders change while it is under way. Pure.

BigCommerce has pages by number only: an order that changes meanwhile leaves its place, and the one after it moves to a
page that was read. So no second page is ever asked for. `By time` asks for the orders from a moment on and gives those
before the page's last second; the next page begins with that second. A second that fills a page by itself (an import)
is walked by order id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from waybill_platforms.bigcommerce import wire

SECOND = timedelta(seconds=1)


class Astray(ValueError):
    """The list is not what was asked for (sorting or a filter was ignored), so its end cannot be believed."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where it stands: from `moment` on, or (`above` given) the orders of that second with a greater id."""

    moment: datetime
    above: int | None = None

    @classmethod
    def read(cls, page: str | None, since: datetime) -> Self:
        if page is None:
            return cls(since.astimezone(UTC).replace(microsecond=0))
        moment, above = page.split("|")
        return cls(datetime.fromisoformat(moment), int(above) if above else None)

    def token(self) -> str:
        return f"{self.moment.isoformat()}|{'' if self.above is None else self.above}"

    def query(self, limit: int) -> dict[str, str | int]:
        """No status in it: an order that leaves such a filter (canceled, shipped elsewhere) would not be seen again."""
        query: dict[str, str | int] = {"min_date_modified": _written(self.moment), "page": 1, "limit": limit}
        if self.above is None:
            return {**query, "sort": "date_modified:asc"}
        # Whether the upper end is part of the range is not documented: ask for a second more, and leave it out.
        end: dict[str, str | int] = {"max_date_modified": _written(self.moment + SECOND), "min_id": self.above + 1}
        return {**query, **end, "sort": "id:asc"}

    def next(self, found: Sequence[wire.Order], full: bool) -> tuple[list[wire.Order], Self | None]:
        """Which of a page's orders are given now, and where the walk goes on; None at the end.

        `full`: the page has as many entries as were asked for, so that there may be more.
        """
        if full and not found:
            raise Astray("no order of a whole page can be read")
        if self.above is not None:
            return self._next_by_id(found, full)
        if not full:
            return _once(found), None
        times = [one.date_modified for one in found]
        if times != sorted(times) or times[-1] < self.moment:
            raise Astray("sort=date_modified:asc or min_date_modified was ignored: other orders came")
        given = _once(one for one in found if one.date_modified < times[-1])
        alone = times[0] == times[-1] or times[-1] == self.moment
        return given, type(self)(times[-1], 0 if alone else None)

    def _next_by_id(self, found: Sequence[wire.Order], full: bool) -> tuple[list[wire.Order], Self | None]:
        given = _once(one for one in found if one.date_modified == self.moment)
        if not full:
            return given, type(self)(self.moment + SECOND)
        ids = [one.id for one in found]
        if ids != sorted(ids) or ids[0] <= (self.above or 0):
            raise Astray("sort=id:asc or min_id was ignored: other orders came")
        return given, type(self)(self.moment, ids[-1])


def _once(orders: Iterable[wire.Order]) -> list[wire.Order]:
    """Each once, in the order of their change."""
    return sorted({one.id: one for one in orders}.values(), key=lambda one: (one.date_modified, one.id))


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
