"""Shopify in the sandbox's list of platforms."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.serving import Server
from sandbox.shopify.endpoint import ShopifyEndpoint
from sandbox.shopify.schema import planner
from sandbox.shopify.sourcing import open_shop
from sandbox.shops import Demo, Platform


def _routes(shops: Mapping[str, Any], server: Server) -> Sequence[web.RouteDef]:
    endpoint = ShopifyEndpoint(shops, planner(), server)
    return [
        web.post("/shopify/{shop}/admin/api/{version}/graphql.json", endpoint.graphql),
        web.post("/shopify/{shop}/admin/oauth/access_token", endpoint.access_token),
    ]


SHOPIFY = Platform("shopify", (Demo("acme", "channel", 1001), Demo("depot", "source", 900_001)), open_shop, _routes)
