"""BigCommerce's JSON as it spells it: the fields that we read. Statuses are text or numbers, so that a new one passes.

V2 writes numbers as numbers or as texts and times in RFC 2822 (RFC 3339 is taken too); an empty text stands for none.
"""

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _moment(value: Any) -> Any:
    """RFC 2822 or ISO 8601 as an aware time; without a zone it is UTC, as V2 documents its answers."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError):
        raise ValueError("no time as RFC 2822 or ISO 8601 writes it") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> Any:
    return "" if value is None else str(value) if isinstance(value, (int, float)) else value


def _count(value: Any) -> Any:
    """V2 calls many of its whole numbers `number`, and an empty one `""` or null."""
    return 0 if value is None or value == "" else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]
Count = Annotated[int, BeforeValidator(_count), Field(ge=0)]
Amount = Annotated[Decimal, BeforeValidator(_count)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(_Wire):
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    street_1: Text = ""
    street_2: Text = ""
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country: Text = ""
    country_iso2: Text = ""
    phone: Text = ""
    email: Text = ""


class Place(Address):
    """Where a part of an order goes: a shipping address of V2, or a shipping consignment."""

    id: int
    shipping_method: Text = ""


class Line(_Wire):
    """`id` is what shipments call `order_product_id`."""

    id: int
    product_id: Count = 0
    variant_id: Count = 0
    order_address_id: Count = 0
    order_pickup_method_id: Count = 0
    name: Text = ""
    sku: Text = ""
    type: Text = "physical"
    quantity: Count
    quantity_shipped: Count = 0
    quantity_refunded: Count = 0
    price_inc_tax: Amount = Decimal(0)


class Order(_Wire):
    """`consignments` is a link, an object with everything in it, or missing: `reading` sees to it."""

    id: int
    date_created: Moment
    date_modified: Moment
    status_id: int
    status: Text = ""
    payment_status: Text = ""
    total_inc_tax: Amount = Decimal(0)
    currency_code: Text = ""
    default_currency_code: Text = ""
    items_total: Count | None = None
    items_shipped: Count = 0
    is_deleted: bool = False
    billing_address: Address = Address()
    customer_message: Text = ""
    staff_notes: Text = ""
    external_order_id: Text = ""
    consignments: Any = None


class ShippedItem(_Wire):
    order_product_id: int
    quantity: Count


class Shipment(_Wire):
    id: int
    order_id: int
    order_address_id: Count = 0
    date_created: Moment
    tracking_number: Text = ""
    tracking_carrier: Text = ""
    tracking_link: Text = ""
    generated_tracking_link: Text = ""
    shipping_provider: Text = ""
    shipping_method: Text = ""
    comments: Text = ""
    items: tuple[ShippedItem, ...] = ()


class Variant(_Wire):
    id: int
    product_id: int
    sku: Text = ""
    option_values: tuple[dict[str, Any], ...] = ()


class Product(_Wire):
    id: int
    name: Text = ""
    sku: Text = ""
    variants: tuple[Variant, ...] = ()


class Identity(_Wire):
    sku: Text = ""


class AtLocation(_Wire):
    available_to_sell: int = 0
    location_enabled: bool = True


class Item(_Wire):
    """One inventory item, over all its locations."""

    identity: Identity
    locations: tuple[AtLocation, ...] = ()


class Zone(_Wire):
    id: int
    name: Text = ""


class Method(_Wire):
    name: Text = ""


class Hook(_Wire):
    id: int
    scope: Text
    destination: Text
    is_active: bool = True
    headers: dict[str, Any] | None = None


class Timezone(_Wire):
    name: Text = ""


class Store(_Wire):
    id: Text = ""
    status: Text = ""
    currency: Text = ""
    timezone: Timezone | None = None


class Pagination(_Wire):
    current_page: Count = 1
    total_pages: Count = 1


class Meta(_Wire):
    pagination: Pagination = Pagination()


class Listed(_Wire):
    """A list of V3."""

    data: tuple[dict[str, Any], ...] = ()
    meta: Meta = Meta()


class HookAnswer(_Wire):
    data: Hook


class HookData(_Wire):
    id: Any = None
    orderId: Any = None  # noqa: N815 (the name is the platform's)
    type: Text = ""


class Callback(_Wire):
    """What BigCommerce posts to a hook's destination."""

    scope: Text
    hash: Text = ""
    data: HookData = HookData()
