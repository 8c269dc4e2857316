"""The platform's search syntax, the subset that hubs use: `field:value`, comparators, quotes, AND, OR, NOT, ( ).

Promises the platform's trap: a filter name that it does not know is ignored and the whole shop comes back; it is only
noted. Cannot promise full text search: a bare word matches nothing but the order's name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<op>AND|OR)\b|(?P<neg>NOT\b|-(?=\w))|"""
    r"""(?P<field>[A-Za-z_]+):(?P<cmp>>=|<=|>|<)?(?:'(?P<sq>[^']*)'|"(?P<dq>[^"]*)"|(?P<bare>[^\s()]+))|(?P<word>[^\s()]+))"""
)

Test = Callable[[Any], bool]
Reader = Callable[[Any], Any]
"""What a filter looks at: a number (times in seconds), a text, or a set of texts."""


@dataclass(slots=True)
class Search:
    """One parsed query; `ignored` are the filter names that the platform would only have noted."""

    text: str
    ignored: list[str] = field(default_factory=list)
    test: Test = lambda item: True
    updated_from: int | None = None
    """Lower bound on `updated_at` that every hit satisfies, so that an index can be entered there."""


def parse(text: str | None, readers: Mapping[str, Reader]) -> Search:
    search = Search(text or "")
    tokens = [match for match in _TOKEN.finditer(search.text) if match.group().strip()]
    if not tokens:
        return search
    search.test, _ = _either(tokens, 0, readers, search)
    if not any(token["op"] == "OR" or token["neg"] for token in tokens):
        bounds = [_moment(_value(t)) for t in tokens if t["field"] == "updated_at" and t["cmp"] in {">", ">="}]
        search.updated_from = max((bound for bound in bounds if bound is not None), default=None)
    return search


def _either(tokens: list[Any], at: int, readers: Mapping[str, Reader], search: Search) -> tuple[Test, int]:
    tests = []
    while True:
        test, at = _all(tokens, at, readers, search)
        tests.append(test)
        if at >= len(tokens) or tokens[at]["op"] != "OR":
            return (tests[0] if len(tests) == 1 else lambda item: any(t(item) for t in tests)), at
        at += 1


def _all(tokens: list[Any], at: int, readers: Mapping[str, Reader], search: Search) -> tuple[Test, int]:
    tests: list[Test] = []
    while at < len(tokens) and tokens[at]["op"] != "OR" and tokens[at]["paren"] != ")":
        if tokens[at]["op"] == "AND":
            at += 1
            continue
        test, at = _one(tokens, at, readers, search)
        tests.append(test)
    return (lambda item: all(t(item) for t in tests)), at


def _one(tokens: list[Any], at: int, readers: Mapping[str, Reader], search: Search) -> tuple[Test, int]:
    token = tokens[at]
    if token["neg"] and at + 1 < len(tokens):
        test, after = _one(tokens, at + 1, readers, search)
        return (lambda item: not test(item)), after
    if token["paren"] == "(":
        test, after = _either(tokens, at + 1, readers, search)
        return test, after + 1
    if token["field"]:
        return _filter(token, readers, search), at + 1
    word, name = _plain(token.group().strip()), readers.get("name")
    return (lambda item: name is not None and _plain(name(item)) == word), at + 1


def _filter(token: Any, readers: Mapping[str, Reader], search: Search) -> Test:
    read = readers.get(token["field"])
    if read is None:
        search.ignored.append(token["field"])
        return lambda item: True
    wanted, comparator = _value(token), token["cmp"]
    if comparator or token["field"].endswith("_at"):
        return _compared(read, comparator or "=", wanted)
    choices = {_plain(choice) for choice in wanted.split(",")}
    return lambda item: bool(_texts(read(item)) & choices)


def _compared(read: Reader, comparator: str, wanted: str) -> Test:
    bound = _moment(wanted)
    if bound is None:
        return lambda item: False
    compare: dict[str, Callable[[float, float], bool]] = {
        ">=": lambda a, b: a >= b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        "<": lambda a, b: a < b,
        "=": lambda a, b: a == b,
    }
    holds = compare[comparator]
    return lambda item: holds(read(item), bound)


def _value(token: Any) -> str:
    return str(next(text for text in (token["sq"], token["dq"], token["bare"]) if text is not None))


def _moment(text: str) -> int | None:
    """Seconds; a time without a zone counts as UTC here. Plain numbers (ids) stay what they are."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _texts(value: Any) -> set[str]:
    return {_plain(item) for item in value} if isinstance(value, (set, frozenset, list, tuple)) else {_plain(value)}


def _plain(value: Any) -> str:
    return str(value).casefold().removeprefix("#")
