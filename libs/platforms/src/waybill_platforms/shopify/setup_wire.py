"""Shopify's JSON as it spells it: the fields that `setup_documents.py` asks for."""

# ruff: noqa: N815 (the names are the platform's)

from waybill_platforms.shopify.wire import PageInfo, _Wire


class Plan(_Wire):
    publicDisplayName: str = ""
    partnerDevelopment: bool = False


class Shop(_Wire):
    name: str = ""
    myshopifyDomain: str = ""
    currencyCode: str
    ianaTimezone: str = ""
    plan: Plan = Plan()


class Scope(_Wire):
    handle: str


class Installation(_Wire):
    accessScopes: tuple[Scope, ...] = ()


class Country(_Wire):
    countryCodeV2: str | None = None


class SampleOrder(_Wire):
    requiresShipping: bool = False
    shippingAddress: Country | None = None


class Sample(_Wire):
    nodes: tuple[SampleOrder, ...] = ()


class CatalogueVariant(_Wire):
    id: str
    sku: str | None = None
    displayName: str = ""


class Catalogue(_Wire):
    pageInfo: PageInfo
    nodes: tuple[CatalogueVariant, ...]


class InventoryItem(_Wire):
    tracked: bool = True


class StockVariant(_Wire):
    sku: str | None = None
    inventoryQuantity: int | None = None
    inventoryItem: InventoryItem = InventoryItem()


class Stock(_Wire):
    pageInfo: PageInfo
    nodes: tuple[StockVariant, ...]


class Method(_Wire):
    name: str
    active: bool = True


class Methods(_Wire):
    nodes: tuple[Method, ...] = ()


class Zone(_Wire):
    methodDefinitions: Methods = Methods()


class Zones(_Wire):
    nodes: tuple[Zone, ...] = ()


class LocationGroup(_Wire):
    locationGroupZones: Zones = Zones()


class Profile(_Wire):
    profileLocationGroups: tuple[LocationGroup, ...] = ()


class Profiles(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Profile, ...]


class Subscription(_Wire):
    id: str
    topic: str
    uri: str = ""


class Subscriptions(_Wire):
    pageInfo: PageInfo
    nodes: tuple[Subscription, ...]
