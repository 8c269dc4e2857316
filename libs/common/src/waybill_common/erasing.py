"""One subject's data erased from all tables of a schema, and kept from coming back (OP-16).

Promises: no table can be forgotten, because the catalogue says which there are; ids, numbers, counts and states stay;
erasing twice changes nothing. Rows that name an order are found by that, all others by what they hold. What comes later
about an erased key (a record still in flight, one sent again) is redacted before it is handled; facts that are appended
about it are redacted by the next `again`. It cannot reach what Kafka keeps, nor what others have read from there.

What a person's data looks like is not known here: `Redact` is the service's own.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import orjson

from waybill_common.consuming import Record
from waybill_common.db import Connection, Pool, Queryable, affected, transaction

Redact = Callable[[Any], Any]
"""A JSON document -> the same without a person's data."""
ERASED = "[erased]"

_CLOSE = """
update dead_letters set state = 'discarded', resolved_at = now(), resolved_reason = 'the data of its person was erased'
where state = 'open' and id = any($1::bigint[])
"""
_OWN = ("applied_migrations", "erased_keys", "erase_again", "consumer_progress", "broker_identity", "rate_budgets")
"""Tables of the kernel that hold nothing of anybody."""
_COLUMNS = """
select c.table_name as "table", array_agg(c.column_name::text order by c.ordinal_position) as names,
       array_agg(c.udt_name::text order by c.ordinal_position) as types
from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
  and not exists (select 1 from information_schema.key_column_usage k
                  join information_schema.table_constraints p using (constraint_schema, constraint_name)
                  where p.constraint_type = 'PRIMARY KEY' and k.table_schema = c.table_schema
                    and k.table_name = c.table_name and k.column_name = c.column_name and c.column_name <> $1)
group by c.table_name order by c.table_name
"""
_TEXTS = {"text": "{}", "_text": "array_to_string({}, ' ')", "json": "{}::text", "jsonb": "{}::text",
          "bytea": "encode({}, 'escape')"}  # fmt: skip
