"""Commands by REST: each action is one; where it stands, what it led to, and waiting for that (DESIGN section 7)."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from console.api.paging import page, read_cursor
from console.api.params import Limit
from console.api.problems import ProblemError, WrongField
from console.api.security import Actor, Keys
from console.command_rules import UNEXPLAINED
from console.commander import Commander, Standing, Wish
from console.words import CommandState, Role
from waybill_common.db import Pool, Queries, rows
from waybill_common.ids import new_id, stable_id

Wait = Annotated[
    str | None,
    Query(
        pattern=r"^([1-5]?[0-9]|60)s?$",
        description="e.g. 10s: wait so long until all effects are in the read model; the answer says whether they are",
    ),
]
ID = "id of the command; waybill commands show ID"


class Effect(BaseModel):
    """One activity that names the command."""

    at: AwareDatetime
    service: str
    activity: str
    title: str
    order_id: str
    fr_id: str | None
    shipment_id: str | None


class Refused(BaseModel):
    """Why not, and what would work."""

    reason: str
    remedy: str
    code: str | None = None
    errors: list[WrongField] | None = Field(default=None, description="fields that are wrong")
    status: int


class CommandNow(BaseModel):
    """Where a command stands: stored, sent (and sent again until it is answered), done, or refused."""

    command_id: str
    action: str
    target: str
    actor: str
    reason: str
    state: str
    created_at: AwareDatetime
    sent_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    attempts: int
    trouble: str = Field(description="why its owner has not answered yet")
    refused: Refused | None
    effects: list[Effect] = Field(description="the first 100 activities that name it")
    in_read_model: bool = Field(description="all that it led to can be read here; false: not yet")


class Acted(BaseModel):
    """The owner's answer, with the command that it answers."""

    model_config = ConfigDict(extra="allow")

    command_id: str = Field(description=ID)
    command: CommandNow


ACTION: dict[str, Any] = {
    "response_model": Acted,
    "responses": {202: {"description": "Stored; it is sent until its owner answers", "model": Acted}},
}
"""What every route that gives a command declares."""


class Acting:
    """One caller's way to give a command."""

    def __init__(self, commander: Commander, actor: Actor, wait: float, command_id: str, response: Response) -> None:
        self.actor = actor
        self._commander = commander
        self._wait = wait
        self._id = command_id
        self._response = response

    async def does(self, action: str, target: str, service: str, path: str, body: Any = None, **more: Any) -> Any:
        """The answer, or a problem that says why it is refused and what would work. 202: nobody has answered yet."""
        reason = str((body or {}).get("reason") or "")
        sent = None if body is None else {"actor": self.actor.name, **body}
        return await self.gives(Wish(action, target, service, path, sent, reason, **more))

    async def gives(self, wish: Wish) -> Any:
        answer = await self._commander.give(self._id, wish, self.actor.name)
        now = await self._commander.wait(self._id, self._wait)
        assert now is not None
        if now.row["state"] == "refused":
            raise _problem(now)
        said = answer.body if answer is not None and now.row["state"] == "done" else now.row["answer"]
        if now.row["state"] != "done":
            self._response.status_code = 202
        return {**(said or {}), "command_id": self._id, "command": shown(now)}


def acting(keys: Keys, commander: Commander, role: Role = "operator") -> Callable[..., Any]:
    """A dependency: who calls, and their way to give a command.

    A call that is repeated with its Idempotency-Key is the same command.
    """

    async def acts(
        request: Request,
        response: Response,
        actor: Annotated[Actor, Depends(keys.require(role))],
        wait: Wait = None,
        idempotency_key: Annotated[str | None, Header(description="the same key is the same command")] = None,
    ) -> Acting:
        path = request.url.path
        made = stable_id("command", actor.key_id, path, idempotency_key) if idempotency_key else new_id()
        return Acting(commander, actor, seconds(wait), str(made), response)

    return acts


def seconds(wait: str | None) -> float:
    return float(wait.rstrip("s")) if wait else 0.0


def shown(now: Standing) -> dict[str, Any]:
    row = now.row
    names = ("command_id", "action", "target", "actor", "reason", "state", "attempts", "trouble")
    times = ("created_at", "sent_at", "ended_at")
    refused = {**row["refusal"], "status": row["status"]} if row["refusal"] else None
    return {
        **{name: row[name] for name in (*names, *times)},
        "refused": refused,
        "effects": now.effects,
        "in_read_model": now.over and row["state"] == "done",
    }


def _problem(now: Standing) -> ProblemError:
    refusal, row = now.row["refusal"], now.row
    more = {name: value for name, value in refusal.items() if value is not None and name != "remedy"}
    reason, remedy = refusal["reason"], refusal["remedy"] or UNEXPLAINED
    return ProblemError(row["status"], "Not possible", reason, remedy, command_id=row["command_id"], **more)


def commands_router(pool: Pool, q: Queries, keys: Keys, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["commands"], dependencies=[Depends(keys.require("viewer"))])

    @router.get("/commands")
    async def list_commands(
        state: CommandState | None = None,
        target: Annotated[str | None, Query(description="order/ID, fr/ID, shipment/ID, channel/ID, source/ID")] = None,
        actor: str | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """What people and programs asked for, newest first."""
        after = read_cursor(cursor)
        found = await rows(
            q.list_commands(pool, state=state, target=target, actor=actor, at=after.at, after=after.id, limit=limit + 1)
        )
        return page(found, limit, _line, lambda row: (row["created_at"], row["command_id"]))

    @router.get("/commands/{command_id}", response_model=CommandNow)
    async def show_command(command_id: str, wait: Wait = None) -> Any:
        """Where it stands, why it was refused and what would work, and what it led to."""
        now = await commander.wait(command_id, seconds(wait))
        if now is None:
            text = f"No command has the id {command_id!r}; they are kept for 90 days"
            raise ProblemError(404, "No such command", text, "List them: GET /commands, waybill commands list")
        return shown(now)

    return router


def _line(row: Any) -> dict[str, Any]:
    line = shown(Standing(row, [], 0))
    return {name: value for name, value in line.items() if name not in ("effects", "in_read_model")}
