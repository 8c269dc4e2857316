"""The whole file, and what crosses its parts."""

from pydantic import Field

from waybill_contracts.configuration.channels import Channel, Store
from waybill_contracts.configuration.routing import Routing
from waybill_contracts.configuration.setting import Setting
from waybill_contracts.configuration.sources import Source, StockLevel


class Configuration(Setting):
    """The whole file. What crosses its parts is checked here: every error names its path and its fix."""

    stores: tuple[Store, ...] = ()
    sources: tuple[Source, ...] = ()
    routing: Routing = Field(default_factory=Routing)
    stock: tuple[StockLevel, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(channel for store in self.stores for channel in store.channels)

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong between parts, as (path, message with the fix); empty when the file is sound."""
        return [*self._twice(), *self._groups(), *self._references()]

    def warnings(self) -> list[tuple[str, str]]:
        """What is sound but has no effect, as (path, message with the fix)."""
        return [
            (
                f"routing.groups[{i}].priorities",
                f"{name} stands below source_priority and has no effect; move it up or remove it",
            )
            for i, group in enumerate(self.routing.groups)
            for name in group.idle_priorities
        ]

    def _twice(self) -> list[tuple[str, str]]:
        named = [
            (f"stores[{i}].channels[{j}].id", c.id) for i, s in enumerate(self.stores) for j, c in enumerate(s.channels)
        ]
        named += [(f"sources[{i}].id", source.id) for i, source in enumerate(self.sources)]
        found = _repeated(named, "channels and sources")
        found += _repeated([(f"stores[{i}].id", s.id) for i, s in enumerate(self.stores)], "stores")
        for i, group in enumerate(self.routing.groups):
            named = [(f"routing.groups[{i}].sources[{j}]", source) for j, source in enumerate(group.sources)]
            found += _repeated(named, "a group's sources")
        shelves = [(f"stock[{i}]", f"{level.source}/{level.sku}") for i, level in enumerate(self.stock)]
        found += _repeated(shelves, "stock levels")
        return found + _repeated(
            [(f"routing.groups[{i}].id", g.id) for i, g in enumerate(self.routing.groups)], "groups"
        )

    def _groups(self) -> list[tuple[str, str]]:
        groups = self.routing.groups
        if not groups:
            return [("routing.groups", "no group: add one, e.g. {id: default, sources: [...]}")] if self.sources else []
        defaults = [group.id for group in groups if group.default]
        if len(groups) > 1 and len(defaults) != 1:
            return [("routing.groups", f"{len(defaults)} groups have default: true; mark exactly one (RT-4)")]
        return []

    def _references(self) -> list[tuple[str, str]]:
        sources = {source.id: source for source in self.sources}
        channels = {channel.id for channel in self.channels}
        groups = {group.id for group in self.routing.groups}
        found: list[tuple[str, str]] = []
        for i, group in enumerate(self.routing.groups):
            unknown = [s for s in group.sources if s not in sources]
            found += [
                (f"routing.groups[{i}].sources", f"{s!r} is no source of this file; add it or remove it here")
                for s in unknown
            ]
            currencies = sorted({sources[s].costs.currency for s in group.sources if s in sources})
            if len(currencies) > 1:
                found.append((f"routing.groups[{i}].sources", f"mixes {', '.join(currencies)}: one currency per group"))
        for i, rule in enumerate(self.routing.rules):
            if rule.group not in groups:
                found.append((f"routing.rules[{i}].group", f"{rule.group!r} is no group; use one of {sorted(groups)}"))
            found += [
                (f"routing.rules[{i}].when.channel", f"{c!r} is no channel of this file")
                for c in rule.when.channel
                if c not in channels
            ]
        found += [
            (f"stock[{i}].source", f"{level.source!r} is no source of this file")
            for i, level in enumerate(self.stock)
            if level.source not in sources
        ]
        return found


def _repeated(named: list[tuple[str, str]], where: str) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    found = []
    for path, name in named:
        if name in seen:
            found.append((path, f"{name!r} is used at {seen[name]} already; it may stand once among {where}"))
        seen.setdefault(name, path)
    return found
