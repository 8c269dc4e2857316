"""A channel's courier names and services: what waits for one, what saving a draft releases, what it accepts (SP-7)."""

from typing import Any

from fastapi import APIRouter, Depends

from console.api.actions import ask_owner
from console.api.security import Keys
from console.owners import Owners
from waybill_contracts import topics


def couriers_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["shipments"], dependencies=[Depends(keys.require("viewer"))])

    async def ask(method: str, path: str, body: Any = None) -> Any:
        return await ask_owner(owners, topics.SHIPMENT_POLLER, method, path, body, seconds=30.0)

    @router.get("/channels/{channel_id}/mappings/couriers")
    async def couriers(channel_id: str) -> Any:
        """The map, what waits for a name (first), what sources may ship with, and the names that the channel takes."""
        return await ask("GET", f"/internal/channels/{channel_id}/couriers")

    @router.post("/channels/{channel_id}/mappings/couriers:preview")
    async def preview(channel_id: str, draft: dict[str, Any]) -> Any:
        """How many orders saving this map (`{map, unmapped}`) would release, and which couriers would still wait."""
        return await ask("POST", f"/internal/channels/{channel_id}/couriers/preview", draft)

    @router.get("/channels/{channel_id}/mappings/courier-services")
    async def services(channel_id: str) -> Any:
        """As for couriers: our `courier/service` names, and the channel's own shipping methods to choose from."""
        return await ask("GET", f"/internal/channels/{channel_id}/courier-services")

    @router.post("/channels/{channel_id}/mappings/courier-services:preview")
    async def preview_services(channel_id: str, draft: dict[str, Any]) -> Any:
        """How many orders saving this map of services would release."""
        return await ask("POST", f"/internal/channels/{channel_id}/courier-services/preview", draft)

    return router
