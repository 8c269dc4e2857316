"""What a fixed set of requests ships: the items separate, and the cheapest first is best for each."""

from collections.abc import Collection

from router.routing.instance import Instance

Takes = list[tuple[int, int, int]]
"""(request, item, units)."""


def fill(instance: Instance, opened: Collection[int]) -> Takes:
    """The cheapest way to ship from these requests; at equal prices the earlier one ships more."""
    takes: Takes = []
    cap, unit = instance.cap, instance.unit
    for j, need in enumerate(instance.demand):
        for price, i in sorted([(unit[i][j], i) for i in opened if cap[i][j]]):
            if not need or price >= instance.penalty[j]:
                break
            take = min(cap[i][j], need)
            need -= take
            takes.append((i, j, take))
    return takes


UNDECIDED, CHOSEN, OUT = range(3)


def worth(instance: Instance, opened: Collection[int]) -> int:
    """What these requests cost when they ship as cheaply as they can."""
    cap, unit, value = instance.cap, instance.unit, 0
    for j, need in enumerate(instance.demand):
        for price, i in sorted([(unit[i][j], i) for i in opened if cap[i][j]]):
            take = cap[i][j]
            if take >= need:
                value += need * price
                need = 0
                break
            value += take * price
            need -= take
        value += need * instance.penalty[j]
    return value + sum([instance.fixed[i] for i in opened]) + (instance.extra if len(opened) > instance.free else 0)
