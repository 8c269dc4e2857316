"""Routing groups and the rules that choose among them (RT-4, RT-5)."""

from typing import Literal

from pydantic import Field

from waybill_contracts.configuration.setting import Price, Setting, Slug
from waybill_contracts.values import Country


class SingleFr(Setting):
    single_fr: Literal["required", "preferred"]


Priority = SingleFr | Literal["lowest_cost", "source_priority", "fewest_frs", "shipping_method_mapped"]


class Group(Setting):
    """A routing group: eligible sources (their order is `source_priority`), priorities, limits (RT-4, RT-5)."""

    id: Slug
    default: bool = False
    sources: tuple[Slug, ...] = Field(min_length=1)
    priorities: tuple[Priority, ...] = ("lowest_cost",)
    max_frs: int | None = Field(default=None, ge=1)
    split_lines: bool = True
    partial: bool = False
    unroutable: Literal["hold", "cancel"] = "hold"

    @property
    def idle_priorities(self) -> list[str]:
        """What stands below `source_priority`: it has nothing left to choose (RT-5)."""
        names = [f"single_fr: {p.single_fr}" if isinstance(p, SingleFr) else p for p in self.priorities]
        below = names[names.index("source_priority") + 1 :] if "source_priority" in names else []
        return [name for name in below if name != "single_fr: required"]  # that is a limit, whatever its place


class When(Setting):
    """All that are given must match; within one, any."""

    country: tuple[Country, ...] = ()
    channel: tuple[Slug, ...] = ()
    tag: tuple[str, ...] = ()
    value_over: Price | None = None


class Rule(Setting):
    when: When
    group: Slug


class Routing(Setting):
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = Field(default=(), description="the first that matches counts; else the default group")

    @property
    def default_group(self) -> Group | None:
        if len(self.groups) == 1:
            return self.groups[0]
        return next((group for group in self.groups if group.default), None)
