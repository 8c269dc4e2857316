"""A file of orders, read once and given back order by order, however large it is and however its rows lie (IN-5).

Rows go through a temporary database on disk, so memory stays bounded also when the rows of an order are scattered over
the file. A gzipped file is unpacked as it is read, and a line that never ends is refused instead of being held.
"""

import csv
import gzip
import io
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

LONGEST_LINE = 1024 * 1024
"""Characters of one line; a file of orders has far shorter ones."""
_EVERY = 2000
_GZIP = b"\x1f\x8b"

Orders = list[tuple[int, list[str]]]
"""The rows of one order: (row number, cells)."""


class UnreadableFile(ValueError):
    """The file is no CSV; the text says where and why."""


class Spool(AbstractContextManager["Spool"]):
    """Open it, `read` the file into it, then ask it for `chunks`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.header: list[str] = []
        self.rows = 0
        self.orders = 0
        self._folder = tempfile.TemporaryDirectory(prefix="waybill-import-")
        self._db = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        self._db.execute("pragma journal_mode = off")
        self._db.execute("pragma synchronous = off")
        self._db.execute("create table lines (line integer primary key, number text, cells text)")
        self._db.execute("create table orders (number text primary key, first integer) without rowid")

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._folder.cleanup()

    def head(self) -> list[str]:
        """The header alone."""
        with self.path.open("rb") as raw:
            self.header = next(self._lines(raw), [])
        if not any(cell.strip() for cell in self.header):
            raise UnreadableFile(f"{self.path}: the first row must name the columns")
        return self.header

    def read(self, number_column: str, progress: Callable[[int], None]) -> None:
        """Reads all rows; `progress` hears how many bytes of the file are behind us. Raises UnreadableFile."""
        place = self.header.index(number_column)
        self._db.execute("begin")
        with self.path.open("rb") as raw:
            batch: list[tuple[int, str, str]] = []
            for line, cells in enumerate(self._lines(raw), start=1):
                if line == 1 or not any(cells):
                    continue
                batch.append((line, cells[place].strip() if place < len(cells) else "", json.dumps(cells)))
                if len(batch) == _EVERY:
                    self._keep(batch)
                    progress(raw.tell())
            self._keep(batch)
        self._db.execute("insert into orders select number, min(line) from lines group by number")
        self._db.execute("create index lines_by_number on lines (number, line)")
        self._db.execute("commit")
        self.orders = self._db.execute("select count(*) from orders").fetchone()[0]

    def chunks(self, orders: int, rows: int, size: int) -> Iterator[tuple[int, Orders]]:
        """(orders, rows) by rows: whole orders in the order of their first rows, bounded by these and characters."""
        chunk: Orders = []
        count, characters = 0, 0
        for mine, length in self._by_order():
            full = count >= orders or len(chunk) + len(mine) > rows or characters + length > size
            if chunk and full:
                yield count, chunk
                chunk, count, characters = [], 0, 0
            chunk += mine
            count += 1
            characters += length
        if chunk:
            yield count, chunk

    def _by_order(self) -> Iterator[tuple[Orders, int]]:
        found = self._db.execute(
            "select l.number, l.line, l.cells from (select number, first from orders order by first) o "
            "join lines l on l.number = o.number order by o.first, l.line"
        )
        number: str | None = None
        mine: Orders = []
        length = 0
        for name, line, cells in found:
            if name != number and mine:
                yield mine, length
                mine, length = [], 0
            number = name
            mine.append((line, json.loads(cells)))
            length += len(cells)
        if mine:
            yield mine, length

    def _keep(self, batch: list[tuple[int, str, str]]) -> None:
        self._db.executemany("insert into lines values (?, ?, ?)", batch)
        self.rows += len(batch)
        batch.clear()

    def _lines(self, raw: IO[bytes]) -> Iterator[list[str]]:
        csv.field_size_limit(LONGEST_LINE)
        try:
            yield from csv.reader(self._bounded(_unpacked(raw)), strict=False)
        except (csv.Error, EOFError, OSError, UnicodeDecodeError) as error:
            raise UnreadableFile(f"{self.path}: {error}; save it as CSV in UTF-8, plain or gzipped") from error

    def _bounded(self, text: io.TextIOBase) -> Iterator[str]:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise UnreadableFile(f"{self.path}: a line has more than {LONGEST_LINE:,} characters; is it a CSV?")
            yield line


def _unpacked(raw: IO[bytes]) -> io.TextIOBase:
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    plain: Any = gzip.GzipFile(fileobj=raw) if packed else raw
    return io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
