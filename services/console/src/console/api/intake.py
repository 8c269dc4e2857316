"""Orders that people hand in: a file's rows chunk by chunk, one order by hand (IN-5). order-ingest takes them.

Passed on as they came; what is answered 2xx is committed there. A chunk is harmless to repeat.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import Response

from console.api.actions import refuse, silent_owner
from console.api.commands import ACTION, Acting, acting
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.commander import Commander, Wish
from console.owners import Owners, OwnerSilent
from waybill_contracts import topics

MOST_BYTES = 8 * 1024 * 1024
TIMEOUT = 60.0  # seconds; a chunk of many orders is one transaction

_CHUNK = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["channel", "columns", "rows"],
                    "properties": {
                        "channel": {"type": "string"},
                        "columns": {"type": "array", "items": {"type": "string"}, "description": "the file's header"},
                        "rows": {
                            "type": "array",
                            "description": "[row number, [cell, ...]] each; all rows of an order in one chunk",
                            "items": {"type": "array"},
                        },
                        "map": {"type": "object", "description": "our field -> the file's column"},
                        "dry_run": {"type": "boolean"},
                    },
                }
            }
        },
    }
}


def intake_router(keys: Keys, owners: Owners, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["orders"])
    operator, acts = Depends(keys.require("operator")), Depends(acting(keys, commander))

    @router.post("/orders:import", openapi_extra=_CHUNK)
    async def import_rows(request: Request, _: Annotated[Actor, operator]) -> Response:
        """Import some rows of a file, or with `dry_run` say what would become of them.

        Answers `{rows, orders, imported, unchanged, held, excluded, rejected, reasons, errors, columns, ignored}`.
        """
        return await _pass("/internal/orders/import", await _bounded(request), {})

    @router.post("/orders", status_code=201, **ACTION)
    async def place(order: Annotated[dict[str, Any], Body()], by: Annotated[Acting, acts]) -> Any:
        """Place one order by hand: `{channel, number, ship_to: {country, ...}, lines: [{sku, quantity}], ...}`."""
        target = f"order {str(order.get('number'))[:100]} of {str(order.get('channel'))[:100]}"
        path = "/internal/orders/place"
        return await by.gives(Wish("order.place", target, topics.ORDER_INGEST, path, order, timeout=TIMEOUT))

    async def _pass(path: str, body: bytes, headers: dict[str, str]) -> Response:
        headers = {"Content-Type": "application/json", **headers}
        try:
            answer = await owners.ask(topics.ORDER_INGEST, "POST", path, content=body, headers=headers, timeout=TIMEOUT)
        except OwnerSilent as silent:
            raise silent_owner(silent) from None
        if answer.status_code >= 400:
            refuse(answer)
        return Response(answer.content, answer.status_code, media_type="application/json")

    return router


async def _bounded(request: Request) -> bytes:
    """The body, never more than is allowed of it in memory."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            text = f"This is more than {MOST_BYTES // 1024 // 1024} MiB"
            raise ProblemError(413, "Too large", text, "Send it in smaller chunks.")
    return bytes(body)
