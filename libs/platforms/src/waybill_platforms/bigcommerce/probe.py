"""Looks at a store when it is added, and says in a sentence each what is missing. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from waybill_common.retry import Family
from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, listed, read_as
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.calls import Answer
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.probes import Finding, Probe, Severity

LOG_TYPE = "probe"
OPEN = frozenset({"", "live"})
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Need:
    """A thing to be read, and what it means when it may not be."""

    path: str
    scope: str
    called: str
    severity: Severity
    loses: str


ORDERS = Need("/v2/orders", "store_v2_orders", "Orders: modify", "missing", "orders cannot be read")
PRODUCTS = Need("/v3/catalog/variants", "store_v2_products_read_only", "Products: read-only", "missing",
                "requests cannot be submitted: their SKUs cannot be looked up")  # fmt: skip
LISTED = Need("/v3/catalog/products", "store_v2_products_read_only", "Products: read-only", "warning",
              "its products cannot be listed for mapping")  # fmt: skip
ZONES = Need("/v2/shipping/zones", "store_v2_information_read_only", "Information & settings: read-only", "warning",
             "its shipping methods cannot be listed for mapping")  # fmt: skip
STOCK = Need("/v3/inventory/items", "store_inventory_read_only", "Store Inventory: read-only", "warning",
             "its stock cannot be read")  # fmt: skip
CHANNEL = (ORDERS, LISTED, ZONES)
SOURCE = (ORDERS, PRODUCTS, STOCK)


class BigCommerceProber:
    """The `Prober` of one store, in one of its roles."""

    def __init__(self, rest: Rest, settings: BigCommerceSettings, needs: Sequence[Need]) -> None:
        self._rest = rest
        self._settings = settings
        self._needs = needs

    async def probe(self) -> Probe:
        """Five calls or fewer. A token that is refused everywhere is one finding."""
        found: list[Finding] = []
        store = wire.Store()
        answer = await self._allowed("/v2/store")
        if isinstance(answer, PlatformError):
            if answer.status == 401:
                return Probe("V2", findings=(_refused_token(answer),))
            found.append(_store_unread(answer))
        else:
            store = read_as(answer, wire.Store, answer.json())
            found += self._about(store)
        scopes = [scope for need in self._needs if (scope := await self._look(need, found)) is not None]
        found += [_write(self._needs), *await self._hooks()]
        zone = store.timezone.name if store.timezone else ""
        return Probe("V2", zone, store.currency, tuple(dict.fromkeys(scopes)), tuple(found))

    async def _allowed(self, path: str) -> Answer | PlatformError:
        """The answer, or the error when the token may not, or the store has no such thing."""
        try:
            return await self._rest.get(path, LOG_TYPE, None if path == "/v2/store" else {"limit": 1})
        except PlatformError as error:
            if error.family is Family.UNAUTHORIZED or error.status == NOT_FOUND:
                return error
            raise

    async def _look(self, need: Need, found: list[Finding]) -> str | None:
        answer = await self._allowed(need.path)
        if isinstance(answer, Answer):
            return need.scope if need is not ORDERS else f"{need.scope}_read_only"
        fix = f"give the API account the scope “{need.called}” ({need.scope}), and apply its new token"
        if answer.status == NOT_FOUND:
            fix = (
                "take the API path that the API account showed as url; if it is, ask BigCommerce about the store's plan"
            )
        found.append(Finding(f"scope_{need.scope}", need.severity, f"HTTP {answer.status}: {need.loses}", fix))
        return None

    def _about(self, store: wire.Store) -> list[Finding]:
        found = []
        if store.id and self._settings.store_hash and store.id != self._settings.store_hash:
            message = f"the token belongs to store {store.id}, the url to {self._settings.store_hash}"
            found.append(Finding("other_store", "missing", message, "take url and token of the same API account"))
        if store.status not in OPEN:
            message = f"the store is {store.status.replace('_', ' ')}: buyers cannot order there"
            found.append(Finding("store_not_live", "warning", message, "open it in the control panel when it is ready"))
        rate = self._rest.rate
        message = f"{rate.capacity:g} calls in {rate.capacity / rate.per_second:g} s, shared by all apps of the store"
        return [*found, Finding("quota", "info", message)]

    async def _hooks(self) -> list[Finding]:
        """Hooks that BigCommerce switched off; only those of this API account are shown to it."""
        try:
            answer = await self._rest.get("/v3/hooks", LOG_TYPE, {"limit": MOST})
        except PlatformError as error:
            if error.family in (Family.UNAUTHORIZED, Family.REFUSED):
                return []
            raise
        hooks = [read_as(answer, wire.Hook, entry) for entry in listed(answer).data]
        off = sorted({hook.scope for hook in hooks if not hook.is_active})
        secrets = self._settings.client_secret or self._settings.webhook_secret
        if off:
            message = f"webhooks are switched off: {', '.join(off)}"
            return [
                Finding(
                    "hooks_off",
                    "warning",
                    message,
                    "waybill channels webhooks CHANNEL --url ADDRESS switches them on again",
                )
            ]
        if not secrets:
            message = "no secret for webhooks is set: changes come by the schedule only"
            fix = "set credentials.webhook_secret (any long text of your own), and client_secret of the API account"
            return [Finding("no_webhook_secret", "info", message, fix)]
        return []


def _refused_token(error: PlatformError) -> Finding:
    fix = "create a store-level API account again and apply its access token"
    return Finding("unauthorized", "missing", f"the access token is refused: {error.message}", fix)


def _store_unread(error: PlatformError) -> Finding:
    message = f"HTTP {error.status}: the store's name, time zone and currency cannot be read"
    fix = "give the scope “Information & settings: read-only” (store_v2_information_read_only), and look at the url"
    return Finding("scope_store_v2_information_read_only", "warning", message, fix)


def _write(needs: Sequence[Need]) -> Finding:
    what = "requests are submitted" if PRODUCTS in needs else "shipments are reported"
    message = f"whether the token may write (Orders: modify) shows only when {what}; nothing was written to find out"
    return Finding("write_unproven", "info", message)
