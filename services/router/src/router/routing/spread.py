"""How an undecided request spreads its opening price over the units that it could ship.

Any spreading gives a valid bound, as long as shipping all it can bears no more than the price; this one makes the bound
nearly as good as the linear program's (dual ascent, after Erlenkotter): each item's price rises from request to request
in turns, every request that is cheaper pays for the rise out of its opening price, and one that has nothing left of it
keeps the item at the price reached.
"""

from router.routing.instance import Instance


def spread_prices(instance: Instance, requests: list[int]) -> list[list[int]]:
    """For each request, how much of its opening price each unit of each item bears (rounded down)."""
    cap = instance.cap
    spread = [[0] * len(instance.demand) for _ in instance.fixed]
    slack = list(instance.fixed)
    rising = [climb for j in range(len(instance.demand)) if (climb := _Climb(instance, requests, j)).order]
    while rising:
        rising = [climb for climb in rising if climb.rise(slack, spread)]
    for i in requests:
        units = sum(map(min, cap[i], instance.demand))
        share = slack[i] // units
        if share:
            spread[i] = [share + borne for borne in spread[i]]
    return spread


class _Climb:
    """The price of one item on its way up."""

    __slots__ = ("active", "at", "cap", "item", "left", "order", "price", "top")

    def __init__(self, instance: Instance, requests: list[int], item: int) -> None:
        self.item = item
        self.order = sorted((instance.unit[i][item], i) for i in requests if instance.cap[i][item])
        self.cap = instance.cap
        self.at = 0
        self.active: list[tuple[int, int]] = []
        self.price = self.order[0][0] if self.order else 0
        self.left = instance.demand[item]
        self.top = instance.penalty[item]

    def rise(self, slack: list[int], spread: list[list[int]]) -> bool:
        """To the next request's price, or to where a request has nothing left; False when it is at its top."""
        order, cap, j = self.order, self.cap, self.item
        while self.at < len(order) and order[self.at][0] <= self.price:
            self.active.append(order[self.at])
            self.at += 1
        step = (order[self.at][0] if self.at < len(order) else self.top) - self.price
        for _, i in self.active:
            room = slack[i] // cap[i][j]
            step = min(step, room)
        step = max(step, 0)
        self.price += step
        still = []
        for entry in self.active:
            i = entry[1]
            slack[i] -= step * cap[i][j]
            spread[i][j] = self.price - entry[0]
            if slack[i] < cap[i][j]:
                self.left -= cap[i][j]
            else:
                still.append(entry)
        self.active = still
        return self.left > 0 and self.price < self.top and bool(still or self.at < len(order))
