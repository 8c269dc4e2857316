"""Commands: stored, sent to the service that owns what they are about, and sent again until it answers.

Promises: what was stored is answered by its owner, or refused after a day, whoever dies in between; the same id is one
command, here and there. The carrier is the owners' internal HTTP (docs/decisions/0017). It cannot take back what was
stored.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from console.command_rules import ARRIVES_WITHIN, GIVES_UP_AFTER, Answer, answered, given_up, next_try, refusal_of
from console.owners import Owners, OwnerSilent
from waybill_common.commands import HEADER, TOLD
from waybill_common.db import Pool, Queries, rows
from waybill_common.logs import Log, declare_events

declare_events(
    {
        "command.answered": "a command's owner has done it or refused it",
        "command.put_off": "a command's owner did not answer it; it is sent again",
    }
)

EFFECTS_SHOWN = 100
_LOOK = 0.1
_PRIVATE = ("ship_to",)
"""What the answer says to who asked, and is not kept with the command."""

Sender = Callable[[Mapping[str, Any]], Awaitable[Answer]]


class Wish(NamedTuple):
    """What somebody wants done: `target` is kind/id, `path` and `body` are as the owner takes them."""

    action: str
    target: str
    service: str
    path: str
    body: dict[str, Any] | None = None
    reason: str = ""
    timeout: float = 10.0


class Standing(NamedTuple):
    """A command, and its effects as far as the read model has them. `told`: how many it has to show."""

    row: Mapping[str, Any]
    effects: list[dict[str, Any]]
    found: int

    @property
    def over(self) -> bool:
        """Answered, and all its effects are in the read model."""
        return bool(self.row["state"] == "refused" or (self.row["state"] == "done" and self.found >= self.row["told"]))


class Commander:
    """`senders` carry the actions that are more than one call to one owner."""

    def __init__(self, pool: Pool, q: Queries, owners: Owners, senders: Mapping[str, Sender], log: Log) -> None:
        self._pool, self._q, self._owners, self._senders, self._log = pool, q, owners, senders, log

    async def give(self, command_id: str, wish: Wish, actor: str) -> Answer | None:
        """Stores it and sends it once. The owner's answer; none when it is known already, or being sent."""
        self._owners.check(wish.path)
        stored = await self._q.store_command(self._pool, command_id=command_id, actor=actor, **wish._asdict())
        if stored is None:
            return None
        row = await self._q.begin_sending(self._pool, command_id=command_id)
        return None if row is None else await self._send(row)

    async def turn(self) -> int:
        """A worker's: sends the command that is due for longest."""
        row = await self._q.begin_sending(self._pool, command_id=None)
        if row is None:
            return 0
        await self._send(row)
        return 1

    async def standing(self, command_id: str) -> Standing | None:
        row = await self._q.command(self._pool, command_id=command_id)
        if row is None:
            return None
        found = [
            dict(one) for one in await rows(self._q.effects(self._pool, command_id=command_id, limit=EFFECTS_SHOWN))
        ]
        total = found[0]["all"] if found else 0
        return Standing(row, [{name: one[name] for name in one if name != "all"} for one in found], total)

    async def wait(self, command_id: str, seconds: float) -> Standing | None:
        """As it stands once it is over, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            now = await self.standing(command_id)
            if now is None or now.over or time.monotonic() >= deadline:
                return now
            await asyncio.sleep(_LOOK)

    async def _send(self, row: Mapping[str, Any]) -> Answer:
        sender = self._senders.get(row["action"], self._to_its_owner)
        try:
            answer = await sender(row)
        except OwnerSilent as silent:
            answer = Answer(0, str(silent))
        if answered(answer, on_its_way=await self._on_its_way(row, answer)):
            await self._end(row, answer)
        else:
            await self._put_off(row, answer)
        return answer

    async def _to_its_owner(self, row: Mapping[str, Any]) -> Answer:
        return await ask_owner_to(self._owners, row, row["service"], row["path"], row["body"], row["command_id"])

    async def _on_its_way(self, row: Mapping[str, Any], answer: Answer) -> bool:
        kind, _, name = row["target"].partition("/")
        if answer.status != 404 or datetime.now(UTC) - row["created_at"] > ARRIVES_WITHIN:
            return False
        return bool(await self._q.target_known(self._pool, kind=kind, id=name))

    async def _end(self, row: Mapping[str, Any], answer: Answer) -> None:
        done = answer.status < 400
        body = answer.body if done else None
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in _PRIVATE}
        await self._q.answer_command(
            self._pool,
            command_id=row["command_id"],
            state="done" if done else "refused",
            status=answer.status,
            answer=body,
            told=answer.told,
            refusal=None if done else refusal_of(answer)._asdict(),
        )
        self._log.info(
            "command.answered", command=row["command_id"], action=row["action"], target=row["target"],
            status=answer.status, attempts=row["attempts"],
        )  # fmt: skip

    async def _put_off(self, row: Mapping[str, Any], answer: Answer) -> None:
        trouble = str(answer.body) if answer.status == 0 else f"{row['service']}: {refusal_of(answer).reason}"
        if datetime.now(UTC) - row["created_at"] > GIVES_UP_AFTER:
            refusal = given_up(trouble)._asdict()
            await self._q.answer_command(
                self._pool, command_id=row["command_id"], state="refused", status=503, answer=None, told=0,
                refusal=refusal,
            )  # fmt: skip
            return
        wait = next_try(row["attempts"])
        await self._q.put_off_command(self._pool, command_id=row["command_id"], wait=wait, trouble=trouble[:1000])
        self._log.warning(
            "command.put_off", command=row["command_id"], action=row["action"], target=row["target"], trouble=trouble
        )


async def ask_owner_to(
    owners: Owners, row: Mapping[str, Any], service: str, path: str, body: Any, command_id: str
) -> Answer:
    """One call under the command's id. Raises OwnerSilent."""
    answer = await owners.ask(
        service, "POST", path, json=body, headers={HEADER: command_id}, timeout=float(row["timeout_s"])
    )
    return Answer(answer.status_code, content(answer), int(answer.headers.get(TOLD, 0)))


def content(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:2000]
