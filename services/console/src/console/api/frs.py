"""FRs as people act on them with the router: take one back, ask for it again, plan what waits (RT-8, RT-13)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.api.actions import Why, ask_owner
from console.api.commands import ACTION, Acting, acting
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.commander import Commander
from console.owners import Owners
from waybill_contracts import topics


class Regenerate(Why):
    """`override`: do not wait until the old FR is closed, at the risk of shipping twice; admins alone."""

    override: bool = False


class NewLine(BaseModel):
    """`quantity` pieces of the line, or units of one `sku` of it."""

    line_id: str
    quantity: int = Field(ge=1)
    sku: str | None = None


class NewFr(Why):
    """`lines` empty: all that is missing of the order."""

    order_id: str
    source: str
    lines: list[NewLine] = Field(default_factory=list, max_length=1000)
    shipping_method: str | None = None


class Preview(BaseModel):
    order_id: str


class Generate(Why):
    """Which orders; each is answered on its own."""

    order_ids: list[str] = Field(min_length=1, max_length=1000)


def frs_router(keys: Keys, owners: Owners, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["frs"])
    acts = Depends(acting(keys, commander))

    @router.post("/frs/{fr_id}/actions/void", **ACTION)
    async def void(fr_id: str, why: Why, by: Annotated[Acting, acts]) -> Any:
        """Take an FR back. A sent one is asked back at its source; its units wait until somebody asks for them."""
        body = {"reason": why.reason}
        return await by.does("fr.void", f"fr/{fr_id}", topics.ROUTER, f"/internal/frs/{fr_id}/void", body)

    @router.post("/frs/{fr_id}/actions/regenerate", **ACTION)
    async def regenerate(fr_id: str, why: Regenerate, by: Annotated[Acting, acts]) -> Any:
        """Take an FR back, and plan its units again once they are free (with `override`: at once)."""
        if why.override and by.actor.role != "admin":
            text = f"Key {by.actor.name!r} is {by.actor.role}; override needs admin."
            raise ProblemError(403, "Not allowed", text, "Regenerate without override, or ask an admin.")
        body = {"reason": why.reason, "override": why.override}
        return await by.does("fr.regenerate", f"fr/{fr_id}", topics.ROUTER, f"/internal/frs/{fr_id}/regenerate", body)

    @router.post("/frs", status_code=201, **ACTION)
    async def create(new: NewFr, by: Annotated[Acting, acts]) -> Any:
        """Make an FR by hand: source, lines and shipping method are yours; holds and stock still count (RT-10)."""
        body = new.model_dump(include={"reason", "source", "lines", "shipping_method"})
        path = f"/internal/orders/{new.order_id}/frs"
        return await by.does("fr.create", f"order/{new.order_id}", topics.ROUTER, path, body)

    @router.post("/frs:preview")
    async def preview(which: Preview, _: Annotated[Actor, Depends(keys.require("viewer"))]) -> Any:
        """What would be decided about an order now, group by group; nothing is stored (RT-9)."""
        return await ask_owner(owners, topics.ROUTER, "GET", f"/internal/orders/{which.order_id}/preview")

    @router.get("/orders/{order_id}/decisions")
    async def decisions(order_id: str, _: Annotated[Actor, Depends(keys.require("viewer"))]) -> Any:
        """Every routing decision about an order: its stages, and what it was made from (RT-12)."""
        return {"items": await ask_owner(owners, topics.ROUTER, "GET", f"/internal/orders/{order_id}/decisions")}

    @router.post("/frs:generate", **ACTION)
    async def generate(which: Generate, by: Annotated[Acting, acts]) -> Any:
        """Route orders that wait for a person because their channel does not generate by itself."""
        target = f"{len(which.order_ids)} orders"
        return await by.does("fr.generate", target, topics.ROUTER, "/internal/orders:generate", which.model_dump())

    return router
