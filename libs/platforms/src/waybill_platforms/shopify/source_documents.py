"""The GraphQL documents by which a shop is asked to ship, and by which we see what it shipped; costs as there."""

from waybill_platforms.shopify.documents import RECORD_LINES, TRACKING, Document

MOST_LINES = 250
"""Lines of one order that we make: entries of one array in Shopify's input."""
VARIANTS = 50
SKUS = 20
"""SKUs looked up by one query."""
COUNTED = 200
"""Requests of which one query says whether anything was shipped."""
RECORDS = 5
SHIPPED = 15
"""Requests whose fulfillments are read by one query."""
FOUND = 20

_REQUEST = """fragment RequestFields on Order {
  id name sourceIdentifier cancelledAt updatedAt displayFulfillmentStatus
  lineItems(first: $lines) {
    pageInfo { hasNextPage endCursor }
    nodes { id sku quantity currentQuantity customAttributes { key value } }
  }
}"""

VARIANTS_OF = Document(
    f"""query WaybillVariants($query: String!, $after: String) {{
  shop {{ currencyCode }}
  productVariants(first: {VARIANTS}, after: $after, query: $query) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id sku }}
  }}
}}""",
    cost=25,
)

CREATE = Document(
    f"""mutation WaybillOrderCreate($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput, $lines: Int!) {{
  orderCreate(order: $order, options: $options) {{
    order {{ ...RequestFields }} userErrors {{ field message code }}
  }}
}}
{_REQUEST}""",
    cost=30,
)

FIND = Document(
    f"""query WaybillRequest($query: String!, $lines: Int!) {{
  orders(first: 5, query: $query, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ ...RequestFields }}
  }}
}}
{_REQUEST}""",
    cost=30,
)

STATE = Document(
    """query WaybillRequestState($id: ID!) {
  order(id: $id) { id sourceIdentifier cancelledAt fulfillments(first: 10) { id status } }
}""",
    cost=12,
)

CANCEL = Document(
    """mutation WaybillOrderCancel($id: ID!, $note: String!) {
  orderCancel(orderId: $id, reason: OTHER, restock: true, notifyCustomer: false, staffNote: $note) {
    job { id done } orderCancelUserErrors { field message code }
  }
}""",
    cost=10,
)

COUNTS = Document(
    """query WaybillShippedCounts($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Order { id fulfillmentsCount { count } } }
}""",
    cost=2 * COUNTED,
)

PLACES = Document(
    f"""query WaybillRequestIds($query: String!) {{
  orders(first: {FOUND}, query: $query, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id sourceIdentifier }}
  }}
}}""",
    cost=FOUND,
)

_SHIPMENT = f"""fragment ShipmentFields on Fulfillment {{
  id status createdAt updatedAt
  trackingInfo(first: {TRACKING}) {{ company number url }}
  fulfillmentLineItems(first: {RECORD_LINES}) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ quantity lineItem {{ id sku customAttributes {{ key value }} }} }}
  }}
}}"""

SHIPMENTS = Document(
    f"""query WaybillShipments($ids: [ID!]!, $records: Int!) {{
  nodes(ids: $ids) {{
    ... on Order {{ id sourceIdentifier fulfillments(first: $records) {{ ...ShipmentFields }} }}
  }}
}}
{_SHIPMENT}""",
    cost=600,
)

SHIPMENT_LINES = Document(
    """query WaybillShipmentLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { quantity lineItem { id sku customAttributes { key value } } }
    }
  }
}""",
    cost=200,
)

ALL = {name: document for name, document in globals().items() if isinstance(document, Document)}
