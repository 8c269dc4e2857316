"""What a channel must take: one piece fulfilled, read back exactly, corrected, withdrawn. On the named order alone."""

from console.certify.channel import CHANNELS, Shop, mark
from console.certify.rules import Broken, NotTried
from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import FulfillmentDraft

rule = CHANNELS.rule


@rule("FUL-1", "the order says which pieces can be shipped", "name an order with something open: paid, not held")
async def open_pieces_are_told(shop: Shop) -> None:
    if shop.wish.number is None:
        raise NotTried("nothing is written without an order: name one by --order NUMBER")
    order = await shop.ask("finding the order", shop.connection.reader.find_by_number(shop.wish.number))
    if order is None:
        raise Broken(f"no order has the number {shop.wish.number}")
    shop.before = await shop.ask("reading what is shipped", shop.connection.writer.read(order.id))
    if shop.before is None:
        raise Broken(f"order {order.number} is found, but not its shipping")
    line_id = next((line for line, left in sorted(shop.before.remaining.items()) if left > 0), None)
    if line_id is None:
        raise NotTried(f"nothing of order {order.number} can be shipped: {_why(shop)}")
    number = mark()
    shop.draft = FulfillmentDraft(
        order.id, ((line_id, 1),), shop.wish.courier, (number,), f"https://example.com/track/{number}"
    )


@rule("FUL-2", "a fulfillment holds exactly the lines and quantities that were sent", "store what was sent, no more")
async def exact_lines(shop: Shop) -> None:
    if shop.draft is None or shop.before is None:
        raise NotTried("there is nothing to ship; see FUL-1")
    call = shop.connection.writer.calls_for(shop.before, shop.draft)[0]
    shop.made = await shop.ask("making a fulfillment", shop.connection.writer.create(call))
    stands = {record.id: record for record in (await shop.read()).fulfillments}.get(shop.made.id)
    if stands is None:
        raise Broken(f"fulfillment {shop.made.id} was answered and does not stand there")
    if stands.lines != shop.draft.lines:
        raise Broken(f"sent {dict(shop.draft.lines)}, there stands {dict(stands.lines)}")


@rule(
    "FUL-3", "what was sent is found again by its lines and tracking number", "keep tracking numbers as they were sent"
)
async def found_again(shop: Shop) -> None:
    draft, made = shop.wrote()
    found = (await shop.read()).showing(draft.lines, draft.tracking_numbers)
    if [record.id for record in found] != [made.id]:
        raise Broken(f"looking for {draft.tracking_numbers[0]} finds {[record.id for record in found] or 'nothing'}")


@rule("FUL-4", "courier and link stand there as they were sent", "map the courier to a name that the channel knows")
async def details_stay(shop: Shop) -> None:
    draft, made = shop.wrote()
    stands = {record.id: record for record in (await shop.read()).fulfillments}[made.id]
    if stands.carrier != draft.carrier:
        raise Broken(f"courier {draft.carrier!r} stands there as {stands.carrier!r}")
    if stands.tracking_urls in {(), (draft.tracking_url,)}:
        return
    names_it = all(draft.tracking_numbers[0] in url for url in stands.tracking_urls)
    if not (names_it and await _links(shop, draft.carrier)):
        raise Broken(f"the link stands there as {stands.tracking_urls[0]}")


async def _links(shop: Shop, carrier: str) -> bool:
    """The shop makes this carrier's link by itself, and says so; it has to lead to our number all the same."""
    reader = shop.connection.carriers
    return reader is not None and any(one.code == carrier and one.links for one in await reader.carriers())


@rule("FUL-5", "shipped pieces are not open any more", "count down what can be shipped")
async def counted_down(shop: Shop) -> None:
    draft, _ = shop.wrote()
    assert shop.before is not None
    after = await shop.read()
    ((line_id, pieces),) = draft.lines
    left, wanted = after.remaining.get(line_id, 0), shop.before.remaining[line_id] - pieces
    if left != wanted:
        raise Broken(f"line {line_id}: {wanted} pieces should be open, {left} are")
    try:
        shop.connection.writer.calls_for(after, FulfillmentDraft(draft.order_id, ((line_id, wanted + 1),), "UPS"))
    except NotFulfillable:
        return
    raise Broken("more than is open would be sent")


@rule("FUL-6", "a tracking number is corrected in place", "let fulfillments be changed")
async def corrected(shop: Shop) -> None:
    draft, made = shop.wrote()
    if not shop.connection.features.updates_tracking:
        raise NotTried("declared: this platform cannot; Waybill withdraws and makes a new one")
    number = mark()
    writing = shop.connection.writer.update_tracking(
        made.id, carrier=draft.carrier, tracking_numbers=(number,), tracking_url=None
    )
    await shop.ask("correcting a tracking number", writing)
    if not (await shop.read()).showing(draft.lines, (number,)):
        raise Broken(f"the corrected number {number} does not stand there")


@rule("FUL-7", "a withdrawn fulfillment opens its pieces again", "let fulfillments be canceled")
async def withdrawn(shop: Shop) -> None:
    draft, made = shop.wrote()
    assert shop.before is not None
    if not shop.connection.features.cancels_fulfillments:
        raise NotTried(f"declared: this platform cannot; fulfillment {made.id} stays, remove it by hand")
    await shop.ask("withdrawing a fulfillment", shop.connection.writer.cancel(made.id))
    shop.withdrawn = True
    after = await shop.read()
    if any(record.id == made.id and record.status != "canceled" for record in after.fulfillments):
        raise Broken(f"fulfillment {made.id} still stands there")
    ((line_id, _),) = draft.lines
    if after.remaining.get(line_id, 0) != shop.before.remaining[line_id]:
        raise Broken(f"line {line_id}: {after.remaining.get(line_id, 0)} of {shop.before.remaining[line_id]} are open")


def _why(shop: Shop) -> str:
    assert shop.before is not None
    reasons = sorted({*shop.before.blocked.values(), *(["canceled"] if shop.before.canceled else [])})
    return ", ".join(reasons) or "all of it has left"
