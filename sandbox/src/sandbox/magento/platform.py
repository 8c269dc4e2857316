"""Magento in the sandbox's list of platforms."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.magento.endpoint import MagentoEndpoint
from sandbox.magento.shop import MagentoShop
from sandbox.magento.supplying import MagentoSupplier
from sandbox.serving import Server
from sandbox.shops import Demo, Place, Platform


def _open(place: Place) -> MagentoShop:
    return MagentoSupplier(place) if place.role == "source" else MagentoShop(place)


def _routes(shops: Mapping[str, Any], server: Server) -> Sequence[web.RouteDef]:
    endpoint = MagentoEndpoint(shops, server)
    return [
        web.route("*", "/magento/{shop}/rest/{store}/V1/{path:.*}", endpoint.rest),
        web.get("/magento/{shop}/magento_version", endpoint.version),
    ]


MAGENTO = Platform("magento", (Demo("maison", "channel", 400_001), Demo("mill", "source", 450_001)), _open, _routes)
