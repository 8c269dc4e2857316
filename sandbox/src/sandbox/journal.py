"""What the sandbox keeps on disk: the state (last document by key wins) and the append-only ledger of what happened.

Promises: once `flush` has returned, a SIGKILL of this process loses nothing; the disk itself is synced every second, so
a power cut may cost that second. A line cut in the middle by a kill is ignored at the next start.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

COMPACT_ABOVE = 4
"""State files with more than this many lines per live document are rewritten at start."""


class _Lines:
    """An append-only file written in whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o644)
        self._size = os.fstat(self._fd).st_size
        self._mend()
        self._waiting: list[bytes] = []
        self._unsynced = False

    def _mend(self) -> None:
        """End a line that a kill cut, so that the next one starts on its own."""
        if self._size and os.pread(self._fd, 1, self._size - 1) != b"\n":
            self._size += os.write(self._fd, b"\n")

    def append(self, line: bytes) -> tuple[int, int]:
        """The place (offset, length) where the line will stand."""
        place = (self._size, len(line))
        self._waiting.append(line + b"\n")
        self._size += len(line) + 1
        return place

    def read(self, place: tuple[int, int]) -> bytes:
        self.flush()
        return os.pread(self._fd, place[1], place[0])

    def flush(self) -> None:
        if self._waiting:
            block = memoryview(b"".join(self._waiting))
            self._waiting.clear()
            while block:
                block = block[os.write(self._fd, block) :]
            self._unsynced = True

    def sync(self) -> None:
        if self._unsynced:
            self._unsynced = False
            os.fsync(self._fd)

    def lines(self) -> Iterator[tuple[tuple[int, int], bytes]]:
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield (offset, len(line) - 1), line
                offset += len(line)

    def close(self) -> None:
        self.flush()
        self.sync()
        os.close(self._fd)


class Journal:
    """State and ledger of one sandbox, in `directory`."""

    def __init__(self, directory: Path, now: Callable[[], float] = time.time) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._state = _Lines(directory / "state.jsonl")
        self._ledger = _Lines(directory / "ledger.jsonl")
        self._places: dict[tuple[str, str], tuple[tuple[int, int] | None, tuple[int, int]]] = {}
        self.entries = [line.strip() for _, line in self._ledger.lines() if _readable(line)]

    def documents(self) -> Iterator[tuple[str, str, Any]]:
        """(kind, key, document) of everything stored, each once, in the order in which it first appeared."""
        lines = 0
        for place, line in self._state.lines():
            if (stored := _readable(line)) is not None:
                lines += 1
                self._remember((stored["kind"], stored["key"]), place)
        if lines > COMPACT_ABOVE * max(len(self._places), 1_000):
            self._compact()
        for (kind, key), (_, place) in self._places.items():
            yield kind, key, orjson.loads(self._state.read(place))["value"]

    def save(self, kind: str, key: str, value: object) -> None:
        line = orjson.dumps({"kind": kind, "key": key, "value": value})
        self._remember((kind, key), self._state.append(line))

    def before(self, kind: str, key: str) -> Any:
        """The document as it was before its last change, or None: what a stale replica would still show."""
        earlier, _ = self._places.get((kind, key), (None, None))
        return orjson.loads(self._state.read(earlier))["value"] if earlier else None

    def note(self, event: str, **facts: object) -> None:
        """One thing that happened. `seq` counts from 1 without gaps."""
        entry = {"seq": len(self.entries) + 1, "at": round(self._now(), 3), "event": event, **facts}
        line = orjson.dumps(entry)
        self.entries.append(line)
        self._ledger.append(line)

    def flush(self) -> None:
        self._state.flush()
        self._ledger.flush()

    async def keep_synced(self, every: float = 1.0) -> None:
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self._sync)

    def close(self) -> None:
        self._state.close()
        self._ledger.close()

    def _sync(self) -> None:
        self._state.sync()
        self._ledger.sync()

    def _remember(self, name: tuple[str, str], place: tuple[int, int]) -> None:
        known = self._places.get(name)
        self._places[name] = (known[1] if known else None, place)

    def _compact(self) -> None:
        fresh = self._state.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        target = _Lines(fresh)
        places = {name: (None, target.append(self._state.read(place))) for name, (_, place) in self._places.items()}
        target.close()
        self._state.close()
        fresh.replace(self._state.path)
        self._state = _Lines(self._state.path)
        self._places = dict(places)


def _readable(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
