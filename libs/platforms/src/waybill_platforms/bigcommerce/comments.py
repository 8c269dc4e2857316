"""A shipment of BigCommerce has one tracking number; further ones stand in its comments, which people read. Pure."""

import re
from collections.abc import Sequence

_FURTHER = re.compile(r"^Further tracking numbers: (.+)$", re.MULTILINE)


def with_further_numbers(numbers: Sequence[str]) -> str:
    """The comment; empty when there is at most one number."""
    return f"Further tracking numbers: {', '.join(numbers[1:])}" if len(numbers) > 1 else ""


def further_numbers(text: str) -> tuple[str, ...]:
    """The numbers that `with_further_numbers` wrote."""
    found = _FURTHER.search(text)
    return tuple(one.strip() for one in found.group(1).split(",") if one.strip()) if found else ()
