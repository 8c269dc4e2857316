"""Commands as their owner takes them: the same id twice is one command, and what it tells names it (DESIGN section 3).

Promises: the work, its facts and its answer are stored in one transaction under the command's id; the same id again,
at the same moment too, is answered as the first time and does nothing. What is refused leaves nothing behind, and is
judged anew when it comes again. It cannot know whether two ids mean the same wish.

An id may have parts (`id/part`): each part is taken once, and the facts of all name what stands before the `/`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Annotated, Any

from fastapi import Depends, Header, Response
from pydantic_core import to_jsonable_python

from waybill_common.db import Connection, Pool, transaction

HEADER = "Waybill-Command"
TOLD = "Waybill-Told"
"""How many facts name the command, those that are still to come too: what somebody waits for in the read model."""
CAUSE_HEADER = "ce_causedby"
KEPT_DAYS = 2
_LONGEST = 200

_TAKE = "insert into commands_taken (command_id) values ($1) on conflict do nothing returning command_id"
_KNOWN = "select answer, told from commands_taken where command_id = $1"
_KEEP = "update commands_taken set answer = $2, told = $3 where command_id = $1"


class Command:
    """One request to act. Without an id it is a plain call: done in a transaction, and never known again."""

    def __init__(self, command_id: str | None = None, response: Response | None = None) -> None:
        self.id = command_id
        self.told = 0
        self._response = response

    @property
    def cause(self) -> str | None:
        """What its facts name."""
        return None if self.id is None else self.id.partition("/")[0]

    def expects(self, facts: int = 1) -> None:
        """So many facts will name it later: its effect comes with a worker's next turn."""
        if self.id is not None:
            self.told += facts

    async def once(self, pool: Pool, act: Callable[[Connection], Awaitable[Any]]) -> Any:
        """`act`'s answer, of this time or of the first one. What it raises rolls everything back."""
        async with transaction(pool) as conn:
            if self.id is None:
                return await act(conn)
            if await conn.fetchval(_TAKE, self.id) is None:
                row = await conn.fetchrow(_KNOWN, self.id)
                assert row is not None
                answer, self.told = row["answer"], row["told"]
            else:
                token = _CURRENT.set(self)
                try:
                    answer = to_jsonable_python(await act(conn))  # as it is kept, so that it is the same again
                finally:
                    _CURRENT.reset(token)
                await conn.execute(_KEEP, self.id, answer, self.told)
        if self._response is not None:
            self._response.headers[TOLD] = str(self.told)
        return answer


UNNAMED = Command()
"""Acting without a command: from a test, or from within."""
_CURRENT: ContextVar[Command | None] = ContextVar("command", default=None)


def cause() -> str | None:
    """The command that is being done here and now: facts told meanwhile name it."""
    command = _CURRENT.get()
    return None if command is None else command.cause


def note_told(headers: Iterable[Mapping[str, str]]) -> None:
    """Facts with these headers were appended; those that name the command in hand are counted."""
    command = _CURRENT.get()
    if command is not None:
        command.told += sum(one.get(CAUSE_HEADER) == command.cause for one in headers)


async def prune(pool: Pool) -> None:
    """Forgets commands that nobody sends any more."""
    await pool.execute(f"delete from commands_taken where taken_at < now() - interval '{KEPT_DAYS} days'")


def _command_of(
    answer: Response, waybill_command: Annotated[str | None, Header(max_length=_LONGEST)] = None
) -> Command:
    return Command(waybill_command, answer)


Taken = Annotated[Command, Depends(_command_of)]
"""A route's parameter: the command that the caller sent, named by its header."""
