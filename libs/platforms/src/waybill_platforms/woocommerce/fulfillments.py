"""Tells a store what was shipped, in the way that it has. I/O only; bodies and checks are in `fulfilling`.

Promises: every create is checked against a read of its own, made just before, because the store accepts any quantity of
any item; what makes a shipment count for us is one HTTP call, the last one. Tracking that was stored without our record
of its pieces (the answer was lost between the two) is taken over by the next try, not stored twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from waybill_common.retry import Family
from waybill_platforms.calls import Answer
from waybill_platforms.errors import NotFulfillable, PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.woocommerce import automatic, fulfilling, mapping, records, wire
from waybill_platforms.woocommerce.api import WC, Api, missing, objects, read_as
from waybill_platforms.woocommerce.reading import Reading, unreadable
from waybill_platforms.woocommerce.telling import Telling
from waybill_platforms.woocommerce.ways import Told, Ways

MOST_NOTICES = 20


@dataclass(frozen=True, slots=True)
class Sight:
    """An order as one read showed it."""

    order: wire.Order
    told: Told
    state: ChannelFulfillments


class WooFulfillments:
    """The `FulfillmentWriter` of one store."""

    def __init__(self, api: Api, reading: Reading, ways: Ways, completes: bool) -> None:
        self._api = api
        self._reading = reading
        self._ways = ways
        self._telling = Telling(api)
        self._completes = completes
        self._left: dict[str, str] = {}

    def notices(self) -> tuple[str, ...]:
        """What this store cannot be told, and orders whose status could not be set."""
        return tuple(filter(None, (self._ways.lacks, *self._left.values())))

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        """The order, its refunds where it has some, and its fulfillments where the store has the feature."""
        sight = await self._look(order_id, "get_fulfillments")
        return None if sight is None else sight.state

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        """Pure; see `fulfilling.calls_for`."""
        return fulfilling.calls_for(state, draft)

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        """Checks the pieces against a fresh read, then tells the store; the last shipment completes the order."""
        sight = await self._look(call.order_id, "submit_fulfillment")
        if sight is None:
            raise _order_missing(call.order_id, "submit_fulfillment")
        try:
            fulfilling.refuse_more_than_open(sight.state, dict(call.lines))
        except NotFulfillable as less:
            raise _refused(str(less), "not_fulfillable") from None
        status = "completed" if self._completes and call.body["completes"] and _may_complete(sight) else None
        if sight.told.way == "fulfillments":
            made = await self._fulfill(call, sight.order)
            if status is not None:
                await self._complete(sight.order)
            return made
        entry = await self._telling.tell(call, sight.order, sight.told)
        return await self._record(sight, [*records.entries(sight.order), entry], entry.key, status)

    async def update_tracking(
        self,
        fulfillment_id: str,
        *,
        carrier: str,
        tracking_numbers: tuple[str, ...],
        tracking_url: str | None,
        shipped_at: datetime | None = None,
        service: str = "",
        notify: bool = False,
    ) -> FulfillmentRecord:
        """In place: the fulfillment's meta, or our record and the plugin's rows."""
        action = "update_fulfillment"
        order_id, kind, key = _parts(fulfillment_id)
        sight = await self._sight(order_id, action)
        if kind == "f":
            return await self._correct(sight, key, carrier, tracking_numbers, tracking_url, notify)
        known = records.entries(sight.order)
        old = _entry(known, key, fulfillment_id, action)
        body = {"notify": notify, "completes": False, "shipped_on": fulfilling.day(shipped_at) or old.shipped_on}
        call = CreateCall(order_id, sight.told.way, old.lines, carrier, tracking_numbers, tracking_url, body)
        fresh = await self._telling.tell(call, sight.order, sight.told)
        entry = replace(fresh, key=old.key, at=old.at)
        record = await self._record(sight, [entry if one.key == key else one for one in known], key, None)
        await self._telling.withdraw(sight.told, order_id, set(old.tracking) - set(entry.tracking), action)
        return record

    async def cancel(self, fulfillment_id: str) -> None:
        """Deletes it (which the store may be asked again), and opens the order if that had completed it."""
        action = "cancel_fulfillment"
        order_id, kind, key = _parts(fulfillment_id)
        sight = await self._sight(order_id, action)
        status = "processing" if self._completes and _opens(sight, fulfillment_id) else None
        if kind == "f":
            route = f"{WC}/orders/{order_id}/fulfillments/{key}"
            await self._api.send(action, "DELETE", route, {"notify_customer": "false"}, effect=True)
            if status is not None:
                await self._put(order_id, {"status": status}, action)
            return
        known = records.entries(sight.order)
        old = _entry(known, key, fulfillment_id, action)
        await self._telling.withdraw(sight.told, order_id, set(old.tracking), action)
        entries = [replace(one, canceled=True) if one.key == key else one for one in known]
        await self._put(order_id, fulfilling.order_body(entries, status), action)

    # -- reading

    async def _sight(self, order_id: str, action: str) -> Sight:
        sight = await self._look(order_id, action)
        if sight is None:
            raise _order_missing(order_id, action)
        return sight

    async def _look(self, order_id: str, log_type: str) -> Sight | None:
        read = await self._reading.order(order_id, log_type)
        if read is None or read.status in mapping.NO_ORDER_YET:
            return None
        made = await self._ways.fulfillments(read.id, log_type)
        known = await self._reading.known_of(read, log_type, made or ())
        told = Told("fulfillments") if made is not None else await self._ways.otherwise(read.id, log_type)
        items, offset = await self._items(read, told, log_type), mapping.clock_offset(read)
        shown = tuple(automatic.shown(read, one, offset, known.virtual) for one in made or ())
        # what was told before the feature was switched on, or since it is off, stands in our record
        shown += tuple(records.record_of_entry(read.id, one, items, told.links) for one in _entries(read, log_type))
        known = replace(known, shipped=records.shipped(one.lines for one in shown if one.status == "success"))
        return Sight(read, told, _state(read, known, told, shown))

    async def _items(self, read: wire.Order, told: Told, log_type: str) -> tuple[wire.Tracking, ...]:
        """The plugin's rows: in the order's meta, or asked for where a plugin keeps them elsewhere."""
        found = records.tracking_items(read)
        missed = any(entry.tracking and not records.stands(entry, found) for entry in records.live_entries(read))
        if not missed or told.way != "tracking":
            return found
        answer = await self._api.get(log_type, told.route(read.id))
        return tuple(read_as(answer, wire.Tracking, row) for row in objects(answer))

    # -- writing

    async def _fulfill(self, call: CreateCall, read: wire.Order) -> FulfillmentRecord:
        action = "submit_fulfillment"
        notify = "true" if call.body["notify"] else "false"
        answer = await self._api.send(
            action,
            "POST",
            f"{WC}/orders/{call.order_id}/fulfillments",
            {"notify_customer": notify},
            fulfilling.fulfillment_body(call),
            effect=True,
        )
        made = records.record(read.id, _fulfillment(answer), mapping.clock_offset(read))
        if (made.status, sorted(made.lines)) != ("success", sorted(call.lines)):
            raise answer.wrong_form(f"asked for {call.lines}, the store made {made.lines} ({made.raw_status})")
        return made

    async def _correct(
        self, sight: Sight, key: str, carrier: str, numbers: tuple[str, ...], url: str | None, notify: bool
    ) -> FulfillmentRecord:
        action, order_id = "update_fulfillment", str(sight.order.id)
        route = f"{WC}/orders/{order_id}/fulfillments/{key}"
        there = _fulfillment(await self._api.get(action, route))
        body = fulfilling.corrected_body(there, order_id, carrier, numbers, url)
        params = {"notify_customer": "true" if notify else "false"}
        answer = await self._api.send(action, "PUT", route, params, body, effect=True)
        return records.record(sight.order.id, _fulfillment(answer), mapping.clock_offset(sight.order))

    async def _complete(self, read: wire.Order) -> None:
        """The shipment stands already: a status that cannot be set is told, and makes no second shipment."""
        order_id = str(read.id)
        try:
            await self._put(order_id, {"status": "completed"}, "submit_fulfillment")
        except PlatformError as error:
            text = f"order {read.number} is shipped whole, but could not be set completed: {error.message}"
            self._left = dict([*self._left.items(), (order_id, text)][-MOST_NOTICES:])
        else:
            self._left.pop(order_id, None)

    async def _record(
        self, sight: Sight, entries: list[records.Entry], key: str, status: str | None
    ) -> FulfillmentRecord:
        order_id = str(sight.order.id)
        after = await self._put(order_id, fulfilling.order_body(entries, status), "submit_fulfillment")
        items = await self._items(after, sight.told, "submit_fulfillment")
        for one in _entries(after, "submit_fulfillment"):
            if one.key == key:
                return records.record_of_entry(after.id, one, items, sight.told.links)
        raise unreadable(
            after, f"meta_data {records.SHIPMENTS}: the store did not keep our record", "submit_fulfillment"
        )

    async def _put(self, order_id: str, body: dict[str, object], action: str) -> wire.Order:
        route, fields = f"{WC}/orders/{order_id}", {"_fields": wire.ORDER_FIELDS}
        try:
            answer = await self._api.send(action, "PUT", route, fields, body, effect=True)
        except PlatformError as error:
            if missing(error):
                raise _refused(
                    f"order {order_id}: the store does not have it any more", "order_missing", action
                ) from error
            raise
        return read_as(answer, wire.Order, answer.json())


def _state(
    read: wire.Order, known: mapping.Known, told: Told, shown: tuple[FulfillmentRecord, ...]
) -> ChannelFulfillments:
    parts = fulfilling.open_parts(read, known, told.way)
    gone, on_hold = read.status in mapping.GONE, mapping.FULFILLMENT.get(read.status) == "on_hold"
    return ChannelFulfillments(
        order_id=str(read.id),
        canceled=gone,
        fulfillment="canceled" if gone else "on_hold" if on_hold else mapping.by_pieces(read, known),
        remaining={part.line_id: part.remaining for part in parts},
        fulfillments=shown,
        parts=parts,
        blocked={str(line.id): f"order {read.status}" for line in read.line_items} if on_hold else {},
        takes_ship_date=told.way == "tracking",
    )


def _opens(sight: Sight, fulfillment_id: str) -> bool:
    """Whether the order, completed with all that left, has something open without this one. Asked again for one that is
    gone, when the rest has been told anew, nothing is: then `processing` would be wrong."""
    if sight.order.status != "completed":
        return False
    stands = any(one.id == fulfillment_id and one.status == "success" for one in sight.state.fulfillments)
    return stands or any(part.parcel == fulfilling.SHIPS for part in sight.state.parts)


def _may_complete(sight: Sight) -> bool:
    return sight.order.status not in {"completed", "refunded"}


def _entries(read: wire.Order, log_type: str) -> tuple[records.Entry, ...]:
    try:
        return records.entries(read)
    except ValueError as error:
        raise unreadable(read, str(error), log_type) from None


def _fulfillment(answer: Answer) -> wire.Fulfillment:
    body = answer.json()
    inner = body.get("fulfillment", body) if isinstance(body, dict) else body
    return read_as(answer, wire.Fulfillment, inner)


def _entry(known: tuple[records.Entry, ...], key: str, fulfillment_id: str, action: str) -> records.Entry:
    for one in known:
        if one.key == key:
            return one
    raise _refused(
        f"fulfillment {fulfillment_id}: the order does not record it any more", "fulfillment_missing", action
    )


def _parts(fulfillment_id: str) -> tuple[str, str, str]:
    order_id, kind, key = fulfillment_id.split("/", 2)
    return order_id, kind, key


def _order_missing(order_id: str, action: str) -> PlatformError:
    return _refused(f"order {order_id}: the store does not have it any more", "order_missing", action)


def _refused(message: str, code: str, action: str = "submit_fulfillment") -> PlatformError:
    """Nothing was sent."""
    return PlatformError(message, family=Family.REFUSED, cause="refused", outcome="none", action=action, code=code)
