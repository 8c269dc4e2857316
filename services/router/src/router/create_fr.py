"""A person makes an FR: they choose source, lines and shipping method, and no routing rule is asked (RT-10).

What still applies: a held order gives no FR (the payment gate is a hold), no more is asked for than is missing, the
stock is reserved in the same transaction (beyond the source's safety stock), and the source's strategies make number
and names. The decision and the FR say who bypassed the rules, and why. A price that is not known stands as 0 and is
named in `cost.unknown`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from router.case import Case
from router.conclude import conclude
from router.missing import not_asked_for
from router.numbering import number_frs
from router.reserve import asks_of, reserve
from router.routing.draft import Draft, DraftRequest
from router.routing.plan import Answer, Rulebook
from router.routing.task import Demand, Offer, Site, Task
from router.store import Round, load_offers, save
from router.take_back import CANCELED, Desk, NotPossible, load_order, note
from router.verdict import Verdict
from waybill_common.db import Connection
from waybill_common.ids import new_id
from waybill_contracts.values import ByHand, FulfillmentRequest, OrderState


@dataclass(frozen=True, slots=True)
class WantedLine:
    """`quantity` pieces of the line, or units of one `sku` of it."""

    line_id: str
    quantity: int
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class WantedFr:
    """`lines` empty: all that is missing of the order. `shipping_method` None: the order's."""

    source: str
    lines: tuple[WantedLine, ...] = ()
    shipping_method: str | None = None


async def create_fr(conn: Connection, desk: Desk, order_id: str, wanted: WantedFr, who: ByHand) -> FulfillmentRequest:
    """The FR, stored with its reservation and told. Raises NotPossible."""
    q = desk.q
    case = await load_order(conn, q, order_id)
    _may_go(case)
    revision, book = await desk.books.current(conn)
    site = book.sites.get(wanted.source)
    if site is None:
        raise NotPossible(f"{wanted.source!r} is no source", f"use one of {', '.join(sorted(book.sites)) or '(none)'}")
    _named(site, wanted.shipping_method or case.order.shipping_method)
    demands = demands_of(case, wanted)
    offers = await load_offers(conn, q, sorted({demand.sku for demand in demands}), book)
    verdict = _verdict(case, site, demands, offers, who, wanted.shipping_method)
    await number_frs(conn, q, [verdict], book)
    if not verdict.makes_frs:
        raise NotPossible(verdict.detail, "mend the source's fr_number, or choose another source")
    done = Round(revision)
    if not await reserve(conn, q, [verdict], done, book):
        raise NotPossible(
            _short(verdict, book, offers), "ask for less, choose another source, or enter a new count of its stock"
        )
    conclude(verdict, done, book, now=datetime.now(UTC), batch=str(new_id()), trace=case.traceparent)
    await save(conn, q, done)
    await q.touch_orders(conn, order_ids=[order_id])  # what the FR leaves is looked at again
    await note(conn, q, order_id, done.frs[0].fr_id, "create", who)
    return done.frs[0]


def _may_go(case: Case) -> None:
    order = case.order
    if order.state is OrderState.CANCELED:
        raise NotPossible(f"order {order.number} is canceled: nothing of it is wanted any more", CANCELED)
    if order.state is OrderState.HELD:
        reasons = "; ".join(f"{hold.reason.value}: {hold.fix}" for hold in order.holds)
        reason = f"order {order.number} is held, and a hold counts for FRs by hand too ({reasons})"
        raise NotPossible(reason, "mend the hold's cause, or release the order: `waybill orders release`")


def _named(site: Site, method: str | None) -> None:
    methods = site.source.shipping_methods
    if method and methods.unmapped == "hold" and method not in methods.map:
        known = ", ".join(sorted(methods.map)) or "none"
        raise NotPossible(
            f"shipping_method: {site.id} has no name for {method!r}",
            f"use one that it knows ({known}), or add it to its shipping_methods.map",
        )


