"""What a person does: each action goes to the service that owns the row, with who and why, and answers with its word.

Until commands travel by topic, an owner that is away is said so (503), and nothing is stored to be tried later.
"""

from typing import Annotated, Any, Literal, NoReturn

import httpx
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.api.problems import ProblemError
from console.api.security import Actor, Keys
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


def actions_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["actions"])
    operator = Depends(keys.require("operator"))

    @router.post("/frs/{fr_id}/actions/{action}")
    async def act_on_fr(fr_id: str, action: FrAction, why: FrWhy, actor: Annotated[Actor, operator]) -> Any:
        """Process, resend, or mark by hand one FR; what its life cycle refuses is 409 with the reason."""
        body: dict[str, Any] = {"actor": actor.name, "reason": why.reason}
        if action == "mark":
            if why.state is None:
                raise ProblemError(422, "Incomplete", "state: say PROCESSED or ACKNOWLEDGED")
            body |= {"state": why.state, "platform_id": why.platform_id}
        return await _ask(topics.FULFILLMENT_PUSH, f"/internal/frs/{fr_id}/{action}", body)

    @router.post("/orders/{order_id}/actions/generate")
    async def generate(order_id: str, actor: Annotated[Actor, operator], why: Why | None = None) -> Any:
        """Route an order that waits for a person because its channel does not generate by itself (RT-8)."""
        body = {"actor": actor.name, "reason": why.reason if why else "generate"}
        return await _ask(topics.ROUTER, f"/internal/orders/{order_id}/generate", body)

    @router.post("/channels/{channel_id}/pull", status_code=202)
    async def pull(channel_id: str, _: Annotated[Actor, operator]) -> Any:
        """Look for changed orders now."""
        return await _ask(topics.ORDER_INGEST, f"/internal/channels/{channel_id}/pull", None)

    @router.post("/sources/{source_id}/poll", status_code=202)
    async def poll(source_id: str, _: Annotated[Actor, operator]) -> Any:
        """Ask for shipments now."""
        return await _ask(topics.SHIPMENT_POLLER, f"/internal/sources/{source_id}/poll", None)

    @router.post("/sources/{source_id}/send", status_code=202)
    async def send(source_id: str, _: Annotated[Actor, operator]) -> Any:
        """Send what is due now."""
        return await _ask(topics.FULFILLMENT_PUSH, f"/internal/sources/{source_id}/send", None)

    async def _ask(service: str, path: str, body: dict[str, Any] | None) -> Any:
        return await ask_owner(owners, service, "POST", path, body)

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
        raise ProblemError(503, "The service does not answer", str(silent)) from None
    if answer.status_code >= 400:
        refuse(answer)
    return answer.json()


def refuse(answer: httpx.Response) -> NoReturn:
    """The owner's refusal, in its own words."""
    try:
        detail = answer.json().get("detail", answer.text)
    except ValueError:
        detail = answer.text[:200]
    if isinstance(detail, list):  # of what FastAPI found wrong with the body
        detail = "; ".join(f"{'.'.join(map(str, item['loc'][1:])) or 'body'}: {item['msg']}" for item in detail)
    raise ProblemError(answer.status_code, "Not possible", str(detail))
