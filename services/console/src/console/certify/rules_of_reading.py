"""What a channel must show: changed orders in pages, one order, and that wrong credentials are told as such."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from console.certify.channel import CHANNELS, MOST, PAGE, Shop
from console.certify.rules import Broken, NotTried
from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder

rule = CHANNELS.rule


@rule(
    "CON-1",
    "the connection can do all that Waybill needs (scopes, plugins, API version)",
    "give the credentials what is missing, as the finding says",
)
async def is_usable(shop: Shop) -> None:
    if shop.connection.prober is None:
        raise NotTried("this platform has no such look")
    probe = await shop.ask("looking at the connection", shop.connection.prober.probe())
    missing = [finding for finding in probe.findings if finding.severity == "missing"]
    if missing:
        raise Broken("; ".join(f"{finding.message} {finding.fix}".strip() for finding in missing))


@rule("CON-2", "wrong credentials are refused, and told apart from other failures", "let the shop answer them with 401")
async def wrong_credentials_are_recognised(shop: Shop) -> None:
    wrong = {name: f"wrong-{value[::-1]}" for name, value in shop.wish.credentials.items()}
    try:
        stranger = shop.wish.open(wrong)
    except ValueError as error:
        raise NotTried(f"credentials of another form are refused before a call: {error}") from None
    try:
        await stranger.reader.list_changed(shop.wish.since, None, PAGE)
    except PlatformError as error:
        if error.family is not Family.UNAUTHORIZED:
            raise Broken(f"it reads as {error.family.value}: {error.message}") from None
    else:
        raise Broken("a caller with wrong credentials was answered")
    finally:
        await stranger.aclose()


@rule("LIST-1", "changed orders are listed page by page, each once, oldest change first", "sort by the time of change")
async def changes_are_listed(shop: Shop) -> None:
    page: str | None = None
    while len(shop.seen) < MOST:
        reading = shop.connection.reader.list_changed(shop.wish.since, page, PAGE)
        found = await shop.ask("listing changed orders", reading)
        if found.problems:
            raise Broken("; ".join(found.problems[:3]))
        shop.seen += found.orders
        shop.pages += 1
        page = found.next
        if page is None:
            break
    if not shop.seen:
        raise NotTried(f"no order was changed since {shop.wish.since:%Y-%m-%d}: name an earlier --since")
    ids = [order.id for order in shop.seen]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise Broken(f"listed more than once: {', '.join(sorted(twice)[:3])}")
    if late := [b.number for a, b in pairwise(shop.seen) if a.updated_at > b.updated_at]:
        raise Broken(f"not in the order of their change: {', '.join(late[:3])}")


@rule("LIST-2", "a list goes on over several pages", "hand out the next page's cursor as the platform documents it")
async def pages_go_on(shop: Shop) -> None:
    if shop.pages < 2:
        raise NotTried(f"{len(shop.seen)} orders fit one page: name an earlier --since")


@rule("LIST-3", "nothing older than asked for is listed", "filter by the time of change")
async def since_is_kept(shop: Shop) -> None:
    _seen(shop)
    if early := [o.number for o in shop.seen if o.updated_at < shop.wish.since]:
        raise Broken(f"changed before {shop.wish.since.isoformat()}: {', '.join(early[:3])}")
    reading = shop.connection.reader.list_changed(datetime.now(UTC) + timedelta(days=1), None, PAGE)
    tomorrow = await shop.ask("listing what changes tomorrow", reading)
    if tomorrow.orders:
        raise Broken(f"changed since tomorrow: {tomorrow.orders[0].number}")


@rule("READ-1", "an order read alone is the order of the list", "show the same order by both ways")
async def one_is_read(shop: Shop) -> None:
    listed = _seen(shop)
    alone = await shop.ask("reading one order", shop.connection.reader.get_order(listed.id))
    if alone is None:
        raise Broken(f"order {listed.number} is listed but not found by its id")
    if alone.updated_at == listed.updated_at and alone != listed:
        names = [n for n in ChannelOrder.__dataclass_fields__ if getattr(alone, n) != getattr(listed, n)]
        raise Broken(f"order {listed.number} differs in {', '.join(names)}")


@rule("READ-2", "an order is found by the number that buyers see", "index orders by number")
async def found_by_number(shop: Shop) -> None:
    listed = _seen(shop)
    found = await shop.ask("finding an order by number", shop.connection.reader.find_by_number(listed.number))
    if found is None or found.id != listed.id:
        raise Broken(f"number {listed.number} gives {'nothing' if found is None else found.number}")


@rule("READ-3", "an order that is not there is told as such, not as a failure", "answer 404, or an empty result")
async def absence_is_told(shop: Shop) -> None:
    nowhere = _seen(shop).id[:-3] + "999999"
    if await shop.ask("reading an order that is not there", shop.connection.reader.get_order(nowhere)) is not None:
        raise Broken(f"there is an order {nowhere}")


@rule("READ-4", "each line has its own id and a quantity", "show every line of an order, also of a long one")
async def lines_are_whole(shop: Shop) -> None:
    _seen(shop)
    for order in shop.seen:
        ids = [line.line_id for line in order.lines]
        if len(set(ids)) != len(ids):
            raise Broken(f"order {order.number} has a line id twice")
        if not order.lines:
            raise Broken(f"order {order.number} has no lines")


def _seen(shop: Shop) -> ChannelOrder:
    if not shop.seen:
        raise NotTried("no order was listed; see LIST-1")
    return shop.seen[-1]
