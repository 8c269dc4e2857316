"""`POST /hooks/{connection}`: what platforms and suppliers post to us, passed on to the connection's owner.

No API key: the owner checks the platform's signature over the raw body, which is why it is passed on byte for byte.
Only the address is looked at here, and the size.
"""

import base64

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from console.api.problems import problem
from console.command_rules import Answer, refusal_of
from console.commander import content
from console.erase_person import ErasePerson, Whose
from console.owners import NoSuchPath, Owners, OwnerSilent
from waybill_common.db import Pool, Queries
from waybill_contracts import topics

MOST_BYTES = 2 * 1024 * 1024
_OWNERS = {"channel": topics.ORDER_INGEST, "source": topics.SHIPMENT_POLLER}


def add_hooks(app: FastAPI, pool: Pool, q: Queries, owners: Owners, eraser: ErasePerson) -> None:
    """Adds the route to the app itself: its address is the platform's to keep, so it has no version."""

    @app.post("/hooks/{connection}", include_in_schema=False)
    async def hook(connection: str, request: Request) -> Response:
        kind = await q.kind_of_connection(pool, connection=connection)
        if kind is None:
            text = f"No channel or source has the id {connection[:80]!r}"
            return problem(404, "No such connection", text, "Post to /hooks/ID of one that is configured")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                text = f"The body is longer than {MOST_BYTES // 2**20} MiB"
                return problem(413, "Too long", text, "Post less at once")
        call = {"headers": dict(request.headers), "body": base64.b64encode(body).decode()}
        try:
            answer = await owners.ask(_OWNERS[kind], "POST", f"/internal/hooks/{connection}", json=call, timeout=20.0)
        except (OwnerSilent, NoSuchPath) as silent:
            return problem(503, "Not now", str(silent), "Post it again")
        if answer.status_code >= 400:
            refusal = refusal_of(Answer(answer.status_code, content(answer)))
            return problem(answer.status_code, "Not taken", refusal.reason, refusal.remedy)
        told = answer.json()
        if (person := told.pop("erase", None)) is not None:  # stored before the platform hears that it was taken
            whose = Whose(person["email"], connection, (), person["channel_order_ids"])
            delivery = told.pop("delivery")
            await eraser.ask(whose, f"channel/{connection}", told["topic"], f"{connection}/{delivery}")
        return JSONResponse(told, answer.status_code)