def demands_of(case: Case, wanted: WantedFr) -> tuple[Demand, ...]:
    """What the FR asks for, by (line, SKU). Raises NotPossible naming each line that cannot be asked for."""
    left = not_asked_for(case)
    lines = {line.line_id: line for line in case.order.lines}
    units: dict[tuple[str, str], int] = {} if wanted.lines else dict(left)
    for asked in wanted.lines:
        line = lines.get(asked.line_id)
        if line is None:
            known = ", ".join(lines)
            raise NotPossible(f"lines: order {case.order.number} has no line {asked.line_id!r}", f"it has {known}")
        parts = [(part.sku, part.quantity) for part in line.components]
        if asked.sku is not None:
            parts = [(asked.sku, 1)] if asked.sku in dict(parts) else []
        if not parts:
            has = ", ".join(part.sku for part in line.components)
            way = f"it has {has}" if has else "map its SKU, or choose another line"
            raise NotPossible(f"lines: line {asked.line_id} has no {asked.sku or 'mapped SKU'}", way)
        for sku, each in parts:
            key = (asked.line_id, sku)
            units[key] = units.get(key, 0) + asked.quantity * each
    too_many = [
        f"{n} × {sku} of line {line_id} are asked for, {left.get((line_id, sku), 0)} are missing"
        for (line_id, sku), n in units.items()
        if n > left.get((line_id, sku), 0)
    ]
    if too_many:
        reason = f"lines: {'; '.join(too_many)}: the rest is in other FRs, canceled, or has shipped"
        raise NotPossible(reason, "ask for what is missing, or void the FR that has the rest")
    if not units:
        reason = f"nothing is missing of order {case.order.number}: all of it is in FRs, or has shipped"
        raise NotPossible(reason, "void the FR that should not ship it, then make the new one")
    demands = tuple(Demand(line_id, sku, n, lines[line_id].address) for (line_id, sku), n in units.items())
    if len({demand.address for demand in demands}) > 1:
        raise NotPossible("lines: they go to different addresses, and an FR goes to one", "make one for each address")
    if demands[0].address >= len(case.order.addresses):
        raise NotPossible(
            f"order {case.order.number} has no ship-to address", "add it at the channel, and pull it again"
        )
    return demands


def _verdict(
    case: Case,
    site: Site,
    demands: tuple[Demand, ...],
    offers: dict[tuple[str, str], Offer],
    who: ByHand,
    method: str | None,
) -> Verdict:
    order = case.order
    request = draft_request(site, demands, offers, order.addresses[demands[0].address].country)
    task = Task(
        number=order.number,
        countries=tuple(address.country for address in order.addresses),
        demands=demands,
        order_id=order.order_id,
        channel=order.channel,
        tags=order.tags,
        value=order.total,
        shipping_method=method or order.shipping_method,
    )
    answer = Answer(None, site.currency, draft=Draft([request]))
    return Verdict(case, "routed", task=task, plan=answer, seen=offers, by_hand=who, shipping_method=method)


def draft_request(
    site: Site, demands: tuple[Demand, ...], offers: dict[tuple[str, str], Offer], country: str
) -> DraftRequest:
    """The FR with its price, as far as it is known."""
    tariff = site.tariff(country)
    request = DraftRequest(site.id, demands[0].address, site.fee, shipping=tariff.base if tariff else 0)
    unknown = set() if tariff else {"shipping"}
    for demand in demands:
        offer = offers.get((site.id, demand.sku))
        if offer is None or offer.unit_cost is None:
            unknown.add("items")
        else:
            request.items += demand.quantity * offer.unit_cost
        if tariff and tariff.per_gram:
            if offer is None or offer.weight_g is None:
                unknown.add("shipping")
            else:
                request.shipping += demand.quantity * offer.weight_g * tariff.per_gram
        request.lines.append((demand, demand.quantity))
    request.unknown = tuple(sorted(unknown))
    return request


def _short(verdict: Verdict, book: Rulebook, offers: dict[tuple[str, str], Offer]) -> str:
    parts = []
    for (source, sku), units in asks_of(verdict, book).items():
        offer = offers.get((source, sku))
        free = max(offer.available or 0, 0) if offer else 0
        if free < units:
            parts.append(f"{source} has {free} × {sku} free, {units} are asked for")
    safety = book.sites[next(iter(asks_of(verdict, book)))[0]].source.stock.safety
    beside = f" (its safety stock of {safety} is not given away)" if safety else ""
    return f"there is not enough stock: {'; '.join(parts) or 'somebody was faster'}{beside}"
