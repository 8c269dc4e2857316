"""What a source does not show any more, where its platform forgets a shipment that is deleted (SP-5).

Promises: only what a page says that it would show is missed, and only what this source itself had told: neither what
a person entered, nor what somebody posted under another id.
"""

from shipment_poller.model import Said, SaidStatus
from waybill_common.db import Connection, Queries, rows
from waybill_platforms.model.shipments import ShipmentPage


async def withdrawn_by_silence(conn: Connection, queries: Queries, source: str, page: ShipmentPage) -> dict[str, Said]:
    """The source's shipment id -> its last word, as taken back."""
    if not page.whole:
        return {}
    found = await rows(queries.standing_words(conn, source=source, references=list(page.whole)))
    told = [Said.model_validate(row["said"]) for row in found]
    return {said.id: said for said in missing(told, page)}


def missing(told: list[Said], page: ShipmentPage) -> list[Said]:
    """Pure: those that the page would show if they stood."""
    shown = {shipment.id for shipment in page.shipments}
    return [
        said.model_copy(update={"status": SaidStatus.CANCELED})
        for said in told
        if said.by_hand is None and said.id not in shown and said.id.startswith(f"{said.platform_id}/")
    ]
