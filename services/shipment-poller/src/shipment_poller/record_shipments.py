"""What a source says it shipped becomes our record of it, stored before anything is pushed (SP-1, SP-2).

In the caller's transaction: each word finds its FR by our reference (or the source's own id of the request), early
ones are kept, fulfillments that we wrote ourselves are left out (IN-7), the rest is reviewed order by order.
"""

from collections.abc import Iterable, Mapping, Sequence

from shipment_poller import judgement, schedule
from shipment_poller.model import Said, Watched
from shipment_poller.review_orders import Columns, Tools, Word, review_orders
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.fulfillment_submitted import FrState, Outcome


async def record_shipments(
    conn: Connection, tools: Tools, source: str, words: Mapping[str, Said]
) -> tuple[int, list[Said]]:
    """`words`: the source's shipment id -> its newest word.

    Returns how many facts were told, and the words that came before their FRs: keep them with `keep_early`.
    """
    said = await _without_ours(conn, tools, source, words)
    if not said:
        return 0, []
    known, early = await _assign(conn, tools.queries, source, said)
    told = await review_orders(conn, tools, [word.order_id for word in known], known)
    if known:
        await tools.queries.drop_early(conn, sources=[source] * len(known), ids=[word.said.id for word in known])
    return told, early


async def keep_early(conn: Connection, tools: Tools, source: str, early: Sequence[Said]) -> list[Said]:
    """Keeps what is still early, in a transaction of its own; returns what is not any more: record that again.

    An FR may become known at this very moment. Who comes second waits for the other's commit and then sees it; no row
    of an order is locked here, so nobody waits in a circle.
    """
    await tools.queries.lock_early(conn, source=source)
    now_known, still = await _assign(conn, tools.queries, source, {said.id: said for said in early})
    columns = Columns()
    for word in still:
        columns.add(
            ids=word.id,
            references=word.reference,
            platform_ids=word.platform_id,
            said=word.model_dump(mode="json"),
        )
    if columns:
        await tools.queries.keep_early(conn, source=source, keep=schedule.EARLY_KEPT, **columns.values)
    return [word.said for word in now_known]


async def apply_early(conn: Connection, tools: Tools, fr_ids: Sequence[str], sources: Iterable[str]) -> int:
    """What had come before these FRs were with their sources is taken now; call it after their states are stored."""
    for source in sorted(sources):
        await tools.queries.lock_early(conn, source=source)
    words: dict[str, dict[str, Said]] = {}
    for row in await rows(tools.queries.early_for_frs(conn, fr_ids=fr_ids)):
        words.setdefault(row["source"], {})[row["source_shipment_id"]] = Said.model_validate(row["said"])
    return sum([(await record_shipments(conn, tools, source, said))[0] for source, said in sorted(words.items())])


async def _without_ours(conn: Connection, tools: Tools, source: str, words: Mapping[str, Said]) -> dict[str, Said]:
    configured = tools.configurations.source(source)
    channels = tools.configurations.channels_at(configured.source.url if configured else None)
    if not channels:
        return dict(words)
    ours = await rows(tools.queries.fulfillments_of_ours(conn, channels=channels, ids=list(words)))
    written = {row["fulfillment_id"] for row in ours}
    return {name: said for name, said in words.items() if name not in written}


async def _assign(
    conn: Connection, queries: Queries, source: str, words: Mapping[str, Said]
) -> tuple[list[Word], list[Said]]:
    stored = {
        row["source_shipment_id"]: row for row in await rows(queries.stored_words(conn, source=source, ids=list(words)))
    }
    fresh = [said for name, said in words.items() if name not in stored]
    by_number: dict[str, Watched] = {}
    by_platform_id: dict[str, Watched] = {}
    if fresh:
        references = sorted({said.reference for said in fresh})
        platform_ids = sorted({said.platform_id for said in fresh if said.platform_id})
        found = queries.watches_by_reference(conn, source=source, references=references, platform_ids=platform_ids)
        for row in await rows(found):
            state, outcome = FrState(row["state"]), Outcome(row["outcome"])
            ready = row["known"] and (judgement.takes_shipments(state, outcome) or state in judgement.ENDED)
            if ready:
                by_number[row["number"]] = Watched(row["fr_id"], row["order_id"], source, state, outcome)
                by_platform_id[row["platform_id"]] = by_number[row["number"]]
    known, early = [], []
    for name, said in words.items():
        if name in stored:
            known.append(Word(source, stored[name]["fr_id"], stored[name]["order_id"], said))
            continue
        watched = by_number.get(said.reference) or (by_platform_id.get(said.platform_id) if said.platform_id else None)
        if watched is None:
            early.append(said)
        else:
            known.append(Word(source, watched.fr_id, watched.order_id, said))
    return known, early
