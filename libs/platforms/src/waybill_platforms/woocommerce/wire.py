"""WooCommerce's JSON as it spells it, 7.9 to 11.0: the fields that we ask for. Statuses are text, so new ones pass.

Times come twice, in the store's clock and in UTC, both without a zone; `Utc` reads the second. Amounts are texts that
may be empty or "-" (a refund without an amount), a line's `price` is a number.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ORDER_FIELDS = ",".join(
    (
        "id,number,status,currency,total,date_created,date_modified,date_created_gmt,date_modified_gmt,date_paid_gmt",
        "date_completed_gmt,billing,shipping,payment_method,customer_note,created_via,needs_processing,meta_data",
        "line_items,shipping_lines,refunds",
    )
)
"""What is asked of an order: half the time and a fraction of the bytes of all of it."""
PRODUCT_FIELDS = "id,parent_id,name,sku,type,status,virtual,manage_stock,stock_quantity,stock_status"


def _naive_utc(value: object) -> object:
    if isinstance(value, str) and value:
        read = datetime.fromisoformat(value)
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    return value or None


def _amount(value: object) -> Decimal:
    try:
        read = Decimal(str(value or "0"))
    except InvalidOperation:
        return Decimal(0)
    return read if read.is_finite() else Decimal(0)


def _pieces(value: object) -> object:
    """Whole pieces; a plugin for weights or lengths makes fractions, which are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return value
    return int(read) if read.is_finite() and read == read.to_integral_value() else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _rows(value: object) -> object:
    """Empty where it is missing; PHP writes an empty object as `[]`, and an array with gaps as an object."""
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value or ()


def _object(value: object) -> object:
    return value if isinstance(value, Mapping) else {}


Utc = Annotated[datetime, BeforeValidator(_naive_utc)]
MaybeUtc = Annotated[datetime | None, BeforeValidator(_naive_utc)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Pieces = Annotated[int, BeforeValidator(_pieces), Field(strict=True)]
Text = Annotated[str, BeforeValidator(_text)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Meta(_Wire):
    key: Text = ""
    value: Any = None


Metas = Annotated[tuple[Meta, ...], BeforeValidator(_rows)]


class Line(_Wire):
    id: int
    name: Text = ""
    product_id: int = 0
    variation_id: int = 0
    quantity: Pieces
    sku: Text = ""
    price: Amount = Decimal(0)
    meta_data: Metas = ()


class RefundLine(Line):
    """Its `quantity` is negative; `_refunded_item_id` in its meta names the order's line."""


class Address(_Wire):
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address_1: Text = ""
    address_2: Text = ""
    city: Text = ""
    state: Text = ""
    postcode: Text = ""
    country: Text = ""
    email: Text = ""
    phone: Text = ""


class ShippingLine(_Wire):
    method_title: Text = ""
    method_id: Text = ""


class RefundHead(_Wire):
    id: int
    total: Amount = Decimal(0)


class Refund(_Wire):
    id: int
    parent_id: int = 0
    """Of `/refunds` alone."""
    date_created_gmt: MaybeUtc = None
    line_items: Annotated[tuple[RefundLine, ...], BeforeValidator(_rows)] = ()


class Order(_Wire):
    id: int
    number: Text = ""
    status: str
    currency: str
    total: Amount = Decimal(0)
    date_modified: MaybeUtc = None
    """In the store's clock, read as if it were UTC: only its distance to `date_modified_gmt` says something."""
    date_created_gmt: MaybeUtc = None
    date_modified_gmt: MaybeUtc = None
    date_paid_gmt: MaybeUtc = None
    date_completed_gmt: MaybeUtc = None
    billing: Annotated[Address, BeforeValidator(_object)] = Address()
    shipping: Annotated[Address, BeforeValidator(_object)] = Address()
    payment_method: Text = ""
    customer_note: Text = ""
    created_via: Text = ""
    needs_processing: bool = True
    meta_data: Metas = ()
    line_items: Annotated[tuple[Line, ...], BeforeValidator(_rows)] = ()
    shipping_lines: Annotated[tuple[ShippingLine, ...], BeforeValidator(_rows)] = ()
    refunds: Annotated[tuple[RefundHead, ...], BeforeValidator(_rows)] = ()

    def meta(self, key: str) -> Any:
        """The value under a meta key, the first one as WooCommerce itself takes it; None when there is none."""
        return next((one.value for one in self.meta_data if one.key == key), None)


class Fulfillment(_Wire):
    id: int
    status: Text = ""
    is_fulfilled: Any = None
    """true in 10.5, the text "1" or "0" since; see `mapping.is_live`."""
    date_updated: Text = ""
    date_deleted: Any = None
    meta_data: Metas = ()

    def meta(self, key: str) -> Any:
        return next((one.value for one in self.meta_data if one.key == key), None)


class Tracking(_Wire):
    """One entry of the tracking plugin, in its own answer or in the order's meta."""

    tracking_id: Text = ""
    tracking_provider: Text = ""
    custom_tracking_provider: Text = ""
    tracking_number: Text = ""
    tracking_link: Text = ""
    custom_tracking_link: Text = ""
    date_shipped: Text = ""


class Product(_Wire):
    id: int
    parent_id: int = 0
    name: Text = ""
    sku: Text = ""
    type: Text = "simple"
    status: Text = "publish"
    virtual: bool = False
    manage_stock: Any = False
    """false, true, or the text "parent" for a variation whose parent counts."""
    stock_quantity: Any = None
    stock_status: Text = ""


class Note(_Wire):
    id: int
    note: Text = ""


class Webhook(_Wire):
    id: int
    name: Text = ""
    status: Text = ""
    topic: Text = ""
    delivery_url: Text = ""


class Id(_Wire):
    id: int


class Method(_Wire):
    title: Text = ""
    method_title: Text = ""
    enabled: bool = True


class Index(_Wire):
    """What `/wp-json/` tells everybody."""

    name: Text = ""
    url: Text = ""
    namespaces: tuple[str, ...] = ()
    timezone_string: Text = ""
    gmt_offset: Text = ""


class Environment(_Wire):
    version: Text = ""


class StoreSettings(_Wire):
    currency: Text = ""
    HPOS_enabled: bool = False  # the name is the platform's


class SystemStatus(_Wire):
    environment: Environment = Environment()
    settings: StoreSettings = StoreSettings()
