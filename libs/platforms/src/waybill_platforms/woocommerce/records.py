"""What an order's fulfillments say: WooCommerce's own, and our record of them where the store keeps no lines. Pure.

A store without the fulfillments feature knows no lines of a shipment. What we told it then stands in the order's meta
(`_waybill_shipments`), written in the same call as the order's status: it is the truth that is read back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from waybill_platforms.model.fulfillments import FulfillmentRecord
from waybill_platforms.woocommerce import wire

SHIPMENTS = "_waybill_shipments"
MARK = "_waybill_fulfillment"
"""Meta of a fulfillment that we made: our idempotency mark."""
TRACKING_ITEMS = "_wc_shipment_tracking_items"
SEVERAL = ", "
"""WooCommerce has one field for tracking numbers; several stand in it so."""

Lines = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One shipment that we told a store which keeps no lines."""

    key: str
    lines: Lines
    carrier: str
    numbers: tuple[str, ...]
    url: str | None
    at: datetime
    tracking: tuple[str, ...] = ()
    """Ids of the plugin's rows; empty where it was told by a note."""
    canceled: bool = False
    shipped_on: str = ""
    """The day of shipping that the store was told, as YYYY-MM-DD; empty where none was."""

    def told(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "lines": [[line, quantity] for line, quantity in self.lines],
            "carrier": self.carrier,
            "numbers": list(self.numbers),
            "url": self.url or "",
            "at": self.at.astimezone(UTC).isoformat(),
            "tracking": list(self.tracking),
            "canceled": self.canceled,
            "shipped_on": self.shipped_on,
        }


def mark(order_id: str, lines: Iterable[tuple[str, int]], numbers: Iterable[str]) -> str:
    """The same shipment always has the same mark."""
    content = orjson.dumps([order_id, sorted(lines), sorted(numbers)])
    return sha256(content).hexdigest()[:16]


def entries(read: wire.Order) -> tuple[Entry, ...]:
    """Our record in the order's meta. Raises ValueError when somebody made it unreadable: then nothing may be told."""
    value = read.meta(SHIPMENTS)
    if value in (None, "", [], {}):
        return ()
    try:
        raw = orjson.loads(value) if isinstance(value, str) else value
        return tuple(_entry(one) for one in (raw.values() if isinstance(raw, Mapping) else raw))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"meta_data {SHIPMENTS}: {error!r} is not what we wrote; remove the meta to begin anew"
        ) from None


def _entry(raw: Mapping[str, Any]) -> Entry:
    return Entry(
        key=str(raw["key"]),
        lines=tuple((str(line), int(quantity)) for line, quantity in raw["lines"]),
        carrier=str(raw["carrier"]),
        numbers=tuple(str(number) for number in raw["numbers"]),
        url=str(raw["url"]) or None,
        at=datetime.fromisoformat(str(raw["at"])),
        tracking=tuple(str(one) for one in raw.get("tracking") or ()),
        canceled=str(raw.get("canceled")).lower() in {"1", "true"},
        shipped_on=str(raw.get("shipped_on") or ""),
    )


def tracking_items(read: wire.Order) -> tuple[wire.Tracking, ...]:
    """The plugin's rows as they stand in the order's meta, so that no further call is needed."""
    value = read.meta(TRACKING_ITEMS)
    rows = value.values() if isinstance(value, Mapping) else value if isinstance(value, Sequence) else ()
    return tuple(wire.Tracking.model_validate(row) for row in rows if isinstance(row, Mapping))


def live_entries(read: wire.Order) -> tuple[Entry, ...]:
    """Those that we have not withdrawn; none where our record cannot be read (who needs it, reads it and is told)."""
    try:
        return tuple(entry for entry in entries(read) if not entry.canceled)
    except ValueError:
        return ()


def stands(entry: Entry, items: Collection[wire.Tracking]) -> bool:
    """Not withdrawn, by us or by somebody who removed the tracking."""
    return not entry.canceled and all(
        any(item.tracking_id == tracking_id for item in items) for tracking_id in entry.tracking
    )


def shipped_by_entries(read: wire.Order) -> dict[int, int]:
    items = tracking_items(read)
    return shipped(entry.lines for entry in entries(read) if stands(entry, items))


