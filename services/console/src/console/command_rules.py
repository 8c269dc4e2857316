"""What an owner's answer to a command means: done, refused for good, or to be sent again. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

ARRIVES_WITHIN = timedelta(seconds=30)
"""What we know of and its owner does not is on its way there: a command about it waits so long."""
GIVES_UP_AFTER = timedelta(days=1)
OF_THE_MOMENT = frozenset({408, 425, 429})
"""Statuses below 500 that judge the moment, not the request: the same one may be taken a little later."""
_LONGEST_WAIT = 60.0

UNEXPLAINED = "see the log of the service, which says more"


class Answer(NamedTuple):
    """What an owner said. `status` 0: nothing, `body` says why. `told`: facts that name the command, now or soon."""

    status: int
    body: Any = None
    told: int = 0


class Refusal(NamedTuple):
    """Why not, and what would work."""

    reason: str
    remedy: str
    code: str | None = None
    errors: list[dict[str, str]] | None = None
    """Fields that are wrong, each with its path."""


def answered(answer: Answer, *, on_its_way: bool) -> bool:
    """False: it is sent again. `on_its_way`: its target is known here, and may not have reached the owner yet."""
    if answer.status == 404:
        return not on_its_way
    return 0 < answer.status < 500 and answer.status not in OF_THE_MOMENT


def next_try(attempts: int) -> timedelta:
    """How long after the try of this number (from 1) the next one is due: 1 s, 2 s, 4 s, ... 1 minute."""
    return timedelta(seconds=min(2.0 ** (attempts - 1), _LONGEST_WAIT))


def refusal_of(answer: Answer) -> Refusal:
    """In the owner's own words: `{detail, remedy, code}`, or what FastAPI says of a body."""
    said = answer.body if isinstance(answer.body, Mapping) else {}
    detail = said.get("detail", answer.body)
    if isinstance(detail, list):  # of what FastAPI found wrong with the body
        wrong = [{"path": ".".join(map(str, i["loc"][1:])) or "body", "message": i["msg"]} for i in detail[:100]]
        words = "; ".join(f"{field['path']}: {field['message']}" for field in wrong)
        return Refusal(words, "mend these fields and ask for it again", errors=wrong)
    return Refusal(str(detail)[:2000], str(said.get("remedy") or UNEXPLAINED), said.get("code"))


def given_up(trouble: str) -> Refusal:
    """Nobody answered for a day."""
    remedy = "see that the service runs and look at what it is about; then ask for it again"
    return Refusal(f"it was not answered within a day: {trouble}", remedy)
