"""When each channel and source is looked at: its last turn, its next one, and how the last one ended (IN-2, SP-2)."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from console.api.actions import ask_owner
from console.api.problems import ProblemError
from console.api.security import Keys
from console.owners import Owners
from waybill_contracts import topics


class ChannelTurns(BaseModel):
    """A channel's pulls. Times are UTC; null: never yet, or nothing is to be asked for."""

    channel: str
    last_pull_at: AwareDatetime | None
    last_success_at: AwareDatetime | None
    next_pull_at: AwareDatetime | None
    running: bool = Field(description="a pull is under way")
    poll_every_seconds: float
    attempts: int = Field(description="tries of the window in hand that failed")
    last_error: str | None
    last_counts: dict[str, Any] | None = Field(description="of the last pull: orders seen, imported, held, excluded")


class SourceTurns(BaseModel):
    """A source's polls for shipments, as for a channel."""

    source: str
    last_poll_at: AwareDatetime | None
    next_poll_at: AwareDatetime | None
    attempts: int


class Schedule(BaseModel):
    """`unanswered` names services that could not be asked: what they know is left out."""

    channels: list[ChannelTurns]
    sources: list[SourceTurns]
    unanswered: list[str]


def schedule_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])

    @router.get("/schedule", dependencies=[Depends(keys.require("viewer"))], response_model=Schedule)
    async def schedule() -> Any:
        """Last and next pull of each channel, last and next poll of each source."""
        unanswered: list[str] = []

        async def ask(service: str, path: str) -> dict[str, Any]:
            try:
                found: dict[str, Any] = await ask_owner(owners, service, "GET", path)
            except ProblemError as silent:
                unanswered.append(silent.detail)
                return {}
            return found

        pulls, polls = await asyncio.gather(
            ask(topics.ORDER_INGEST, "/internal/channels"), ask(topics.SHIPMENT_POLLER, "/internal/waiting")
        )
        channels = [row for row in pulls.get("channels", []) if row["active"]]
        sources = [
            {
                "source": row["source"],
                "last_poll_at": row["turned_at"],
                "next_poll_at": row["due_at"],
                "attempts": row["attempts"],
            }
            for row in polls.get("sources", [])
        ]
        return {"channels": channels, "sources": sources, "unanswered": unanswered}

    return router
