"""How a carrier is told to BigCommerce, and read from it. Pure.

`shipping_provider` is an enumeration; everybody else is a `tracking_carrier` (AfterShip's slugs). A name that is
neither stands as `shipping_method`, a text that people read, beside the link that the source gave.
"""

import re
from collections.abc import Mapping

from waybill_platforms.bigcommerce import wire
from waybill_platforms.model.catalogue import Carrier

PROVIDERS: Mapping[str, str] = {
    "auspost": "Australia Post",
    "canadapost": "Canada Post",
    "endicia": "Endicia (USPS)",
    "fedex": "FedEx",
    "royalmail": "Royal Mail",
    "shipperhq": "ShipperHQ",
    "ups": "UPS",
    "upsonline": "UPS OnLine Tools",
    "upsready": "UPS Ready",
    "usps": "USPS",
}
"""The values of `shipping_provider`; `carrier_N` of an app that is a shipping provider there is taken as well."""
AFTERSHIP: Mapping[str, str] = {
    "dhl": "DHL Express",
    "dhl-germany": "Deutsche Post DHL",
    "dpd": "DPD",
    "dpd-uk": "DPD UK",
    "gls": "GLS",
    "ontrac": "OnTrac",
    "postnl": "PostNL",
    "purolator": "Purolator",
    "tnt": "TNT",
    "yodel": "Yodel",
}
"""Some of AfterShip's slugs, offered for mapping; any other slug is sent as it is."""
_APP = re.compile(r"^carrier_\d+$")
_SLUG = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
NO_METHOD = frozenset({"", "None"})
"""What `shipping_method` shows when there is none."""


def known() -> tuple[Carrier, ...]:
    """BigCommerce links the number of each of these by itself, when no link is given."""
    return tuple(Carrier(code, name, links=True) for code, name in {**PROVIDERS, **AFTERSHIP}.items())


def fields(carrier: str, service: str = "") -> dict[str, str]:
    """The fields of a shipment that name this carrier; both are always written, so that an old one does not stay.

    A service stands as `shipping_method` beside a carrier that has a code; a carrier without one needs that place.
    """
    method = {"shipping_method": service} if service else {}
    if carrier in PROVIDERS or _APP.match(carrier):
        return {"shipping_provider": carrier, "tracking_carrier": "", **method}
    if _SLUG.match(carrier):
        return {"shipping_provider": "", "tracking_carrier": carrier, **method}
    named = {"shipping_method": carrier} if carrier else {}
    return {"shipping_provider": "", "tracking_carrier": "", **named}


def name_of(shipment: wire.Shipment) -> str:
    """The carrier as `fields` was given it."""
    method = shipment.shipping_method
    return shipment.shipping_provider or shipment.tracking_carrier or ("" if method in NO_METHOD else method)


def service_of(shipment: wire.Shipment) -> str:
    """The service as `fields` was given it; none where that place names the carrier."""
    coded = shipment.shipping_provider or shipment.tracking_carrier
    return shipment.shipping_method if coded and shipment.shipping_method not in NO_METHOD else ""