"""How a column is searched, by its type; other types hold no words."""
_KEY = "order_id"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Subject:
    """Whose data: the keys of their rows, the words that name them, and marks: words that together prove a match."""

    keys: Sequence[str]
    words: Sequence[str] = field(default=(), repr=False)
    marks: Sequence[Sequence[str]] = field(default=(), repr=False)

    @cached_property
    def pattern(self) -> "re.Pattern[str] | None":
        """Any of the words, in any of the ways in which a document may spell it."""
        spelled = {spelling for word in self.words for spelling in spellings(word)}
        longest_first = sorted(spelled, key=len, reverse=True)
        any_of = "|".join(map(re.escape, longest_first))
        return re.compile(rf"(?<!\w)(?:{any_of})(?!\w)", re.IGNORECASE) if spelled else None

    @cached_property
    def proofs(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """For each mark, for each of its words, its spellings in lower case."""
        marks = [*((key,) for key in self.keys), *self.marks]
        return tuple(tuple(tuple(s.lower() for s in spellings(word)) for word in mark) for mark in marks)

    def meant(self, text: str, *, surely: bool = False) -> bool:
        """Whether a text, in lower case, is about them; `surely`: by a key or a mark of one word."""
        marks = (mark for mark in self.proofs if len(mark) == 1 or not surely)
        return any(all(any(s in text for s in word) for word in mark) for mark in marks)

    def anothers(self, key: object) -> bool:
        """Whether a record's key says that it is about something else: keys of ours are UUIDs."""
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        return text not in self.keys and _UUID.fullmatch(text) is not None


def spellings(word: str) -> set[str]:
    """A word plain, within JSON, within JSON that is a text of JSON, and as PostgreSQL shows bytes."""
    texts = {word, *_within(word)}
    texts |= {twice for once in _within(word) for twice in _within(once)}
    return texts | {_as_bytes(text) for text in texts}


def _within(word: str) -> tuple[str, str]:
    return orjson.dumps(word).decode()[1:-1], json.dumps(word)[1:-1]


def _as_bytes(text: str) -> str:
    """As `encode(bytes, 'escape')` shows it."""
    return "".join(f"\\{byte:03o}" if byte > 127 else "\\\\" if byte == 92 else chr(byte) for byte in text.encode())


class Eraser:
    """Erases in one service's schema; `redact` None: nothing here is a person's."""

    def __init__(self, pool: Pool, redact: Redact | None) -> None:
        self._pool, self._redact = pool, redact

    async def erase(self, subject: Subject) -> dict[str, int]:
        """Rows changed, by table. Each table is a transaction of its own: call it again after a failure."""
        async with transaction(self._pool) as conn:
            await conn.execute("insert into erased_keys (key) select unnest($1::text[]) on conflict do nothing",
                               list(subject.keys))  # fmt: skip
        tables = await self._pool.fetch(_COLUMNS, _KEY)
        changed = {}
        for table in tables:
            if table["table"] in _OWN:
                continue
            types = dict(zip(table["names"], table["types"], strict=True))
            async with transaction(self._pool) as conn:
                if count := await self._table(conn, table["table"], types, subject):
                    changed[table["table"]] = count
        return changed

    async def again(self) -> int:
        """Redacts facts that were appended about erased keys since; returns how many."""
        async with transaction(self._pool) as conn:
            found = await conn.fetch(
                "select f.position, f.value from erase_again a join facts f using (position) "
                "order by position limit 500 for update of f, a skip locked"
            )
            values = [self.redacted(row["value"]) for row in found]
            await conn.execute(
                "update facts f set value = u.value from unnest($1::bigint[], $2::bytea[]) as u (position, value) "
                "where f.position = u.position", [row["position"] for row in found], values
            )  # fmt: skip
            done = await conn.execute(
                "delete from erase_again a where position = any($1) or not exists "
                "(select 1 from facts f where f.position = a.position)", [row["position"] for row in found]
            )  # fmt: skip
        return affected(done)

    async def without_erased(self, conn: Queryable, records: Sequence[Record]) -> list[Record]:
        """The records, those about erased keys redacted: what was in flight brings nothing back."""
        keys = {r.key.decode("utf-8", "replace").replace("\0", "") for r in records if r.key}
        if self._redact is None or not keys:
            return list(records)
        found = await conn.fetch("select key from erased_keys where key = any($1::text[])", list(keys))
        erased = {row["key"].encode() for row in found}
        return [replace(r, value=self.redacted(r.value)) if r.key in erased else r for r in records]

    def redacted(self, value: bytes | None) -> bytes | None:
        """The bytes of a document without the person; bytes that are no document are not kept at all."""
        if value is None or self._redact is None:
            return value
        try:
            return orjson.dumps(self._redact(orjson.loads(value)))
        except orjson.JSONDecodeError:
            return orjson.dumps(ERASED)

    async def _table(self, conn: Connection, table: str, types: dict[str, str], subject: Subject) -> int:
        searched = [name for name, kind in types.items() if kind in _TEXTS and name != _KEY]
        if not searched:
            return 0
        where, given = _wanted(table, types, searched, subject)
        shown = ", ".join(f'"{name}"' for name in searched) + (", id as number" if table == "dead_letters" else "")
        found = await conn.fetch(
            f'select ctid::text as place, {shown}, {_whole(types, searched)} as whole from "{table}" '
            f"where {where} for update", *given, timeout=600.0
        )  # fmt: skip
        changed, letters = 0, []
        for row in found:
            if _KEY not in types and not _about(table, row, subject):
                continue
            news = {n: new for n in searched if (new := self._cleaned(row[n], types[n], subject)) != row[n]}
            if table == "dead_letters":
                letters.append(row["number"])
            if news:
                places = ", ".join(f'"{name}" = ${place}' for place, name in enumerate(news, start=2))
                await conn.execute(f'update "{table}" set {places} where ctid = $1::text::tid',
                                   row["place"], *news.values())  # fmt: skip
                changed += 1
        if letters:
            await conn.execute(_CLOSE, letters)
        return changed

    def _cleaned(self, value: Any, kind: str, subject: Subject) -> Any:
        if value is None:
            return None
        if kind == "bytea":
            return self._bytes(value, subject)
        if self._redact is None or kind not in ("json", "jsonb"):
            return _without(value, subject)
        return _without(self._opened(self._redact(value)), subject)

    def _opened(self, document: Any) -> Any:
        """The same, with texts that are JSON themselves (an answer that is kept as it was sent, say) redacted too."""
        if isinstance(document, dict):
            return {name: self._opened(value) for name, value in document.items()}
        if isinstance(document, list):
            return [self._opened(item) for item in document]
        if self._redact is None or not isinstance(document, str) or document[:1] not in ("{", "["):
            return document
        try:
            inner = orjson.loads(document)
        except orjson.JSONDecodeError:
            return document
        cleaned = self._opened(self._redact(inner))
        return document if cleaned == inner else orjson.dumps(cleaned).decode()

    def _bytes(self, value: bytes, subject: Subject) -> bytes:
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError:
            text = value.decode("utf-8", "surrogateescape")
            return str(_without(text, subject)).encode("utf-8", "surrogateescape")
        if not isinstance(document, dict | list | str):
            return value  # digits alone
        cleaned = _without(self._redact(document) if self._redact is not None else document, subject)
        return value if cleaned == document else orjson.dumps(cleaned)


def _about(table: str, row: Any, subject: Subject) -> bool:
    """A letter that is not surely theirs is somebody's order that a person may still replay."""
    letter = table == "dead_letters"
    return not ((letter or table == "facts") and subject.anothers(row["key"])) and subject.meant(
        row["whole"], surely=letter
    )


def _wanted(table: str, types: dict[str, str], searched: list[str], subject: Subject) -> tuple[str, list[Any]]:
    if _KEY in types:
        return f"{_KEY} = any($1::text[]::{types[_KEY]}[])", [list(subject.keys)]
    firsts = {spelling for mark in subject.proofs for spelling in mark[-1]}
    like = ["%" + re.sub(r"([\\%_])", r"\\\1", text) + "%" for text in sorted(firsts)]
    also = ' or "key" = any($2::text[])' if table == "facts" else ""
    return f"{_whole(types, searched)} like any($1::text[]){also}", [like, *([list(subject.keys)] if also else [])]


def _whole(types: dict[str, str], searched: list[str]) -> str:
    texts = ", ".join(_TEXTS[types[name]].format(f'"{name}"') for name in searched)
    return f"lower(concat_ws(' ', {texts}))"


def _without(document: Any, subject: Subject) -> Any:
    """The same with every word of the subject replaced, in texts at any depth."""
    if isinstance(document, str):
        return document if subject.pattern is None else subject.pattern.sub(ERASED, document)
    if isinstance(document, dict):
        return {name: _without(value, subject) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [_without(item, subject) for item in document]
    return document
