"""How a new FR is numbered (RT-11): unique per source, never cut, never used again.

The order's first FR takes the bare number, its later ones -1, -2, … in the order in which they are made, wherever they
go; a number that the source has seen before, from whichever order, is skipped.
"""

from collections.abc import Callable

from waybill_contracts.configuration import FrNumber

LONGEST_SEARCH = 1000


class NumberRefused(ValueError):
    """No number fits the source's pattern: `code` is number_too_long, number_empty or number_duplicate."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def bare_number(pattern: FrNumber, *, order_number: str, order_id: str) -> str:
    """Prefix and number without the characters that the source does not take. Raises NumberRefused."""
    origin = order_number if pattern.from_ == "order_number" else order_id
    barred = dict.fromkeys(map(ord, pattern.forbid))
    kept = (pattern.prefix + origin).translate(barred)
    if not origin.translate(barred):
        raise NumberRefused("number_empty", f"nothing of {origin!r} is left without {pattern.forbid!r}")
    if len(kept) > pattern.max_length:
        raise NumberRefused(
            "number_too_long",
            f"{kept!r} has {len(kept)} characters, the source takes {pattern.max_length}: shorten the prefix",
        )
    return kept


def next_number(pattern: FrNumber, bare: str, *, made_before: int, taken: Callable[[str], bool]) -> str:
    """The first free one of bare, bare-1, …, beginning after the order's FRs before it. Raises NumberRefused."""
    hyphen = "" if "-" in pattern.forbid else "-"
    for suffix in range(made_before, made_before + LONGEST_SEARCH):
        number = bare if suffix == 0 else f"{bare}{hyphen}{suffix}"
        if len(number) > pattern.max_length:
            raise NumberRefused(
                "number_too_long",
                f"{number!r} has {len(number)} characters, the source takes {pattern.max_length}, and {bare!r} is used",
            )
        if not taken(number):
            return number
    raise NumberRefused("number_duplicate", f"{bare!r} and {LONGEST_SEARCH} numbers after it are used at this source")
