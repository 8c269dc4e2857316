"""Fulfillments that a store makes by itself, of goods that have not left. Pure.

WooCommerce with its fulfillments feature (10.1 on) fulfills each product with a file to download at the moment when
the order becomes `processing`, as it is installed (setting `auto_fulfill_downloadable`). It does not ask whether the
product ships as well: a CD with its files is "fulfilled" while it lies on the shelf.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from waybill_platforms.model.fulfillments import FulfillmentRecord
from waybill_platforms.woocommerce import records, wire

PROCESSED = "_auto_fulfill_processed"
"""The order's meta from that moment on, whether there was such a product or not."""
AT_ONCE = timedelta(minutes=1)
"""From the payment (or the order, where it is paid on delivery) to such a fulfillment; no person is so quick."""


def automatic(read: wire.Order, made: wire.Fulfillment, offset: timedelta) -> bool:
    """It has items and a date, and nothing else; what people make has at least how it was shipped."""
    if not read.meta(PROCESSED) or not {one.key for one in made.meta_data} <= {"_items", "_date_fulfilled"}:
        return False
    at = records.moment(str(made.meta("_date_fulfilled") or made.date_updated), offset)
    return any(abs(at - one) <= AT_ONCE for one in (read.date_paid_gmt, read.date_created_gmt) if one is not None)


def left(read: wire.Order, made: wire.Fulfillment, offset: timedelta, virtual: Collection[str] = ()) -> records.Lines:
    """What has left by this fulfillment; of one that the store made itself only what does not ship at all."""
    if not records.is_live(made):
        return ()
    if not automatic(read, made, offset):
        return records.items(made)
    downloads = {str(line.id) for line in read.line_items if line.sku in virtual}
    return tuple((line_id, quantity) for line_id, quantity in records.items(made) if line_id in downloads)


def shown(read: wire.Order, made: wire.Fulfillment, offset: timedelta, virtual: Collection[str]) -> FulfillmentRecord:
    """One of an order's fulfillments; the store's own stands for what does not ship, or for nothing."""
    found = records.record(read.id, made, offset)
    if found.status != "success" or not automatic(read, made, offset):
        return found
    lines = left(read, made, offset, virtual)
    return replace(found, lines=lines, status="success" if lines else "failed", raw_status="fulfilled by the store")
