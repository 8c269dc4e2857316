"""Internal HTTP for orders that people hand in: chunks of a file, one order by hand; answered after the commit.

POST /internal/orders/import  rows of a file: {channel, columns, rows: [[row number, [cell, ...]], ...], map, dry_run}
POST /internal/orders/place   one order; the header Idempotency-Key makes a repetition harmless
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from order_ingest.file_orders import Row
from order_ingest.import_file import Chunk, FileImport
from order_ingest.place_order import PlacedOrder, PlaceOrder
from waybill_common.commands import Taken

MOST_ROWS = 20_000


class ImportChunk(BaseModel):
    """Some rows of a file. All rows of one order stand in the same chunk."""

    channel: str
    columns: list[str] = Field(max_length=500, description="the file's header")
    rows: list[tuple[int, list[str]]] = Field(max_length=MOST_ROWS, description="[row number, [cell, ...]] each")
    map: dict[str, str] = Field(default_factory=dict, description="our field -> the file's column")
    dry_run: bool = False


def intake_routes(files: FileImport, place: PlaceOrder) -> APIRouter:
    router = APIRouter()

    @router.post("/orders/import")
    async def import_chunk(chunk: ImportChunk) -> dict[str, Any]:
        rows = [Row(number, cells) for number, cells in chunk.rows]
        return (await files.take(Chunk(chunk.channel, chunk.map, chunk.columns, rows, chunk.dry_run))).as_json()

    @router.post("/orders/place", status_code=201)
    async def place_order(
        placed: PlacedOrder,
        command: Taken,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
        traceparent: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        return await place.place(placed, idempotency_key, traceparent, command)

    return router
