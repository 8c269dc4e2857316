"""Shopify's JSON as it spells it, for shops that ship for us: the fields that `source_documents.py` asks for."""

# ruff: noqa: N815 (the names are the platform's)

from typing import Any

from pydantic import AwareDatetime, Field, StrictInt

from waybill_platforms.shopify.wire import Id, PageInfo, Tracking, _Wire


class Variant(_Wire):
    id: str
    sku: str | None = None


class Variants(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Variant, ...]


class Shop(_Wire):
    currencyCode: str


class Attribute(_Wire):
    key: str
    value: str | None = None


class RequestLine(_Wire):
    id: str
    sku: str | None = None
    quantity: StrictInt = Field(ge=0)
    currentQuantity: StrictInt = Field(ge=0)
    customAttributes: tuple[Attribute, ...] = ()


class RequestLines(_Wire):
    pageInfo: PageInfo
    nodes: tuple[RequestLine, ...]


class Request(_Wire):
    """An order that we made there."""

    id: str
    name: str
    sourceIdentifier: str | None = None
    cancelledAt: AwareDatetime | None = None
    lineItems: RequestLines


class Requests(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Request, ...]


class Standing(_Wire):
    id: str
    status: str


class State(_Wire):
    id: str
    sourceIdentifier: str | None = None
    cancelledAt: AwareDatetime | None = None
    fulfillments: tuple[Standing, ...] = ()


class Count(_Wire):
    count: int = 0


class Counted(_Wire):
    id: str
    fulfillmentsCount: Count | None = None


class Place(_Wire):
    id: str
    sourceIdentifier: str | None = None


class Places(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Place, ...]


class ShippedItem(Id):
    sku: str | None = None
    customAttributes: tuple[Attribute, ...] = ()


class ShippedLine(_Wire):
    quantity: int | None = None
    lineItem: ShippedItem


class ShippedLines(_Wire):
    pageInfo: PageInfo
    nodes: tuple[ShippedLine, ...]


class Shipment(_Wire):
    """A fulfillment of an order that we made."""

    id: str
    status: str
    createdAt: AwareDatetime
    updatedAt: AwareDatetime
    trackingInfo: tuple[Tracking, ...] = ()
    fulfillmentLineItems: ShippedLines


class ShippedOrder(_Wire):
    id: str
    sourceIdentifier: str | None = None
    fulfillments: tuple[dict[str, Any], ...] = ()
    """Read one by one, so that an odd one does not hide the others."""
