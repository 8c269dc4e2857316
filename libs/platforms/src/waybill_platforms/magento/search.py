"""`searchCriteria` as query parameters. Pure.

Groups are joined by AND, the filters within one by OR; here each filter is a group of its own. Times are UTC without a
zone, to the second. `pageSize` is always sent: left out, Magento answers with everything there is.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

LARGEST_PAGE = 300
"""Of a shop that limits its input; more is a 400 there."""
Condition = tuple[str, str, str]
"""(field, condition type, value)"""


def criteria(
    conditions: Sequence[Condition] = (),
    *,
    sort: Iterable[tuple[str, str]] = (),
    size: int = LARGEST_PAGE,
    page: int = 1,
    fields: str = "",
) -> list[tuple[str, str]]:
    """`fields` trims the answer: `items[entity_id,…],total_count`."""
    query = []
    for group, (field, condition, value) in enumerate(conditions):
        at = f"searchCriteria[filterGroups][{group}][filters][0]"
        query += [(f"{at}[field]", field), (f"{at}[value]", value), (f"{at}[conditionType]", condition)]
    for place, (field, direction) in enumerate(sort):
        at = f"searchCriteria[sortOrders][{place}]"
        query += [(f"{at}[field]", field), (f"{at}[direction]", direction)]
    query += [("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", str(page))]
    return [*query, ("fields", fields)] if fields else query


def moment(value: datetime) -> str:
    """As Magento compares its columns: UTC, naive, whole seconds (rounded down, so that nothing is left out)."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def more_pages(page: int, size: int, total: int, got: int) -> bool:
    """Whether another page follows. A page past the end repeats the last one, so the count decides, not emptiness."""
    return got > 0 and page * size < total
