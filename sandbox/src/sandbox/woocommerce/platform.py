"""WooCommerce in the sandbox's list of platforms."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.serving import Server
from sandbox.shops import Demo, Platform
from sandbox.woocommerce.endpoint import WooEndpoint
from sandbox.woocommerce.shop import Store


def _routes(shops: Mapping[str, Any], server: Server) -> Sequence[web.RouteDef]:
    endpoint = WooEndpoint(shops, server)
    return [
        web.route("*", "/woocommerce/{shop}/wp-json/{route:.*}", endpoint.pretty),
        web.route("*", "/woocommerce/{shop}/wp-json", endpoint.pretty),
        web.route("*", "/woocommerce/{shop}/", endpoint.plain),
    ]


WOOCOMMERCE = Platform(
    "woocommerce",
    (Demo("willow", "channel", 30_001), Demo("yonder", "source", 60_001)),
    Store,
    _routes,
)
