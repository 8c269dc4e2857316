"""Looks at a store when it is added (SP-14), and says in one sentence each what is missing. I/O only.

Reads, and one call that surely changes nothing: a PUT of an order that does not exist. Reading alone cannot tell a key
that may only read from one that may write.
"""

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.probes import Finding, Probe
from waybill_platforms.woocommerce import wire
from waybill_platforms.woocommerce.api import BY_CODE, WC, Api, missing, no_route, read_as
from waybill_platforms.woocommerce.carriers import newest_order
from waybill_platforms.woocommerce.ways import LACKS, REMEDY, Ways, index_of

NOWHERE = 2_000_000_000
"""An order id that no store has reached."""
LOG_TYPE = "probe"
OLDEST = 7, 9

PLAIN = Finding(
    "plain_permalinks",
    "missing",
    "The store's permalinks are Plain, so WooCommerce does not accept REST keys.",
    "Settings > Permalinks in WordPress: choose any other structure; or, from WooCommerce 11.1 on, end the url in "
    "/?rest_route=",
)
NO_WOOCOMMERCE = Finding(
    "no_woocommerce",
    "missing",
    "WordPress answers there, but without WooCommerce's REST API (wc/v3).",
    "Check the url; activate WooCommerce; let no security plugin switch its REST API off",
)
READ_ONLY = Finding(
    "read_only_key",
    "missing",
    "The key may read but not write: no shipment can be told and no order placed.",
    "WooCommerce > Settings > Advanced > REST API: give the key the permission Read/Write",
)
WRITE_ONLY = Finding(
    "write_only_key",
    "missing",
    "The key may write but not read: no order can be taken from there.",
    READ_ONLY.fix,
)
NO_RIGHTS = Finding(
    "no_rights",
    "missing",
    "The key's user may not manage the store's orders.",
    "Make the key for a user with the role Shop manager or Administrator",
)
BAD_KEY = Finding(
    "bad_key",
    "missing",
    "The store does not accept the key (cannot_view): " + BY_CODE["woocommerce_rest_cannot_view"].why + ".",
    "Check these three in this order; a server without TLS accepts no key at all",
)
NO_STATUS = Finding(
    "no_system_status",
    "info",
    "The store does not tell its system status (the key's user may not read it?): version and currency are not known.",
)


class WooProber:
    """The `Prober` of one store."""

    def __init__(self, api: Api, index: Api, ways: Ways) -> None:
        self._api = api
        self._index = index
        self._ways = ways

    async def probe(self) -> Probe:
        """Index, key, right to write, system status, way to tell shipments: six or seven calls."""
        told, found = await self._look_at_index()
        if found is not None:
            return Probe("", findings=(found,))
        zone = told.timezone_string or told.gmt_offset
        findings = await self._key()
        if findings:
            return Probe("", zone, findings=findings)
        version, currency, about = await self._status()
        try:
            about += await self._way()
        except PlatformError as error:
            if error.family is not Family.UNAUTHORIZED:
                raise
            about += (NO_RIGHTS,)
        return Probe(version, zone, currency, ("read", "write"), about)

    async def _look_at_index(self) -> tuple[wire.Index, Finding | None]:
        try:
            told = await index_of(self._index, LOG_TYPE)
        except PlatformError as error:
            if await self._answers_plainly():
                return wire.Index(), PLAIN
            if error.family is Family.UNAUTHORIZED:  # a plugin hides the index from strangers; the key decides
                return wire.Index(), None
            raise
        return told, None if "wc/v3" in told.namespaces else NO_WOOCOMMERCE

    async def _answers_plainly(self) -> bool:
        """`/wp-json` leads nowhere, but `?rest_route=` does."""
        if self._index.settings.plain_permalinks:
            return False
        plain = self._index.settings.model_copy(update={"url": self._index.settings.url.rstrip("/") + "/?rest_route="})
        index = self._index.at(plain)
        try:
            return "wc/v3" in (await index_of(index, LOG_TYPE)).namespaces
        except PlatformError:
            return False
        finally:
            await index.aclose()

    async def _key(self) -> tuple[Finding, ...]:
        try:
            await self._api.listed(LOG_TYPE, f"{WC}/orders", per_page=1, _fields="id")
            await self._api.send(LOG_TYPE, "PUT", f"{WC}/orders/{NOWHERE}", body={})
        except PlatformError as error:
            if missing(error):
                return ()  # the answer that was wanted
            found = self._refused(error)
            if found is None:
                raise
            return (found,)
        return ()

    def _refused(self, error: PlatformError) -> Finding | None:
        if no_route(error):
            return NO_WOOCOMMERCE
        if error.family is not Family.UNAUTHORIZED:
            return None
        if "write permission" in error.message:
            return READ_ONLY
        if "read permission" in error.message:
            return WRITE_ONLY
        if error.status == 403:
            return PLAIN if self._api.settings.plain_permalinks and not error.code else NO_RIGHTS
        if error.code == "woocommerce_rest_cannot_view":
            return PLAIN if self._api.settings.plain_permalinks else BAD_KEY
        named = "bad_key" if "Consumer key" in error.message else "bad_secret"
        return Finding(named, "missing", f"The store refuses the key: {error.message}", "Set the key anew")

    async def _status(self) -> tuple[str, str, tuple[Finding, ...]]:
        """Asked by field: whole, it makes the store call other servers, which takes long where it may not."""
        fields = "environment.version,settings.currency,settings.HPOS_enabled"
        try:
            answer = await self._api.get(LOG_TYPE, f"{WC}/system_status", _fields=fields)
        except PlatformError:
            return "", "", (NO_STATUS,)  # nothing hangs on it
        told = read_as(answer, wire.SystemStatus, answer.json())
        version = told.environment.version
        storage = "HPOS" if told.settings.HPOS_enabled else "posts"
        about = (Finding("storage", "info", f"WooCommerce {version}, orders in {storage} storage."), *_too_old(version))
        if not told.settings.HPOS_enabled:
            about += (POSTS,)
        return version, told.settings.currency, about

    async def _way(self) -> tuple[Finding, ...]:
        """With any order's id, as the routes hang on orders; the feature has an error of its own for an unknown one."""
        order_id = await newest_order(self._api, LOG_TYPE) or NOWHERE
        try:
            if await self._ways.fulfillments(order_id, LOG_TYPE) is not None:
                return ()
        except PlatformError as error:
            if error.family is Family.UNAUTHORIZED or order_id != NOWHERE:
                raise
            return ()
        told = await self._ways.otherwise(order_id, LOG_TYPE)
        code = "no_shipment_tracking" if told.way == "note" else "tracking_by_plugin"
        return (Finding(code, "warning", LACKS[told.way], REMEDY if told.way == "note" else ""),)


POSTS = Finding(
    "posts_storage",
    "info",
    "Orders are in posts storage: an address corrected there by another program shows up by webhook or audit alone.",
    "Register the webhooks: waybill channels webhooks CHANNEL --url https://hub.example",
)


def _too_old(version: str) -> tuple[Finding, ...]:
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if len(numbers) == 2 and tuple(numbers) < OLDEST:
        text = f"WooCommerce {version} is older than 7.9, the oldest that was tried."
        return (Finding("old_version", "warning", text, "Update WooCommerce"),)
    return ()
