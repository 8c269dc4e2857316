"""Which SKU of ours a source's SKU is, and which of its SKUs are asked for. Pure.

`skus` of a source leads from ours to theirs; a level comes under theirs and is told under ours.
"""

from collections import defaultdict

from waybill_contracts.configuration import Source


class StockNames:
    """Built once a turn. `asked` is what the platform is asked for: None when for all that it has."""

    def __init__(self, source: Source) -> None:
        self._mapped = source.skus.map
        self._passes = source.skus.unmapped == "pass"
        self._serves = None if source.serves.skus == "all" else frozenset(source.serves.skus)
        by_theirs = defaultdict(list)
        for ours, theirs in self._mapped.items():
            by_theirs[theirs].append(ours)
        self._ours = {theirs: ours[0] for theirs, ours in by_theirs.items() if len(ours) == 1}
        self.shared = {theirs: sorted(ours) for theirs, ours in by_theirs.items() if len(ours) > 1}
        """One shelf of theirs behind several SKUs of ours: counted for each, it would be promised several times."""

    @property
    def asked(self) -> list[str] | None:
        if self._serves is not None:
            return sorted({theirs for sku in self._serves if (theirs := self._theirs(sku)) is not None})
        return None if self._passes else sorted(set(self._mapped.values()))

    def ours(self, theirs: str) -> str | None:
        """None for what is not served, not mapped where everything must be, or shared."""
        if theirs in self.shared:
            return None
        sku = self._ours.get(theirs)
        if sku is None and self._passes and theirs not in self._mapped:
            sku = theirs  # one that is a key of the map has another name there: it is another thing
        return sku if sku is not None and (self._serves is None or sku in self._serves) else None

    def _theirs(self, sku: str) -> str | None:
        return self._mapped.get(sku, sku if self._passes else None)
