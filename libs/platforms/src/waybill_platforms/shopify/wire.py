"""Shopify's JSON as it spells it: the fields that `documents.py` asks for. Statuses are text, so that a
new one passes."""

# ruff: noqa: N815 (the names are the platform's)

from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PageInfo(_Wire):
    hasNextPage: bool = False
    endCursor: str | None = None


class Money(_Wire):
    amount: Decimal


class MoneyBag(_Wire):
    shopMoney: Money


class Line(_Wire):
    id: str
    sku: str | None = None
    title: str = ""
    quantity: StrictInt = Field(ge=0)
    currentQuantity: StrictInt = Field(ge=0)
    unfulfilledQuantity: StrictInt = Field(ge=0)
    requiresShipping: bool = True
    originalUnitPriceSet: MoneyBag


class Lines(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Line, ...]


class MailingAddress(_Wire):
    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    provinceCode: str | None = None
    countryCodeV2: str | None = None
    zip: str | None = None
    phone: str | None = None


class ShippingLine(_Wire):
    title: str | None = None
    code: str | None = None


class Risk(_Wire):
    recommendation: str | None = None


class Order(_Wire):
    id: str
    name: str
    updatedAt: AwareDatetime
    processedAt: AwareDatetime
    cancelledAt: AwareDatetime | None = None
    displayFinancialStatus: str | None = None
    displayFulfillmentStatus: str | None = None
    currencyCode: str
    currentTotalPriceSet: MoneyBag
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    sourceIdentifier: str | None = None
    risk: Risk | None = None
    shippingAddress: MailingAddress | None = None
    shippingLine: ShippingLine | None = None
    lineItems: Lines


class Orders(_Wire):
    pageInfo: PageInfo
    nodes: tuple[dict[str, Any], ...]
    """Read one by one, so that one odd order does not hide the others."""


class MoreLines(_Wire):
    updatedAt: AwareDatetime
    lineItems: Lines


class Id(_Wire):
    id: str


class RecordIds(_Wire):
    fulfillments: tuple[Id, ...]


class ParcelLine(_Wire):
    id: str
    remainingQuantity: StrictInt = Field(ge=0)
    lineItem: Id


class ParcelLines(_Wire):
    pageInfo: PageInfo
    nodes: tuple[ParcelLine, ...]


class Action(_Wire):
    action: str


class AssignedLocation(_Wire):
    name: str = ""
    location: Id | None = None


class Parcel(_Wire):
    """A fulfillment order: what Shopify wants to leave one location."""

    id: str
    status: str
    supportedActions: tuple[Action, ...] = ()
    assignedLocation: AssignedLocation
    lineItems: ParcelLines


class Parcels(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Parcel, ...]


class Tracking(_Wire):
    company: str | None = None
    number: str | None = None
    url: str | None = None


class RecordLine(_Wire):
    quantity: int | None = None
    lineItem: Id


class RecordLines(_Wire):
    pageInfo: PageInfo
    nodes: tuple[RecordLine, ...]


class Record(_Wire):
    """A fulfillment: what has left."""

    id: str
    status: str
    createdAt: AwareDatetime
    trackingInfo: tuple[Tracking, ...] = ()
    fulfillmentLineItems: RecordLines


class Shipping(_Wire):
    id: str
    cancelledAt: AwareDatetime | None = None
    displayFulfillmentStatus: str | None = None
    fulfillmentOrders: Parcels
    fulfillments: tuple[Record, ...]


class UserError(_Wire):
    field: tuple[str, ...] | None = None
    message: str = ""
    code: str | None = None
