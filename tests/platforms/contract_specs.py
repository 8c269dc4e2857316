"""Which vendor's description a request is checked against, and the complaints that are left."""

import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from graphql import GraphQLSchema, build_schema, get_operation_ast, parse, validate
from graphql.execution.values import get_variable_values

PLACES = {
    "shopify": re.compile(r"/shopify/[^/]+/admin/api/[^/]+(/graphql\.json)"),
    "bigcommerce": re.compile(r"/bigcommerce/(?:.*?/)?(v[23]/.*)"),
    "woocommerce": re.compile(r"/woocommerce/[^/]+/wp-json(/wc/v3.*?)/?"),
    "magento": re.compile(r"/magento/[^/]+/rest/[^/]+(/V1/.*)"),
}
"""Where the sandbox has each platform -> the path as the vendor writes it."""


def specs() -> Path | None:
    """The directory of the vendors' files, when there is one."""
    given = os.environ.get("SPECS")
    return Path(given).resolve() if given else None


@cache
def shopify(directory: Path) -> GraphQLSchema:
    """Their own schema breaks a rule of the full check (deprecated fields of interfaces), hence `assume_valid`."""
    [path] = sorted((directory / "shopify").glob("admin-*.graphql"))[-1:]
    return build_schema(path.read_text(), assume_valid=True, no_location=True)


def of_graphql(schema: GraphQLSchema, text: str, variables: dict[str, Any] | None = None) -> Iterator[str]:
    """The document against the schema; its variables too, when they are given."""
    document = parse(text)
    errors = validate(schema, document)
    yield from (error.message for error in errors)
    operation = get_operation_ast(document)
    assert operation is not None
    if variables is not None and not errors:
        found = get_variable_values(schema, operation.variable_definitions or (), variables)
        if isinstance(found, list):
            yield from (f"variables: {error.message}" for error in found)


class Specs:
    """All four vendors' descriptions, each read when it is first needed."""

    def __init__(self, directory: Path, load: Callable[[str], ModuleType]) -> None:
        self._directory = directory
        self._rest = load("contract_rest")
        self._exceptions = load("contract_exceptions").EXCEPTIONS
        self._contracts: dict[str, Any] = {}
        self.used: set[str] = set()
        """Patterns of exceptions that were needed."""

    def complaints(self, sent: Any) -> Iterator[str]:
        """`platform: METHOD template: what is wrong`, without those that are excepted."""
        for platform, place in PLACES.items():
            if found := place.fullmatch(sent.path):
                path = found[1]
                for complaint in self._of(platform, path, sent):
                    if not self._excepted(platform, complaint):
                        yield f"{platform}: {complaint}"

    def _of(self, platform: str, path: str, sent: Any) -> Iterator[str]:
        if platform == "shopify":
            yield from self._of_shopify(sent)
            return
        if platform == "bigcommerce":
            platform, path = f"bigcommerce {path[:2]}", path[2:]
        inner = self._rest.Sent(sent.method, path, sent.query, sent.body, sent.content_type)
        yield from self.contract(platform).complaints(inner)

    def _of_shopify(self, sent: Any) -> Iterator[str]:
        body = json.loads(sent.body)
        name = re.search(r"(query|mutation) (\w+)", body["query"])
        for complaint in of_graphql(shopify(self._directory), body["query"], body.get("variables") or {}):
            yield f"{name[2] if name else '?'}: {complaint}"

    def contract(self, platform: str) -> Any:
        if platform not in self._contracts:
            at, openapi = self._directory, self._rest.openapi
            reading: dict[str, Callable[[], Any]] = {
                "bigcommerce v2": lambda: openapi(*sorted((at / "bigcommerce").glob("*.v2*.yml"))),
                "bigcommerce v3": lambda: openapi(*sorted((at / "bigcommerce").glob("*.v3*.yml"))),
                "woocommerce": lambda: self._rest.wordpress(at / "woocommerce" / "dump" / "index-wc-v3.json"),
                "magento": lambda: openapi(*sorted((at / "magento").glob("admin-schema-*.yaml"))[-1:]),
            }
            self._contracts[platform] = reading[platform]()
        return self._contracts[platform]

    def _excepted(self, platform: str, complaint: str) -> bool:
        for of, pattern, _ in self._exceptions:
            if of == platform and re.search(pattern, complaint):
                self.used.add(pattern)
                return True
        return False
