"""What a key may reach, narrower than its role: `<area>:read` and `<area>:write` (OP-10). Pure.

An area is the noun of a route's path: `/v1/orders/{order_id}/timeline` and `/v1/orders:import` are of `orders`. Every
GET reads; everything else writes, whatever it does. So a route has its scope by its address, and none can forget it;
the API's description names it (`x-scope`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

READING = frozenset({"GET", "HEAD"})
_OF = {
    "excluded-orders": "orders",
    "failures": "orders",
    "connections": "channels",
    "schedule": "channels",
    "stores": "config",
}
"""Nouns that show parts of another area."""


def scope_of(method: str, path: str) -> str:
    """The scope of a route; `path` begins with the version or with where the API is mounted."""
    noun = path.partition("/v1/")[2].partition("/")[0].partition(":")[0]
    return f"{_OF.get(noun, noun)}:{'read' if method.upper() in READING else 'write'}"


def declared(paths: dict[str, Any]) -> set[str]:
    """Notes each operation's scope in an OpenAPI document's `paths`; returns all of them."""
    found = set()
    for path, operations in paths.items():
        for method, operation in operations.items():
            operation["x-scope"] = scope_of(method, path)
            found.add(operation["x-scope"])
    return found


def allows(scopes: Sequence[str] | None, wanted: str) -> bool:
    """None: whatever the role may. Who may write an area may read it."""
    if scopes is None:
        return True
    area = wanted.partition(":")[0]
    return wanted in scopes or (wanted.endswith(":read") and f"{area}:write" in scopes)


def beyond(asked: Sequence[str] | None, own: Sequence[str] | None) -> list[str]:
    """What somebody with scopes may not hand on."""
    if own is None:
        return []
    return ["every scope"] if asked is None else [scope for scope in asked if not allows(own, scope)]


def unknown(asked: Iterable[str], known: Iterable[str]) -> list[str]:
    every = set(known)
    return sorted(scope for scope in asked if scope not in every)
