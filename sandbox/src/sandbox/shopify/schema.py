"""Puts the schema and the ways of reading it together. A field without a way is found here, at start, not in a call."""

from functools import cache
from importlib.resources import files
from operator import attrgetter, itemgetter
from typing import Any

from graphql import GraphQLObjectType, build_schema
from graphql.pyutils import camel_to_snake

from sandbox.shopify import catalogue_fields, fulfillment_fields, mutations, order_fields, queries
from sandbox.shopify.catalogue import Variant
from sandbox.shopify.model import Order
from sandbox.shopify.plan import Planner, Resolve
from sandbox.shopify.values import Part

_EXPLICIT: dict[str, dict[str, Resolve]] = {
    "Query": queries.QUERY,
    "Mutation": mutations.MUTATION,
    "Order": order_fields.ORDER,
    "ShippingLine": order_fields.SHIPPING_LINE,
    "MailingAddress": order_fields.ADDRESS,
    "LineItem": order_fields.LINE,
    "FulfillmentOrder": fulfillment_fields.FULFILLMENT_ORDER,
    "FulfillmentOrderDestination": fulfillment_fields.DESTINATION,
    "FulfillmentOrderLineItem": fulfillment_fields.FULFILLMENT_ORDER_LINE,
    "Fulfillment": fulfillment_fields.FULFILLMENT,
    "FulfillmentLineItem": fulfillment_fields.FULFILLMENT_LINE,
}
_EXPLICIT |= {
    "ProductVariant": catalogue_fields.VARIANT,
    "DeliveryProfile": catalogue_fields.PROFILE,
    "DeliveryProfileLocationGroup": catalogue_fields.GROUP,
    "DeliveryLocationGroupZone": catalogue_fields.ZONE,
}
_PARTS = {"LineItem", "FulfillmentOrder", "FulfillmentOrderLineItem", "Fulfillment", "FulfillmentLineItem"}
_OBJECTS = {"ProductVariant", "Order", "MailingAddress", "PageInfo"}


@cache
def planner() -> Planner:
    """Built once a process: it holds nothing but plans."""
    schema = build_schema(files("sandbox.shopify").joinpath("schema.graphql").read_text("utf-8"))
    resolvers = {
        (kind.name, name): _EXPLICIT.get(kind.name, {}).get(name) or _default(kind.name, name)
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name in kind.fields
    }
    return Planner(schema, resolvers, _type_of)


def _default(kind: str, name: str) -> Resolve:
    if kind in {"Query", "Mutation"}:
        raise LookupError(f"{kind}.{name} has no resolver: write one in queries.py or mutations.py")
    attribute = camel_to_snake(name)
    read: Any
    if kind in _PARTS:
        read = attrgetter(f"it.{attribute}")
    elif kind == "FulfillmentOrderDestination":
        read = attrgetter(f"order.shipping_address.{attribute}")
    elif kind in _OBJECTS or kind.endswith(("Connection", "Edge")):
        read = attrgetter(attribute)
    else:
        read = itemgetter(attribute)
    return lambda value, arguments, context: read(value)


def _type_of(value: object) -> str:
    """For `node`: only what `queries.py` finds by id can turn up here."""
    if isinstance(value, Part):
        return type(value.it).__name__
    if isinstance(value, Variant):
        return "ProductVariant"
    return "Order" if isinstance(value, Order) else "Shop"