def shipped(parts: Iterable[Lines]) -> dict[int, int]:
    """Pieces by line id."""
    pieces: defaultdict[int, int] = defaultdict(int)
    for lines in parts:
        for line, quantity in lines:
            if line.isdigit():
                pieces[int(line)] += quantity
    return dict(pieces)


def record_of_entry(
    order_id: int, entry: Entry, items: Collection[wire.Tracking], links: Mapping[str, str]
) -> FulfillmentRecord:
    """As the store shows it: where the plugin makes the link itself (`links`: provider -> template), that counts."""
    mine = [item for item in items if item.tracking_id in entry.tracking]
    numbers = tuple(item.tracking_number for item in mine) or entry.numbers
    urls = tuple(filter(None, (link(item, links) for item in mine))) or ((entry.url,) if entry.url else ())
    return FulfillmentRecord(
        id=f"{order_id}/w/{entry.key}",
        status="success" if stands(entry, items) else "canceled",
        lines=entry.lines,
        carrier=_carrier(entry, mine),
        tracking_numbers=numbers,
        tracking_urls=tuple(dict.fromkeys(urls)),
        created_at=entry.at,
        raw_status="told by tracking" if entry.tracking else "told by note",
        shipped_at=next((_day(item) for item in mine), None),
    )


def _day(item: wire.Tracking) -> datetime | None:
    """The row's day: seconds since 1970 in the order's meta, a date in the plugin's own answer."""
    try:
        if item.date_shipped.isdigit():
            return datetime.fromtimestamp(int(item.date_shipped), UTC)
        return datetime.fromisoformat(item.date_shipped).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def link(item: wire.Tracking, links: Mapping[str, str]) -> str:
    """Its own, or the plugin's for its carrier, which stands in no order's meta; empty where there is none."""
    template = next((link for name, link in links.items() if slug(name) == slug(item.tracking_provider)), "")
    own = item.custom_tracking_link or item.tracking_link
    return own or template.replace("%number%", item.tracking_number)


def _carrier(entry: Entry, mine: Sequence[wire.Tracking]) -> str:
    """What we sent, unless the plugin shows another one: it keeps a name as a slug."""
    shown = next((item.custom_tracking_provider or item.tracking_provider for item in mine), "")
    return entry.carrier if not shown or slug(shown) == slug(entry.carrier) else shown


def slug(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def record(order_id: int, read: wire.Fulfillment, offset: timedelta) -> FulfillmentRecord:
    """`offset` is how far the store's clock is ahead: up to 10.7 its times are local."""
    numbers = str(read.meta("_tracking_number") or "")
    carrier = read.meta("_shipment_provider") or read.meta("_shipping_provider") or ""
    url = str(read.meta("_tracking_url") or "")
    return FulfillmentRecord(
        id=f"{order_id}/f/{read.id}",
        status=_status(read),
        lines=items(read),
        carrier=str(carrier),
        tracking_numbers=tuple(filter(None, (number.strip() for number in numbers.split(",")))),
        tracking_urls=(url,) if url else (),
        created_at=moment(str(read.meta("_date_fulfilled") or read.date_updated), offset),
        raw_status=read.status,
    )


def _status(read: wire.Fulfillment) -> Any:
    if read.date_deleted:
        return "canceled"
    # One that is planned has not left: it does not stand, whatever it names.
    return "success" if is_live(read) else "failed"


def is_live(read: wire.Fulfillment) -> bool:
    """`is_fulfilled` is a boolean in 10.5 and the text "1" or "0" since; "0" is true to Python."""
    return str(read.is_fulfilled).lower() in {"1", "true"} and not read.date_deleted


def items(read: wire.Fulfillment) -> Lines:
    pieces: defaultdict[str, int] = defaultdict(int)
    value = read.meta("_items")
    rows = value.values() if isinstance(value, Mapping) else value if isinstance(value, Sequence) else ()
    for row in rows:
        if isinstance(row, Mapping) and str(row.get("qty", "")).lstrip("-").isdigit():
            pieces[str(row.get("item_id", ""))] += int(row["qty"])
    return tuple(pieces.items())


def moment(text: str, offset: timedelta) -> datetime:
    """A time with its zone, or in the store's clock (and with a blank for the T) without one."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC) - offset
