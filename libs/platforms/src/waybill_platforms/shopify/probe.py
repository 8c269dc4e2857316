"""Looks at a shop when its connection is added, and says in one sentence each what is missing (SP-14).

One query: the version that answers, the app's scopes, whether customers' data is granted, the shop's clock and
currency. What Shopify grants is told by `currentAppInstallation.accessScopes`; without the fulfillment-order scopes
their lists come back empty instead of refused, so nobody would notice otherwise.
"""

from dataclasses import dataclass

from waybill_platforms.model.probes import Finding, Probe
from waybill_platforms.shopify import setup_documents as documents
from waybill_platforms.shopify import setup_wire as wire
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.settings import API_VERSION

ORDERS = frozenset({"read_orders", "read_marketplace_orders", "read_quick_sale"})
READS_PARCELS = frozenset(
    {"read_merchant_managed_fulfillment_orders", "read_third_party_fulfillment_orders",
     "read_assigned_fulfillment_orders", "read_marketplace_fulfillment_orders"}
)  # fmt: skip
WRITES_PARCELS = frozenset({name.replace("read_", "write_") for name in READS_PARCELS} - {
    "write_marketplace_fulfillment_orders"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """One of `scopes` is enough; without any, `loss` is what happens."""

    scopes: frozenset[str]
    loss: str
    missing: bool = True


CHANNEL = (
    Need(ORDERS, "orders cannot be read"),
    Need(READS_PARCELS, "what is open at an order cannot be seen: its fulfillment orders come back empty"),
    Need(WRITES_PARCELS, "fulfillments cannot be made"),
    Need(frozenset({"read_all_orders"}), "orders older than 60 days cannot be read", missing=False),
    Need(frozenset({"read_products"}), "the shop's products cannot be listed for mapping", missing=False),
    Need(frozenset({"read_shipping"}), "the shop's shipping methods cannot be listed for mapping", missing=False),
)
SOURCE = (
    Need(ORDERS, "requests cannot be read back"),
    Need(frozenset({"write_orders"}), "requests cannot be made"),
    Need(frozenset({"read_products"}), "SKUs cannot be looked up, so no request can be made"),
    Need(READS_PARCELS, "shipments may not be seen", missing=False),
    Need(frozenset({"read_inventory"}), "stock cannot be read", missing=False),
)


class ShopifyProber:
    """The `Prober` of one shop in one role, `needs`."""

    def __init__(self, graph: Graph, needs: tuple[Need, ...], *, signed: bool) -> None:
        """`signed`: the settings have what webhooks are checked with."""
        self._graph = graph
        self._needs = needs
        self._signed = signed

    async def probe(self) -> Probe:
        data, answer = await self._graph.ask(documents.PROBE, {}, "probe")
        shop = read_as(answer, wire.Shop, data.get("shop"))
        granted = read_as(answer, wire.Installation, data.get("currentAppInstallation"))
        sample = read_as(answer, wire.Sample, data.get("orders"))
        scopes = tuple(scope.handle for scope in granted.accessScopes)
        served = answer.headers.get("x-shopify-api-version", "")
        findings = [*_version(served), *_scopes(self._needs, frozenset(scopes)), *_customers(sample), *_plan(shop)]
        findings += [] if self._signed else [_UNSIGNED]
        return Probe(served, shop.ianaTimezone, shop.currencyCode, scopes, tuple(findings))


def _version(served: str) -> list[Finding]:
    if not served or served == API_VERSION:
        return []
    text = f"Shopify answers with API version {served} instead of {API_VERSION}."
    return [
        Finding("api_version", "warning", text, "Upgrade Waybill; until then new or changed fields may be misread.")
    ]


def _scopes(needs: tuple[Need, ...], granted: frozenset[str]) -> list[Finding]:
    # A write scope includes the right to read.
    granted |= {scope.replace("write_", "read_") for scope in granted if scope.startswith("write_")}
    found = []
    for need in needs:
        if not need.scopes & granted:
            names = sorted(need.scopes)
            first = next((name for name in names if "merchant_managed" in name or name == "read_orders"), names[0])
            found.append(
                Finding(
                    f"scope_{first}",
                    "missing" if need.missing else "warning",
                    f"The app lacks the scope {first}: {need.loss}.",
                    f"Add {first} to the app's scopes in the Dev Dashboard, and install the new version at the shop.",
                )
            )
    return found


def _customers(sample: wire.Sample) -> list[Finding]:
    """Ungranted data is null: an order that ships and has no address gives it away."""
    if not any(order.requiresShipping and order.shippingAddress is None for order in sample.nodes):
        return []
    return [
        Finding(
            "protected_customer_data",
            "missing",
            "Addresses are hidden from the app: the newest order ships, and has none.",
            "Request access to protected customer data (name, address, phone, e-mail) for the app.",
        )
    ]


def _plan(shop: wire.Shop) -> list[Finding]:
    if not shop.plan.partnerDevelopment:
        return []
    text = "This is a development store: at most 5 orders a minute can be made there by a program."
    return [Finding("development_store", "info", text)]


_UNSIGNED = Finding(
    "client_secret",
    "warning",
    "Webhooks cannot be checked without the app's client secret.",
    "Set credentials.client_secret; until then changes are seen by polling alone.",
)
