"""The carriers that a store accepts (SP-7): a list with the fulfillments feature, the plugin's own, or any name."""

from waybill_platforms.model.catalogue import Carrier
from waybill_platforms.woocommerce import wire
from waybill_platforms.woocommerce.api import WC, Api, read_as
from waybill_platforms.woocommerce.ways import Ways

_WORDS = """
acs-courier amazon-logistics an-post aras-kargo australia-post azerpost bartolini-brt belpochta bpost
bulgarian-posts canada-post cdek ceska-posta chronopost correos ctt cyprus-post deutsche-post dhl dpd econt
eimskip elta evri-hermes fan-courier fastway fedex geniki-taxydromiki gls haypost helthjem hrvatska-posta
inpost islandspostur itella kazpost la-poste-colissimo lasership-ontrac latvijas-pasts
liechtensteinische-post magyar-posta makedonska-posta maltapost matkahuolto mondial-relay mpl mrw
new-zealand-post nova-poshta omniva osterreichische-post parcelforce poczta-polska post-luxembourg
posta-moldovei posta-romana poste-italiane poste-san-marino posten-norge-bring postnl postnord purolator
royal-mail russian-post sda seur slovenska-posta spee-dee-delivery startrack swiss-post toll ukrposhta ups
urgent-cargus usps yurtici-kargo zasilkovna
"""
CODES = tuple(_WORDS.split())
"""Of WooCommerce's fulfillments, 10.5. Any other word is kept, too, and shown with the link that we send."""


class WooCarriers:
    """The `CarrierReader` of one store."""

    def __init__(self, api: Api, ways: Ways) -> None:
        self._api = api
        self._ways = ways

    async def carriers(self) -> tuple[Carrier, ...]:
        """None where shipments are told by a note (any name will do there), or there is no order yet."""
        order_id = await newest_order(self._api, "get_carriers")
        if not order_id:
            return ()  # the routes that tell them hang on an order
        if await self._ways.fulfillments(order_id, "get_carriers") is not None:
            return tuple(Carrier(code, code.replace("-", " ").title()) for code in CODES)
        told = await self._ways.otherwise(order_id, "get_carriers")
        return tuple(Carrier(name, name, "%number%" in link) for name, link in told.links.items())


async def newest_order(api: Api, log_type: str) -> int:
    """Any order's id, under which the routes that hang on orders can be asked; 0 where there is none yet."""
    listed = await api.listed(log_type, f"{WC}/orders", per_page=1, _fields="id")
    return next((read_as(listed.answer, wire.Id, row).id for row in listed.rows), 0)
