"""The GraphQL documents by which a connection is looked at and set up: probe, webhooks, catalogue, stock."""

from waybill_platforms.shopify.documents import Document

PAGE = 250
PROFILES, ZONES, METHODS = 5, 10, 10

PROBE = Document(
    """query WaybillProbe {
  shop { name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName partnerDevelopment } }
  currentAppInstallation { accessScopes { handle } }
  orders(first: 1, query: "status:any", sortKey: UPDATED_AT, reverse: true) {
    nodes { requiresShipping shippingAddress { countryCodeV2 } }
  }
}""",
    cost=20,
)

VARIANTS = Document(
    f"""query WaybillCatalogue($after: String) {{
  productVariants(first: {PAGE}, after: $after, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id sku displayName }}
  }}
}}""",
    cost=PAGE,
)

STOCK = Document(
    f"""query WaybillStock($query: String, $after: String) {{
  productVariants(first: {PAGE}, after: $after, query: $query, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ sku inventoryQuantity inventoryItem {{ tracked }} }}
  }}
}}""",
    cost=2 * PAGE,
)

SHIPPING_METHODS = Document(
    f"""query WaybillShippingMethods($after: String) {{
  deliveryProfiles(first: {PROFILES}, after: $after) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      profileLocationGroups {{
        locationGroupZones(first: {ZONES}) {{
          nodes {{ methodDefinitions(first: {METHODS}) {{ nodes {{ name active }} }} }}
        }}
      }}
    }}
  }}
}}""",
    cost=300,
)

SUBSCRIPTIONS = Document(
    f"""query WaybillWebhooks($after: String) {{
  webhookSubscriptions(first: {PAGE}, after: $after) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id topic uri }}
  }}
}}""",
    cost=PAGE,
)

SUBSCRIBE = Document(
    """mutation WaybillWebhookCreate($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri } userErrors { field message }
  }
}""",
    cost=10,
)

UNSUBSCRIBE = Document(
    """mutation WaybillWebhookDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}""",
    cost=10,
)

ALL = {name: document for name, document in globals().items() if isinstance(document, Document)}
