"""Our requests against the vendors' own descriptions: `make contracts SPECS=DIR`, no network. Skipped without SPECS.

What is sent while the conformance suites run is checked at the end of each test (`stage` in conftest); here stand the
documents that no flow may have sent, and proof that the check can fail.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from waybill_platforms.shopify import documents, setup_documents, source_documents

pytestmark = pytest.mark.specs

SHOPIFY = {
    f"{module.__name__.rpartition('.')[2]}.{name}": document
    for module in (documents, source_documents, setup_documents)
    for name, document in module.ALL.items()
}


@pytest.fixture
def specs(contracts: Any) -> Any:
    return contracts or pytest.skip("SPECS is not given: make contracts SPECS=DIR, with the vendors' specs in DIR")


@pytest.mark.parametrize("name", sorted(SHOPIFY))
def test_every_shopify_document_is_valid_in_the_vendors_schema(
    specs: Any, load: Callable[[str], ModuleType], name: str
) -> None:
    tools = load("contract_specs")
    assert list(tools.of_graphql(tools.shopify(tools.specs()), SHOPIFY[name].text)) == []


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "complaint"),
    [
        ("POST", "/shopify/a/admin/api/2026-10/graphql.json", {}, b'{"query": "query Q { shop { nme } }"}', "nme"),
        ("POST", "/shopify/a/admin/api/2026-10/graphql.json", {},
         b'{"query": "query Q($i: ID!) { order(id: $i) { id } }", "variables": {}}', "variables"),
        ("GET", "/bigcommerce/stores/a/v2/orders", {"min_date_modifed": "x"}, b"", "min_date_modifed is not known"),
        ("GET", "/bigcommerce/stores/a/v2/order", {}, b"", "no such operation"),
        ("POST", "/bigcommerce/stores/a/v2/orders/1/shipments", {}, b'{"trackingnumber": "1"}', "trackingnumber"),
        ("GET", "/woocommerce/a/wp-json/wc/v3/orders", {"per_page": "1000"}, b"", "per_page"),
        ("POST", "/woocommerce/a/wp-json/wc/v3/orders", {}, b'{"staus": "processing"}', "staus"),
        ("POST", "/magento/a/rest/default/V1/order/1/ship", {}, b'{"entity": {}}', "entity"),
        ("GET", "/magento/a/rest/default/V1/orders", {"searchCriteria[page]": "1"}, b"", "is not known"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_complained_of(
    specs: Any, load: Callable[[str], ModuleType], method: str, path: str, query: Any, body: bytes, complaint: str
) -> None:
    sent = load("contract_rest").Sent(method, path, tuple(query.items()), body)
    assert any(complaint in found for found in specs.complaints(sent))


def test_every_exception_says_why(load: Callable[[str], ModuleType]) -> None:
    exceptions = load("contract_exceptions").EXCEPTIONS
    assert len({(platform, pattern) for platform, pattern, _ in exceptions}) == len(exceptions)
    assert all(len(why) > 20 for _, _, why in exceptions)
