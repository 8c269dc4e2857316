"""BigCommerce in the sandbox's list of platforms."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.bigcommerce.endpoint import BigCommerceEndpoint
from sandbox.bigcommerce.shop import Store
from sandbox.bigcommerce.supplying import SupplyingStore
from sandbox.serving import Server
from sandbox.shops import Demo, Place, Platform


def _open(place: Place) -> Store:
    return SupplyingStore(place) if place.role == "source" else Store(place)


def _routes(stores: Mapping[str, Any], server: Server) -> Sequence[web.RouteDef]:
    return BigCommerceEndpoint(stores, server).routes()


BIGCOMMERCE = Platform(
    "bigcommerce", (Demo("bramble", "channel", 300_001), Demo("bay", "source", 2_000_001)), _open, _routes
)
