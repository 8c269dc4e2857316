"""Every GraphQL document that we send, whole, with what it may cost.

Costs are points by the documented rule (an object 1, a mutation 10, what is nested is multiplied); one query may cost
1000. They only start the budget: the shop's own figures replace them with the first answer.
"""

from dataclasses import dataclass

ORDER_COST, LINE_COST = 9, 3
MOST_ORDERS, LEAST_LINES, MOST_LINES = 35, 6, 100
LONGEST_PAGE = 100
PARCELS, PARCEL_LINES = 5, 30
RECORDS = 15
RECORDS_BY_ID = 25
TRACKING = 10
RECORD_LINES = 10


@dataclass(frozen=True, slots=True)
class Document:
    """One operation."""

    text: str
    cost: float


def page_sizes(limit: int, most: int = MOST_ORDERS) -> tuple[int, int]:
    """(orders, lines of each) of one page, so that it stays under 1000 points: few orders leave room for more lines."""
    orders = max(1, min(limit, most))
    return orders, max(LEAST_LINES, min(MOST_LINES, (950 // orders - ORDER_COST) // LINE_COST))


_LINES = """fragment Lines on LineItemConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    id sku title quantity currentQuantity unfulfilledQuantity requiresShipping
    originalUnitPriceSet { shopMoney { amount } }
  }
}"""

_ORDER = f"""fragment OrderFields on Order {{
  id name updatedAt processedAt cancelledAt displayFinancialStatus displayFulfillmentStatus currencyCode
  currentTotalPriceSet {{ shopMoney {{ amount }} }}
  email phone note tags sourceIdentifier
  risk {{ recommendation }}
  shippingAddress {{ name company address1 address2 city province provinceCode countryCodeV2 zip phone }}
  shippingLine {{ title code }}
  lineItems(first: $lines) {{ ...Lines }}
}}
{_LINES}"""

_RECORD = f"""fragment RecordFields on Fulfillment {{
  id status createdAt
  trackingInfo(first: {TRACKING}) {{ company number url }}
  fulfillmentLineItems(first: {RECORD_LINES}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ quantity lineItem {{ id }} }} }}
}}"""  # noqa: E501 (a connection is read best on one line)

_PARCEL_LINES = "pageInfo { hasNextPage endCursor } nodes { id remainingQuantity lineItem { id } }"

ORDERS = Document(
    f"""query WaybillOrders($first: Int!, $after: String, $query: String!, $lines: Int!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ ...OrderFields }}
  }}
}}
{_ORDER}""",
    cost=200,
)

ORDER = Document(
    f"""query WaybillOrder($id: ID!, $lines: Int!) {{ order(id: $id) {{ ...OrderFields }} }}
{_ORDER}""",
    cost=40,
)

ORDER_LINES = Document(
    f"""query WaybillOrderLines($id: ID!, $first: Int!, $after: String) {{
  order(id: $id) {{ updatedAt lineItems(first: $first, after: $after) {{ ...Lines }} }}
}}
{_LINES}""",
    cost=LONGEST_PAGE * LINE_COST,
)

FULFILLMENTS = Document(
    f"""query WaybillFulfillments($id: ID!, $after: String, $records: Int!) {{
  order(id: $id) {{
    id cancelledAt displayFulfillmentStatus
    fulfillmentOrders(first: {PARCELS}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id status supportedActions {{ action }} assignedLocation {{ name location {{ id }} }}
        lineItems(first: {PARCEL_LINES}) {{ {_PARCEL_LINES} }}
      }}
    }}
    fulfillments(first: $records) {{ ...RecordFields }}
  }}
}}
{_RECORD}""",
    cost=60,
)

PARCEL_LINES_MORE = Document(
    f"""query WaybillFulfillmentOrderLines($id: ID!, $after: String) {{
  fulfillmentOrder(id: $id) {{ lineItems(first: {LONGEST_PAGE}, after: $after) {{ {_PARCEL_LINES} }} }}
}}""",
    cost=LONGEST_PAGE * 2,
)

RECORD_IDS = Document(
    "query WaybillFulfillmentIds($id: ID!) { order(id: $id) { fulfillments(first: 250) { id } } }", cost=250
)

RECORDS_MORE = Document(
    f"""query WaybillFulfillmentsById($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...RecordFields }} }}
{_RECORD}""",
    cost=100,
)

RECORD_WHOLE = Document(
    """query WaybillFulfillment($id: ID!, $after: String) {
  fulfillment(id: $id) {
    id status createdAt
    trackingInfo(first: 250) { company number url }
    fulfillmentLineItems(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { quantity lineItem { id } }
    }
  }
}""",
    cost=200,
)

CREATE = Document(
    f"""mutation WaybillFulfillmentCreate($fulfillment: FulfillmentInput!) {{
  fulfillmentCreate(fulfillment: $fulfillment) {{ fulfillment {{ ...RecordFields }} userErrors {{ field message }} }}
}}
{_RECORD}""",
    cost=10,
)

UPDATE_TRACKING = Document(
    f"""mutation WaybillTrackingUpdate($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {{
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {{
    fulfillment {{ ...RecordFields }} userErrors {{ field message }}
  }}
}}
{_RECORD}""",
    cost=10,
)

CANCEL = Document(
    """mutation WaybillFulfillmentCancel($id: ID!) {
  fulfillmentCancel(id: $id) { fulfillment { id status } userErrors { field message } }
}""",
    cost=10,
)

ALL = {
    name: document for name, document in globals().items() if isinstance(document, Document)
}  # for the check against the vendor's schema
