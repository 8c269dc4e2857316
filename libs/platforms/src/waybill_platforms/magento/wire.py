"""Magento's JSON as it spells it. Numbers are floats, texts or null; what its contract calls a text may be null."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_NO_TIME = ("", "0000-00-00 00:00:00")
"""How the database writes a time that was never set."""


def _readable(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no time as Magento writes it") from None
    return text


def _none(value: Any) -> Any:
    return None if value in _NO_TIME else value


def _flag(value: Any) -> Any:
    """The contract calls flags whole numbers: 0 is no, whatever else is yes."""
    return bool(value) if isinstance(value, int) else value


Time = Annotated[str, AfterValidator(_readable)]
TimeOrNone = Annotated[Time | None, BeforeValidator(_none)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Row(_Wire):
    """One row of an order: children of a configurable or a bundle are rows, too, under their parent's."""

    item_id: int
    parent_item_id: int | None = None
    product_id: int | None = None
    product_type: str | None = None
    sku: str | None = None
    name: str | None = None
    qty_ordered: Decimal = Field(ge=0)
    qty_shipped: Decimal | None = None
    qty_refunded: Decimal | None = None
    qty_canceled: Decimal | None = None
    is_virtual: Flag = None
    locked_do_ship: Flag = None
    price: Decimal | None = None


class Address(_Wire):
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    company: str | None = None
    street: tuple[str | None, ...] | None = None
    city: str | None = None
    region: str | None = None
    region_code: str | None = None
    postcode: str | None = None
    country_id: str | None = None
    telephone: str | None = None
    email: str | None = None


class Shipping(_Wire):
    address: Address | None = None
    method: str | None = None


class Assignment(_Wire):
    shipping: Shipping | None = None


class OrderExtension(_Wire):
    shipping_assignments: tuple[Assignment, ...] | None = None


class Payment(_Wire):
    method: str | None = None
    po_number: str | None = None
    amount_authorized: Decimal | None = None


class Shipped(_Wire):
    """How an order is to be shipped."""

    shipping_description: str | None = None
    extension_attributes: OrderExtension | None = None


class Changed(_Wire):
    """What places an order in the list of changes."""

    entity_id: int
    updated_at: Time


class Order(Changed, Shipped):
    increment_id: str
    state: str | None = None
    status: str | None = None
    created_at: Time
    order_currency_code: str | None = None
    grand_total: Decimal
    total_paid: Decimal | None = None
    total_due: Decimal | None = None
    total_refunded: Decimal | None = None
    base_total_paid: Decimal | None = None
    customer_email: str | None = None
    customer_note: str | None = None
    is_virtual: Flag = None
    ext_order_id: str | None = None
    payment: Payment | None = None
    items: tuple[Row, ...]


class Found(_Wire):
    """A list's page; its items are read one by one, so that one odd one does not hide the others."""

    items: tuple[dict[str, Any], ...] | None = None
    total_count: int = Field(ge=0)


class Track(_Wire):
    entity_id: int | None = None
    track_number: str | None = None
    title: str | None = None
    carrier_code: str | None = None
    created_at: TimeOrNone = None
    updated_at: TimeOrNone = None


class Comment(_Wire):
    entity_id: int | None = None
    comment: str | None = None
    created_at: TimeOrNone = None


class ShipmentRow(_Wire):
    order_item_id: int
    qty: Decimal
    sku: str | None = None


class Shipment(_Wire):
    entity_id: int
    increment_id: str | None = None
    order_id: int
    created_at: Time
    updated_at: TimeOrNone = None
    items: tuple[ShipmentRow, ...] = ()
    tracks: tuple[Track, ...] | None = None
    comments: tuple[Comment, ...] | None = None


class Attribute(_Wire):
    attribute_code: str
    value: Any = None


class Product(_Wire):
    id: int
    sku: str
    name: str | None = None
    type_id: str | None = None
    custom_attributes: tuple[Attribute, ...] | None = None


class CartItem(_Wire):
    sku: str | None = None
    qty: Decimal = Decimal(0)


class Cart(_Wire):
    id: int
    is_active: bool | None = None
    items: tuple[CartItem, ...] | None = None


class ShippingMethod(_Wire):
    carrier_code: str
    method_code: str | None = None
    carrier_title: str | None = None
    method_title: str | None = None
    available: bool | None = None


class Region(_Wire):
    id: str
    code: str
    name: str


class Country(_Wire):
    id: str
    available_regions: tuple[Region, ...] | None = None


class SourceItem(_Wire):
    sku: str
    source_code: str
    quantity: Decimal = Decimal(0)
    status: int = 1


class StockItem(_Wire):
    qty: Decimal | None = None
    is_in_stock: bool = True
    manage_stock: bool | None = None


class InventorySource(_Wire):
    source_code: str
    name: str | None = None
    enabled: bool | None = None


class StoreConfig(_Wire):
    code: str
    base_currency_code: str | None = None
    default_display_currency_code: str | None = None
    timezone: str | None = None
