"""How a store without the fulfillments feature is told: rows of its tracking plugin, or an order note. I/O only.

Neither has an idempotency key. So what is there is looked at first: a number that stands there and that no record of
ours names, a note with our reference. A second try then finds what a lost answer has made.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import CreateCall
from waybill_platforms.woocommerce import fulfilling, records, wire
from waybill_platforms.woocommerce.api import WC, Api, objects, read_as
from waybill_platforms.woocommerce.ways import Told

NO_TRACKING = "woocommerce_rest_order_shipment_tracking_invalid_id"
ACTION = "submit_fulfillment"


class Telling:
    """Of one store."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def tell(self, call: CreateCall, read: wire.Order, told: Told) -> records.Entry:
        """The entry for our record, which makes it count, when the store has been told."""
        tracking: tuple[str, ...] = ()
        if told.way == "tracking" and call.tracking_numbers:
            tracking = await self._rows(call, read, told)
        else:
            await self._note(call, read)
        known = records.entries(read)
        return records.Entry(
            key=fulfilling.free_key(records.mark(call.order_id, call.lines, call.tracking_numbers), known),
            lines=call.lines,
            carrier=call.carrier,
            numbers=call.tracking_numbers,
            url=call.tracking_url,
            at=datetime.now(UTC).replace(microsecond=0),
            tracking=tracking,
            shipped_on=str(call.body["shipped_on"]),
        )

    async def _rows(self, call: CreateCall, read: wire.Order, told: Told) -> tuple[str, ...]:
        taken = {one for entry in records.entries(read) if not entry.canceled for one in entry.tracking}
        free = {item.tracking_number: item.tracking_id for item in records.tracking_items(read)
                if item.tracking_id not in taken}  # fmt: skip
        ids = []
        for number in call.tracking_numbers:
            if number not in free:
                body = fulfilling.tracking_body(call, number, told.links)
                answer = await self._api.send(ACTION, "POST", told.route(call.order_id), body=body, effect=True)
                made = read_as(answer, wire.Tracking, answer.json())
                if not made.tracking_id:
                    raise answer.wrong_form("tracking_id: missing")
                free[number] = made.tracking_id  # not the one in Location: AST makes a number of it
            ids.append(free[number])
        return tuple(ids)

    async def _note(self, call: CreateCall, read: wire.Order) -> None:
        route = f"{WC}/orders/{call.order_id}/notes"
        answer = await self._api.get(ACTION, route)
        known = {entry.key.partition(".")[0] for entry in records.entries(read)}
        reference = fulfilling.note_reference(call)
        there = any(reference in read_as(answer, wire.Note, row).note for row in objects(answer))
        if there and reference.removeprefix("Ref. ") not in known:
            return  # the first try's, of which the record was lost
        body = {"note": fulfilling.note_text(call, read), "customer_note": bool(call.body["notify"])}
        await self._api.send(ACTION, "POST", route, body=body, effect=True)

    async def withdraw(self, told: Told, order_id: str, tracking: Collection[str], action: str) -> None:
        """Removes rows of the plugin; one that is gone already is no failure."""
        for tracking_id in sorted(tracking) if told.namespace else ():
            try:
                await self._api.send(action, "DELETE", told.route(order_id, f"/{tracking_id}"), effect=True)
            except PlatformError as error:
                if error.code != NO_TRACKING:
                    raise
