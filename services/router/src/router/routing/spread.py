"""How an undecided request spreads its opening price over the units that it could ship.

Any spreading gives a valid bound, as long as shipping all it can bears no more than the price; this one makes the bound
nearly as good as the linear program's (dual ascent, after Erlenkotter): each item's price rises from request to request
in turns, every request that is cheaper pays for the rise out of its opening price, and one that has nothing left of it
keeps the item at the price reached. What is left of an opening price then is what opening the request costs beyond the
bound (`slack`): where that is too much, no better plan opens it.
"""

from router.routing.instance import Instance

Ladder = list[list[tuple[int, int]]]
"""For each item (price of a unit, request), the cheapest first."""


def spread_prices(instance: Instance, orders: Ladder) -> tuple[list[list[int]], list[int]]:
    """For each request, how much of its opening price each unit of each item bears, and what of it is left."""
    spread = [[0] * len(instance.demand) for _ in instance.fixed]
    slack = list(instance.fixed)
    rising = [_Climb(instance, order, j) for j, order in enumerate(orders) if order]
    while rising:
        rising = [climb for climb in rising if climb.rise(slack, spread)]
    return spread, slack


def spread_rest(instance: Instance, requests: list[int], spread: list[list[int]], slack: list[int]) -> None:
    """Spreads what is left evenly over all that a request could ship (rounded down)."""
    for i in requests:
        share = slack[i] // sum(map(min, instance.cap[i], instance.demand))
        if share:
            spread[i] = [share + borne for borne in spread[i]]


class _Climb:
    """The price of one item on its way up."""

    __slots__ = ("active", "at", "cap", "item", "left", "order", "price", "top")

    def __init__(self, instance: Instance, order: list[tuple[int, int]], item: int) -> None:
        self.item = item
        self.order = order
        self.cap = instance.cap
        self.at = 0
        self.active: list[tuple[int, int]] = []
        self.price = order[0][0]
        self.left = instance.demand[item]
        self.top = instance.penalty[item]

    def rise(self, slack: list[int], spread: list[list[int]]) -> bool:
        """To the next request's price, or to where a request has nothing left; False when it is at its top."""
        order, cap, j, at, price = self.order, self.cap, self.item, self.at, self.price
        active = self.active
        while at < len(order) and order[at][0] <= price:
            active.append(order[at])
            at += 1
        step = (order[at][0] if at < len(order) else self.top) - price
        for _, i in active:
            room = slack[i] // cap[i][j]
            if room < step:
                step = room
        if step > 0:
            price += step
        else:
            step = 0
        still = []
        for entry in active:
            i = entry[1]
            most = cap[i][j]
            slack[i] -= step * most
            spread[i][j] = price - entry[0]
            if slack[i] < most:
                self.left -= most
            else:
                still.append(entry)
        self.active, self.at, self.price = still, at, price
        return self.left > 0 and price < self.top and bool(still or at < len(order))
