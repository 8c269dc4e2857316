"""What a person does with one FR, a channel or a source: each a command to the service that owns it."""

from typing import Annotated, Any, Literal, NoReturn

import httpx
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.api.commands import ACTION, Acted, Acting, acting
from console.api.problems import AGAIN, ProblemError
from console.api.security import Keys
from console.command_rules import Answer, refusal_of
from console.commander import Commander, content
from console.owners import Owners, OwnerSilent
from waybill_contracts import topics

FrAction = Literal["process", "resend", "mark"]


class Why(BaseModel):
    """Kept in the history of what was acted on."""

    reason: str = Field(min_length=1, max_length=1000)


class FrWhy(Why):
    """`state` is for `mark` alone: PROCESSED or ACKNOWLEDGED, with the source's own id where it is known."""

    state: Literal["PROCESSED", "ACKNOWLEDGED"] | None = None
    platform_id: str = ""


def actions_router(keys: Keys, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["actions"])
    acts = Depends(acting(keys, commander))

    @router.post("/frs/{fr_id}/actions/{action}", **ACTION)
    async def act_on_fr(fr_id: str, action: FrAction, why: FrWhy, by: Annotated[Acting, acts]) -> Any:
        """Process, resend, or mark by hand one FR; what its life cycle refuses is 409 with the reason."""
        body: dict[str, Any] = {"reason": why.reason}
        if action == "mark":
            if why.state is None:
                raise ProblemError(422, "Incomplete", "state is missing", "Say state: PROCESSED or ACKNOWLEDGED")
            body |= {"state": why.state, "platform_id": why.platform_id}
        path = f"/internal/frs/{fr_id}/{action}"
        return await by.does(f"fr.{action}", f"fr/{fr_id}", topics.FULFILLMENT_PUSH, path, body)

    @router.post("/orders/{order_id}/actions/generate", **ACTION)
    async def generate(order_id: str, by: Annotated[Acting, acts], why: Why | None = None) -> Any:
        """Route an order that waits for a person because its channel does not generate by itself (RT-8)."""
        body = {"reason": why.reason if why else "generate"}
        return await by.does(
            "fr.generate", f"order/{order_id}", topics.ROUTER, f"/internal/orders/{order_id}/generate", body
        )

    @router.post("/channels/{channel_id}/pull", status_code=202, response_model=Acted)
    async def pull(channel_id: str, by: Annotated[Acting, acts]) -> Any:
        """Look for changed orders now."""
        path = f"/internal/channels/{channel_id}/pull"
        return await by.does("channel.pull", f"channel/{channel_id}", topics.ORDER_INGEST, path)

    @router.post("/sources/{source_id}/poll", status_code=202, response_model=Acted)
    async def poll(source_id: str, by: Annotated[Acting, acts]) -> Any:
        """Ask for shipments now."""
        path = f"/internal/sources/{source_id}/poll"
        return await by.does("source.poll", f"source/{source_id}", topics.SHIPMENT_POLLER, path)

    @router.post("/sources/{source_id}/send", status_code=202, response_model=Acted)
    async def send(source_id: str, by: Annotated[Acting, acts]) -> Any:
        """Send what is due now."""
        path = f"/internal/sources/{source_id}/send"
        return await by.does("source.send", f"source/{source_id}", topics.FULFILLMENT_PUSH, path)

    return router


async def ask_owner(
    owners: Owners,
    service: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    params: dict[str, Any] | None = None,
    seconds: float = 10.0,
) -> Any:
    """The owner's answer; that it is silent (503) or refuses (its own status and reason) is a problem."""
    try:
        answer = await owners.ask(service, method, path, json=body, params=params, timeout=seconds)
    except OwnerSilent as silent:
        raise silent_owner(silent) from None
    if answer.status_code >= 400:
        refuse(answer)
    return answer.json()


def refuse(answer: httpx.Response) -> NoReturn:
    """The owner's refusal, in its own words."""
    refusal = refusal_of(Answer(answer.status_code, content(answer)))
    more = {name: value for name, value in refusal._asdict().items() if name in ("code", "errors") and value}
    raise ProblemError(answer.status_code, "Not possible", refusal.reason, refusal.remedy, **more)


def silent_owner(silent: OwnerSilent) -> ProblemError:
    return ProblemError(503, "The service does not answer", str(silent), AGAIN)
