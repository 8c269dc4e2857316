"""The fast plans answer what graphql-core's own executor answers."""

from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLObjectType, execute, parse

from sandbox.shopify.schema import planner
from sandbox.shopify.values import Context

ORDER = "gid://shopify/Order/"
HEAD = "query Q($id: ID!) "
LINES = "lineItems(first: 5) { nodes { sku"
PARCELS = """fulfillmentOrders(first: 5) { nodes { status assignedLocation { name location { id } }
  destination { countryCode } supportedActions { action }
  lineItems(first: 9) { nodes { remainingQuantity lineItem { id } } } } }"""
RECORDS = """fulfillments(first: 5) { status trackingInfo { number url }
  fulfillmentLineItems(first: 5) { nodes { quantity lineItem { sku } } } }"""
QUERIES = [
    "{ shop { name plan { shopifyPlus } primaryDomain { host } } }",
    HEAD + "{ order(id: $id) { __typename id name shippingAddress { firstName formatted } note } }",
    HEAD + '{ a: order(id: $id) { name } b: order(id: $id) { name email } c: order(id: "x") { id } }',
    HEAD + "{ order(id: $id) { lineItems(first: 2) { edges { cursor node { sku } } nodes { id quantity } } } }",
    HEAD + "{ order(id: $id) { ...A ...B } } fragment A on Order { " + LINES + " } } }"
    " fragment B on Order { " + LINES + " title originalUnitPriceSet { shopMoney { amount } } } } }",
    HEAD + "{ node(id: $id) { id ... on Order { name tags } ... on Fulfillment { status } } }",
    HEAD + '{ nodes(ids: [$id, "gid://shopify/Order/0"]) { __typename id } }',
    "query Q($id: ID!, $yes: Boolean = true) { order(id: $id) { name @skip(if: $yes) id @include(if: $yes) } }",
    HEAD + "{ order(id: $id) { " + PARCELS + RECORDS + " } }",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_plan_gives_what_the_reference_executor_gives(box: Any, query: str) -> None:
    plans = planner()
    for (kind, name), resolve in plans.resolvers.items():
        holder = plans.schema.get_type(kind)
        assert isinstance(holder, GraphQLObjectType)
        holder.fields[name].resolve = lambda value, info, resolve=resolve, **given: resolve(value, given, info.context)
    for order in list(box.world.shop.orders.values())[:30]:
        variables = {"id": f"{ORDER}{order.id}"} if "$id" in query else {}
        plan = plans.plan(query, variables, None)
        assert not isinstance(plan, list), plan
        data, _ = plan.execute(None, Context(box.world.shop))
        wanted = execute(
            plans.schema,
            parse(query),
            context_value=Context(box.world.shop),
            variable_values=variables,
            type_resolver=lambda value, info, kind: plans.type_of(value),
        )
        assert isinstance(wanted, ExecutionResult)
        assert wanted.errors is None
        assert data == wanted.data


async def test_the_same_text_is_planned_anew_when_its_conditions_depend_on_the_call(box: Any) -> None:
    plans, query = planner(), "query($yes: Boolean!) { shop { name @skip(if: $yes) id } }"
    keys = []
    for yes in (True, False):
        plan = plans.plan(query, {"yes": yes}, None)
        assert not isinstance(plan, list)
        keys.append(set(plan.execute(None, Context(box.world.shop))[0]["shop"]))
    assert keys == [{"id"}, {"name", "id"}]


async def test_every_field_of_every_type_can_be_read(box: Any, hub: Any) -> None:
    """All leaves of all types that an order leads to, so that no field of the schema is a stub."""
    await hub.run()
    plans = planner()
    for order in box.world.shop.orders.values():
        query = f"query($id: ID!) {{ order(id: $id) {{ {selection(plans.schema, 'Order', 4)} }} }}"
        plan = plans.plan(query, {"id": f"{ORDER}{order.id}"}, None)
        assert not isinstance(plan, list), plan
        plan.execute(None, Context(box.world.shop))
    whole = f"{{ shop {{ {selection(plans.schema, 'Shop', 3)} }} locations(first: 9) {{ nodes {{ id name }} }} }}"
    plan = plans.plan(whole, {}, None)
    assert not isinstance(plan, list)
    plan.execute(None, Context(box.world.shop))


def selection(schema: Any, kind: str, depth: int) -> str:
    from graphql import get_named_type, is_leaf_type

    parts = []
    for name, field in schema.get_type(kind).fields.items():
        named = get_named_type(field.type)
        given = "(first: 9)" if "first" in field.args else '(key: "x")' if name == "metafield" else ""
        if is_leaf_type(named):
            parts.append(name + given)
        elif depth > 0:
            parts.append(f"{name}{given} {{ {selection(schema, named.name, depth - 1)} }}")
        elif "id" in getattr(named, "fields", {}):
            parts.append(f"{name}{given} {{ id }}")
        else:
            parts.append(f"{name}{given} {{ __typename }}")
    return " ".join(parts)
