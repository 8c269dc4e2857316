"""`waybill export`: the configuration as a file that `apply` takes and finds nothing to change in. Pure."""

from collections.abc import Iterable
from typing import Any

from console.configure.entities import KEPT


def export(entities: Iterable[Any], levels: Iterable[Any]) -> dict[str, Any]:
    """From rows of config_entities in file order and of stock_levels.

    A secret is `kept`, or the env:NAME it was given by.
    """
    stores: dict[str, dict[str, Any]] = {}
    sources: list[dict[str, Any]] = []
    document: dict[str, Any] = {"stores": [], "sources": sources, "routing": {}}
    for row in entities:
        name, body = row["entity"], dict(row["body"])
        if row["credentials"]:
            body["credentials"] = {key: row["credential_names"].get(key, KEPT) for key in row["credentials"]}
        if name.startswith("store/"):
            stores[body["id"]] = {"id": body["id"], "channels": []}
        elif name.startswith("channel/"):
            stores[body.pop("store")]["channels"].append(body)
        elif name.startswith("source/"):
            sources.append(body)
        else:
            document["routing"] = body
    document["stores"] = list(stores.values())
    stock = [row["level"] for row in levels]
    return document | ({"stock": stock} if stock else {})
