"""How the fields of variants and shipping methods are read."""

from typing import Any

from sandbox.shopify.connections import Connection, page
from sandbox.shopify.gids import gid
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.values import Context


def _item(variant: Any, arguments: Arguments, context: Context) -> Any:
    item = {"id": gid("InventoryItem", variant.id), "sku": variant.sku}
    return {**item, "tracked": variant.tracked, "requires_shipping": True}


def _one(name: str) -> Resolve:
    """A level of the delivery profiles of which the emulated shop has one: it hands its methods down."""

    def resolve(value: Any, arguments: Arguments, context: Context) -> Any:
        if name == "methods":
            methods = value["methods"]
            return page(methods, arguments, lambda one: int(one["id"].rpartition("/")[2]))
        return [value] if name == "groups" else Connection([value], [""], False, False)

    return resolve


VARIANT: dict[str, Resolve] = {
    "id": lambda v, a, c: gid("ProductVariant", v.id),
    "title": lambda v, a, c: "Default Title",
    "displayName": lambda v, a, c: f"{v.product} - Default Title",
    "inventoryQuantity": lambda v, a, c: v.available,
    "inventoryItem": _item,
    "product": lambda v, a, c: {"id": gid("Product", v.product_id), "title": v.product},
}
PROFILE: dict[str, Resolve] = {"profileLocationGroups": _one("groups")}
GROUP: dict[str, Resolve] = {"locationGroupZones": _one("zones")}
ZONE: dict[str, Resolve] = {"methodDefinitions": _one("methods")}
