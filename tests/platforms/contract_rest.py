"""Requests against a vendor's own description of its REST API: path, parameters and body.

Stricter than the descriptions themselves: what they do not name is a complaint, since a misspelt field is ignored
without a word by most shops. Cannot promise that a description is right: see
`contract_exceptions.py`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import yaml


@dataclass(frozen=True)
class Sent:
    """One request as it came in at the sandbox."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    content_type: str = "application/json"


@dataclass
class Operation:
    method: str
    template: str
    query: Mapping[str, Any]
    """Name -> schema."""
    required: frozenset[str]
    body: Any = None
    """Schema, not yet made strict; None: the operation takes none."""
    document: Any = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        if "(?P" in self.template:  # WordPress' routes are patterns already
            return re.compile(self.template)
        return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(self.template)))

    @cached_property
    def validator(self) -> Any:
        return jsonschema.Draft4Validator(strict(self.body, self.document))


class Contract:
    """The operations of one vendor's API."""

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations

    def complaints(self, sent: Sent) -> Iterator[str]:
        """Each as `METHOD template: what is wrong`."""
        fitting = [one for one in self._operations if one.method == sent.method and one.pattern.fullmatch(sent.path)]
        if not fitting:
            yield f"{sent.method} {re.sub(r'[0-9]+', 'N', sent.path)}: no such operation"
            return
        # The plainest template wins: /orders/count is no order called count.
        operation = min(fitting, key=lambda one: (one.template.count("{") + one.template.count("(?P"), one.template))
        for text in (*_of_query(operation, sent), *_of_body(operation, sent)):
            yield f"{operation.name}: {text}"


def _of_query(operation: Operation, sent: Sent) -> Iterator[str]:
    names = set()
    for raw, value in sent.query:
        name = re.sub(r"\[\d+\]", "[0]", raw)  # Magento's description names the first of each list
        names.add(name)
        schema = operation.query.get(name, operation.query.get(name.removesuffix("[]")))
        if schema is None:
            yield f"parameter {name} is not known"
            continue
        schema = strict(schema, operation.document)
        for error in jsonschema.Draft4Validator(schema).iter_errors(_read(value, schema)):
            yield f"parameter {name}: {error.message}"
    for name in operation.required - names:
        yield f"parameter {name} is missing"


def _read(value: str, schema: Mapping[str, Any]) -> Any:
    """A parameter's text as its type says."""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        return [_read(one, schema.get("items") or {}) for one in value.split(",")]
    if "integer" in kinds and re.fullmatch(r"-?\d+", value):
        return int(value)
    if "number" in kinds and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    return {"true": True, "false": False}.get(value, value) if "boolean" in kinds else value


def _of_body(operation: Operation, sent: Sent) -> Iterator[str]:
    if not sent.body:
        return
    if operation.body is None:
        if sent.body == b"{}":  # nothing, as JSON
            return
        yield "a body is sent, none is known"
        return
    for error in operation.validator.iter_errors(json.loads(sent.body)):
        where = "/".join("N" if isinstance(step, int) else str(step) for step in error.absolute_path)
        yield f"body {where or '.'}: {re.sub(r'[0-9]{3,}', 'N', error.message)[:200]}"


def strict(schema: Any, document: Any, seen: frozenset[str] = frozenset()) -> Any:
    """The schema with its references put in, `allOf` merged, `nullable` made a type, and unknown names refused."""
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        reference = schema["$ref"]
        return {} if reference in seen else strict(resolve(reference, document), document, seen | {reference})
    kept = {name: schema[name] for name in ("type", "enum", "minimum", "maximum", "maxLength", "minLength")
            if name in schema}  # fmt: skip
    for part in schema.get("allOf") or ():
        merged = strict(part, document, seen)
        properties = {**kept.get("properties", {}), **merged.get("properties", {})}
        kept |= merged
        if properties:
            kept["properties"] = properties
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            kept["anyOf"] = [strict(one, document, seen) for one in schema[choice]]
    if "properties" in schema:
        own = {name: strict(one, document, seen) for name, one in schema["properties"].items()}
        kept["properties"] = {**kept.get("properties", {}), **own}
    if isinstance(schema.get("required"), list) and schema["required"]:
        kept["required"] = schema["required"]
    if "items" in schema:
        kept["items"] = strict(schema["items"], document, seen)
    if "properties" in kept and not schema.get("additionalProperties") and "anyOf" not in kept:
        kept["additionalProperties"] = False
    return _nullable(kept) if schema.get("nullable") else kept


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def resolve(reference: str, document: Any) -> Any:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


# -- reading the vendors' files

_METHODS = ("get", "post", "put", "patch", "delete")


def openapi(*paths: Path) -> Contract:
    """OpenAPI 3, and Swagger 2 as Magento writes it."""
    return Contract([one for path in paths for one in _operations(yaml.load(path.read_text(), _Loader))])


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _operations(document: Any) -> Iterator[Operation]:
    for template, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                yield _operation(document, method, template, item[method], parameters)


def _operation(document: Any, method: str, template: str, described: Any, parameters: list[Any]) -> Operation:
    whole = [resolve(one["$ref"], document) if "$ref" in one else one for one in parameters]
    query = {one["name"]: one.get("schema") or one for one in whole if one["in"] == "query"}
    required = frozenset(one["name"] for one in whole if one["in"] == "query" and one.get("required"))
    body = next((one["schema"] for one in whole if one["in"] == "body"), None)
    if "requestBody" in described:
        given = described["requestBody"]
        content = (resolve(given["$ref"], document) if "$ref" in given else given)["content"]
        body = content.get("application/json", {}).get("schema", {})
    return Operation(method.upper(), template, query, required, body, document)


def wordpress(index: Path) -> Contract:
    """What a running store says of its own routes (`GET /wp-json/wc/v3`)."""
    operations = []
    for template, route in json.loads(index.read_text())["routes"].items():
        for endpoint in route["endpoints"]:
            args = endpoint["args"] if isinstance(endpoint["args"], dict) else {}
            args = {name: one for name, one in args.items() if f"(?P<{name}>" not in template}  # those of the path
            required = frozenset(name for name, one in args.items() if one.get("required") is True)
            for method in endpoint["methods"]:
                reads = method in {"GET", "DELETE"}
                body = None if reads else {"type": "object", "properties": args, "required": sorted(required)}
                operations.append(Operation(method, template, args, required if reads else frozenset(), body, {}))
    return Contract(operations)
