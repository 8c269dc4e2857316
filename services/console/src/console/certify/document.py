"""The published document: its schemas, against which every answer is checked."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

PATH = Path(__file__).with_name("http-source.openapi.yaml")


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PATH.read_text("utf-8"))
    return loaded


@cache
def _validator(schema: str) -> Any:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def wrong_in(body: object, schema: str) -> str:
    """Where `body` is not what the document says of `schema`, with the first three places; empty when it is."""
    errors = sorted(_validator(schema).iter_errors(body), key=lambda error: list(map(str, error.absolute_path)))
    return "; ".join(
        f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:160]}" for error in errors[:3]
    )
