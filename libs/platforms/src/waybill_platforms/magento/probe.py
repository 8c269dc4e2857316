"""Looks at a store when it is added: what it is, and what is missing, one sentence each (SP-14). Reads only."""

from collections.abc import Sequence

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.magento import messages, wire
from waybill_platforms.magento.rest import Rest, read_as, read_list
from waybill_platforms.magento.search import criteria
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.probes import Finding, Probe

CHANNEL_READS = (("Magento_Sales::actions_view", "/orders"), ("Magento_Sales::shipment", "/shipments"))
SOURCE_READS = (*CHANNEL_READS, ("Magento_Catalog::products", "/products"))
CANNOT = Finding(
    "cannot_cancel_shipments",
    "info",
    "Magento cannot cancel a shipment: a withdrawn one becomes a task for a person; its tracking can be corrected",
)
NO_WEBHOOKS = Finding("no_webhooks", "info", "Magento Open Source sends no webhooks: changes are found by polling")


class MagentoProber:
    """The `Prober` of one connection."""

    def __init__(self, rest: Rest, settings: MagentoSettings, *, source: bool) -> None:
        self._rest = rest
        self._settings = settings
        self._source = source

    async def probe(self) -> Probe:
        """Six or seven calls. Raises PlatformError when the store cannot be reached at all."""
        findings: list[Finding] = []
        scopes = await self._scopes(SOURCE_READS if self._source else CHANNEL_READS, findings)
        if not scopes:
            findings[:] = [self._no_access()]
        configs = await self._configs(findings) if scopes else []
        mine = next((one for one in configs if one.code == self._settings.store), None)
        if configs and mine is None:
            codes = ", ".join(one.code for one in configs)
            fix = f"set credentials.store to one of {codes}"
            findings.append(
                Finding("store_unknown", "missing", f"There is no store view {self._settings.store!r}.", fix)
            )
        if scopes:
            findings += await self._inventory()
        findings += [NO_WEBHOOKS] if self._source else [CANNOT, NO_WEBHOOKS]
        return Probe(
            version=await self._version(),
            timezone=(mine.timezone if mine else None) or "",
            currency=(mine.base_currency_code if mine else None) or "",
            scopes=tuple(scopes),
            findings=tuple(findings),
        )

    async def _scopes(self, reads: Sequence[tuple[str, str]], findings: list[Finding]) -> list[str]:
        """What may be read. What may be written shows at the first write alone: trying it would change something."""
        allowed = []
        for resource, path in reads:
            try:
                await self._rest.get(path, "probe", criteria(size=1, fields="total_count"))
                allowed.append(resource)
            except PlatformError as error:
                findings.append(_not_allowed(error, resource, path))
        return allowed

    def _no_access(self) -> Finding:
        if self._settings.signs:
            fix = "check the four secrets of the integration, its API resources, and this machine's clock"
        else:
            fix = (
                "give consumer_key, consumer_secret, access_token and access_token_secret; or, in the shop's admin, "
                "allow integration tokens as bearer (oauth/consumer/enable_integration_as_bearer, off since 2.4.4) and "
                "check that the integration is active and has the API resources of README.md"
            )
        return Finding("token_refused", "missing", "The store refuses these credentials for everything.", fix)

    async def _configs(self, findings: list[Finding]) -> list[wire.StoreConfig]:
        try:
            return read_list(await self._rest.get("/store/storeConfigs", "probe"), wire.StoreConfig)
        except PlatformError as error:
            finding = _not_allowed(error, "Magento_Backend::store", "/store/storeConfigs")
            findings.append(Finding(finding.code, "warning", finding.message, finding.fix))
            return []

    async def _inventory(self) -> list[Finding]:
        """A store with several sources debits one of them for each shipment: which one has to be said."""
        try:
            answer = await self._rest.get("/inventory/sources", "probe", criteria())
        except PlatformError as error:
            if error.code == messages.NO_ROUTE:
                text = "This store has no multi-source inventory: its stock is read SKU by SKU."
                return [Finding("no_inventory_sources", "info", text)]
            if error.family is not Family.UNAUTHORIZED:
                raise
            return []
        sources = [read_as(answer, wire.InventorySource, raw) for raw in read_as(answer, wire.Found).items or ()]
        codes = [one.source_code for one in sources if one.enabled is not False]
        wanted = self._settings.source_code
        if wanted and wanted not in codes:
            fix = f"set credentials.source_code to one of {', '.join(codes)}"
            return [Finding("source_unknown", "missing", f"There is no inventory source {wanted!r}.", fix)]
        if len(codes) > 1 and not wanted:
            text = f"The store has {len(codes)} inventory sources: shipments debit the default one, stock is their sum."
            return [Finding("several_sources", "warning", text, f"set credentials.source_code: {', '.join(codes)}")]
        return []

    async def _version(self) -> str:
        """`Magento/2.4 (Community)`, where the shop tells it; many do not."""
        try:
            answer = await self._rest.outside("/magento_version", "probe")
        except PlatformError:
            return ""
        text = answer.content[:80].decode("utf-8", "replace").strip()
        return text if text.startswith("Magento/") else ""


def _not_allowed(error: PlatformError, resource: str, path: str) -> Finding:
    """A refusal becomes a finding; whatever else is wrong is raised, it says nothing about rights."""
    if error.code in {messages.CLOCK_SKEW, messages.SIGNATURE}:
        raise error
    if error.family is not Family.UNAUTHORIZED:
        raise error
    fix = f"give the integration the API resource {resource}, then activate it again"
    return Finding("resource_missing", "missing", f"{path} may not be read: {error.message}", fix)
