"""What a source says, whichever way it came (listed or posted), goes into the records: together, else each alone.

Promises: what cannot be recorded is named in `problems` and holds up nothing else; early words are kept, in a
transaction of their own, so that nobody waits in a circle.
"""

from collections.abc import Awaitable, Callable, Mapping

from shipment_poller.model import Said
from shipment_poller.record_shipments import keep_early, record_shipments
from shipment_poller.review_orders import Tools
from waybill_common.db import Connection, Pool, transaction, transient
from waybill_common.logs import Log, declare_events

declare_events({"words.not_recorded": "a shipment could not be recorded; its neighbours are"})

Beside = Callable[[Connection], Awaitable[None]]


async def take_words(
    pool: Pool, tools: Tools, log: Log, source: str, words: Mapping[str, Said], problems: list[str], beside: Beside
) -> tuple[int, int]:
    """Returns how many facts were told and how many words are kept for later; `beside` joins the transaction."""
    async with transaction(pool) as conn:
        told, early = await _take_in(conn, tools, log, source, words, problems)
        await beside(conn)
    if not early:
        return told, 0
    async with transaction(pool) as conn:
        known = await keep_early(conn, tools, source, early)
    if known:
        async with transaction(pool) as conn:
            told += (await record_shipments(conn, tools, source, {said.id: said for said in known}))[0]
    return told, len(early) - len(known)


async def _take_in(
    conn: Connection, tools: Tools, log: Log, source: str, words: Mapping[str, Said], problems: list[str]
) -> tuple[int, list[Said]]:
    """The words together; where that fails for good each alone, and what is bad is left out."""
    try:
        async with conn.transaction():
            return await record_shipments(conn, tools, source, words)
    except Exception as error:
        if transient(error):
            raise
        if len(words) == 1:
            problems += [f"shipment {name}: {type(error).__name__}: {error}"[:300] for name in words]
            log.error("words.not_recorded", source=source, error=repr(error), exc_info=error)
            return 0, []
    each = [await _take_in(conn, tools, log, source, {name: said}, problems) for name, said in words.items()]
    return sum(told for told, _ in each), [said for _, early in each for said in early]
