"""What people said about an order, beside what its channel shows: it stays whatever version comes next (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

ASKED_FOR = frozenset({"file", "api"})
"""Ways in by which a person hands an order over: when it was placed does not keep it out (IN-2)."""


@dataclass(frozen=True, slots=True)
class Said:
    """Stored with the order's row."""

    asked: bool = False
    """Somebody asked for this order: by file, by hand, or for the window that it lies in."""

    def as_json(self) -> dict[str, Any]:
        """What differs from an order that nobody said anything about."""
        return _SAID.dump_python(self, mode="json", exclude_defaults=True)  # type: ignore[no-any-return]


_SAID: TypeAdapter[Said] = TypeAdapter(Said)
NOTHING = Said()


def said_of(stored: Mapping[str, Any]) -> Said:
    """Back from the row."""
    return _SAID.validate_python(stored) if stored else NOTHING
