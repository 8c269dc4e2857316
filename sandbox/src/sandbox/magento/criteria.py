"""`searchCriteria`: groups are joined by AND, filters within one by OR; and `fields`, which trims an answer. Pure.

Quirks kept: without `pageSize` everything comes; a page past the end repeats the last one; both spellings of the names
(`filterGroups`, `filter_groups`) are understood; an unknown column is an internal error, not an empty list.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.magento.errors import Refused

MOST = 300
Record = Mapping[str, Any]
_STEPS = re.compile(r"[^\[\]]+")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, asked: bool(found == asked),
    "neq": lambda found, asked: bool(found != asked),
    "gt": lambda found, asked: bool(found > asked),
    "gteq": lambda found, asked: bool(found >= asked),
    "from": lambda found, asked: bool(found >= asked),
    "lt": lambda found, asked: bool(found < asked),
    "lteq": lambda found, asked: bool(found <= asked),
    "to": lambda found, asked: bool(found <= asked),
}


def found(records: Sequence[Record], query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The list's answer; `records` are flat columns with the thing to show under `told` (called for those shown)."""
    asked = parsed(query)
    groups = [list(group.get("filters", {}).values()) for group in asked.get("filter_groups", {}).values()]
    chosen = [one for one in records if all(any(_matches(one, f) for f in group) for group in groups)]
    for order in reversed(list(asked.get("sort_orders", {}).values())):
        field = _column(records, order["field"])
        chosen.sort(key=lambda one: one[field], reverse=str(order.get("direction", "DESC")).upper() == "DESC")
    size = int(asked["page_size"]) if "page_size" in asked else None
    if size is not None and size > MOST:
        raise Refused(400, "Maximum SearchCriteria pageSize is %max", {"max": MOST})
    shown = chosen
    if size:
        last = max((len(chosen) - 1) // size + 1, 1)
        page = min(max(int(asked.get("current_page", 1)), 1), last)
        shown = chosen[(page - 1) * size : page * size]
    items = [one["told"]() for one in shown]
    criteria: dict[str, Any] = {
        "filter_groups": [],
        "page_size": size,
        "current_page": int(asked.get("current_page", 1)),
    }
    return {"items": items, "search_criteria": criteria, "total_count": len(chosen)}


def parsed(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """`searchCriteria[filterGroups][0][filters][0][field]=x` as nested objects, names in snake case."""
    tree: dict[str, Any] = {}
    for name, value in query:
        steps = [_snake(step) for step in _STEPS.findall(name)]
        if steps[0] != "search_criteria":
            continue
        at = tree
        for step in steps[1:-1]:
            at = at.setdefault(step, {})
        at[steps[-1]] = value
    return tree


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _column(records: Sequence[Record], field: str) -> str:
    if records and field not in records[0]:
        raise Refused(500, f"SQLSTATE[42S22]: Column not found: 1054 Unknown column '{field}' in 'where clause'")
    return field


def _matches(record: Record, asked: Mapping[str, str]) -> bool:
    value = record[_column([record], asked["field"])]
    condition = asked.get("condition_type", "eq")
    if condition in {"in", "nin"}:
        return (str(value).lower() in asked["value"].lower().split(",")) is (condition == "in")
    if condition == "like":
        return re.fullmatch(asked["value"].replace("%", ".*"), str(value)) is not None
    if condition in {"null", "notnull"}:
        return (value is None) is (condition == "null")
    if value is None:
        return False
    wanted = type(value)(asked["value"]) if isinstance(value, int) else asked["value"]
    return _COMPARE[condition](value, wanted)


def trimmed(content: Any, fields: str | None) -> Any:
    """Only what `fields` names: `items[entity_id,payment[method]],total_count`."""
    return content if not fields else _cut(content, _tree(fields))


def _tree(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    stack = [root]
    name = ""
    for letter in text:
        if letter not in "[],":
            name += letter
            continue
        if name:
            child: dict[str, Any] = {}
            stack[-1][name] = child
            if letter == "[":
                stack.append(child)
        if letter == "]":
            stack.pop()
        name = ""
    if name:
        root[name] = {}
    if len(stack) != 1:
        raise Refused(400, "Syntax error in the fields parameter")
    return root


def _cut(content: Any, tree: Mapping[str, Any]) -> Any:
    if not tree:
        return content
    if isinstance(content, list):
        return [_cut(one, tree) for one in content]
    if isinstance(content, dict):
        return {name: _cut(value, tree[name]) for name, value in content.items() if name in tree}
    return content
