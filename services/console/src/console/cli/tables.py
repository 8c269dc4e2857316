"""Tables that people keep in files: read whole, or refused with every wrong line, its column and its fix."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from console.cli.client import fail

Cell = Callable[[str], Any]
"""Turns a cell's text into a value; a ValueError says what it should be."""


def read_table(file: Path, columns: Mapping[str, Cell], required: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a CSV file with a heading; cells that are empty are left out. Ends the program where one is wrong."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(f"{file}: {error.strerror}", "name a file that can be read")
    except UnicodeDecodeError:
        fail(f"{file} is no UTF-8 text", "save it as CSV in UTF-8")
    reader = csv.DictReader(text.splitlines())
    names = [name.strip() for name in reader.fieldnames or []]
    wrong = [f"{file}:1: column {name!r} is missing" for name in required if name not in names]
    wrong += [f"{file}:1: {name!r} is no column; use {', '.join(columns)}" for name in names if name not in columns]
    if wrong:
        fail("\n".join(wrong), "mend the heading; nothing was sent")
    reader.fieldnames = names
    rows = []
    for row in reader:
        where = f"{file}:{reader.line_num}"
        found = dict(_cells(row, columns, required, where, wrong))
        rows.append(found)
    if wrong:
        fail("\n".join([*wrong[:20], f"{len(wrong)} mistakes"]), "mend them and give the file again; nothing was sent")
    return rows


def _cells(
    row: Mapping[str, Any], columns: Mapping[str, Cell], required: tuple[str, ...], where: str, wrong: list[str]
) -> Iterator[tuple[str, Any]]:
    if None in row:
        wrong.append(f"{where}: more cells than the heading has columns")
    for name, cell in columns.items():
        text = (row.get(name) or "").strip()
        if not text:
            if name in required:
                wrong.append(f"{where}: {name} is empty")
            continue
        try:
            yield name, cell(text)
        except ValueError as error:
            wrong.append(f"{where}: {name}: {text!r} {error}")


def whole(text: str) -> int:
    if not text.isdigit():
        raise ValueError("is no whole number of 0 or more")
    return int(text)


def amount(text: str) -> str:
    whole_part, point, rest = text.removeprefix("-").partition(".")
    if not whole_part.isdigit() or (point and not (rest.isdigit() and len(rest) <= 6)):
        raise ValueError("is no amount: write 3.10, with at most 6 decimals")
    return text
