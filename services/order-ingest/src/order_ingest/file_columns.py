"""Which column of a file means what (IN-5; pure).

What the request names counts before the saved mapping. Four fields are required, and found by their own names too; of
a file without any mapping, every column that is spelled like one of our fields counts. Columns that mean nothing to us
are named in the answer, not silently dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from waybill_common.refusals import Refused
from waybill_contracts.configuration import FileField, FileMapping

FIELDS: tuple[str, ...] = get_args(FileField)
REQUIRED = ("number", "sku", "quantity", "country")
_ALIASES = {"price": "unit_price", "description": "title", "date": "placed_at", "postcode": "postal_code"}


class MappingRefused(Refused):
    """The mapping cannot be used; the text names field and value."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy, status=422)


@dataclass(frozen=True, slots=True)
class Columns:
    """Our field -> its place in a row."""

    places: Mapping[str, int]
    names: Mapping[str, str]
    """Our field -> the file's column, to be shown."""
    ignored: tuple[str, ...]

    def cell(self, cells: Sequence[str], field: str) -> str:
        """What the row says there, without blanks around; empty when it says nothing."""
        place = self.places.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""


def columns_of(header: Sequence[str], asked: Mapping[str, str], saved: FileMapping) -> Columns:
    """Raises MappingRefused."""
    known = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
    mapped = {str(field): column for field, column in saved.columns.items()} | {
        _field(name): column for name, column in asked.items()
    }
    wanted = {field: field for field in (REQUIRED if mapped else FIELDS) if field in known} | mapped
    places: dict[str, int] = {}
    for field, column in wanted.items():
        if _plain(column) not in known:
            raise MappingRefused(
                f"map: {field}={column}: the file has no column {column!r}", f"it has {', '.join(header) or 'none'}"
            )
        places[field] = known[_plain(column)]
    missing = [field for field in REQUIRED if field not in places]
    if missing:
        raise MappingRefused(
            f"map: nothing says which column is the {' and the '.join(missing)}",
            f"write e.g. --map {','.join(f'{field}=COLUMN' for field in missing)}, "
            f"with columns of {', '.join(header) or 'none'}",
        )
    ignored = tuple(name for place, name in enumerate(header) if place not in places.values())
    return Columns(places, {field: header[place] for field, place in places.items()}, ignored)


def _field(name: str) -> str:
    field = _ALIASES.get(_plain(name), name.strip().lower())
    if field not in FIELDS:
        raise MappingRefused(f"map: {name!r} is none of our fields", f"use one of {', '.join(FIELDS)}")
    return field


def _plain(name: str) -> str:
    return name.strip().lstrip("\ufeff").lower().replace(" ", "_").replace("-", "_")
