"""One mutation: its payload when the shop did it, its refusal when it did not. Business errors come in a 200."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from waybill_platforms.calls import Answer
from waybill_platforms.shopify import wire
from waybill_platforms.shopify.documents import Document
from waybill_platforms.shopify.graphql import REFUSED, Graph, read_as

COURIER_REFUSED = "COURIER_REFUSED"
CODES = {"INVENTORY_CLAIM_FAILED": "out_of_stock", "NOT_FOUND": "not_found"}
"""What a userError of this code is called here; others keep their own name."""


async def change(
    graph: Graph,
    document: Document,
    variables: Mapping[str, Any],
    field: str,
    log_type: str,
    *,
    makes: str = "fulfillment",
    errors: str = "userErrors",
) -> tuple[dict[str, Any], Answer]:
    """The payload of mutation `field`, when it has no errors. With errors and yet something under `makes`, the outcome
    is unknown."""
    data, answer = await graph.ask(document, variables, log_type, effect=True)
    payload = data.get(field)
    if not isinstance(payload, dict):
        raise answer.wrong_form(f"{field}: {type(payload).__name__} instead of an object")
    found = [read_as(answer, wire.UserError, error) for error in payload.get(errors) or ()]
    if found:
        text = "; ".join(f"{'.'.join(error.field or ())}: {error.message}".lstrip(": ") for error in found)
        row = replace(REFUSED, outcome="unknown") if payload.get(makes) else REFUSED
        raise answer.failed(row, text, code=_code(found))
    return payload, answer


def _code(errors: list[wire.UserError]) -> str | None:
    if any("company" in (error.field or ()) for error in errors):
        return COURIER_REFUSED
    given = next((error.code for error in errors if error.code and error.code != "INVALID"), None)
    return CODES.get(given, given.lower()) if given else None
