"""How many orders a change of a channel's settings will let go on, before it is saved; and afterwards, whether it did.

The waiting orders are judged by the new settings with the code that will judge them, page by page, and nothing is
changed but the list of those that were promised: its token is asked for what became of them (IN-11).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from order_ingest.heal_orders import as_last_seen
from order_ingest.import_file import NoSuchChannel
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.names import METHOD, names_of_channel
from order_ingest.normalize import Ready, normalize
from order_ingest.rulebook import Rulebook, known_names
from order_ingest.standing_holds import Known
from order_ingest.store import Stored, stored
from order_ingest.twins import Twins
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.ids import new_id
from waybill_common.refusals import Refused
from waybill_contracts.configuration import Channel
from waybill_contracts.values import HoldReason

PAGE = 500
SHOWN = 20
_FIRST = UUID(int=0)


class NoSuchPreview(Refused):
    """The token was never given, or is older than a day."""


@dataclass(frozen=True, slots=True)
class PreviewRelease:
    """The question and what it needs."""

    pool: Pool
    rulebook: Rulebook

    async def preview(self, candidate: Channel) -> dict[str, Any]:
        """Counts for these settings, and the token. Raises NoSuchChannel."""
        token, totals, numbers = new_id(), {"releases": 0, "imports": 0, "still_waiting": 0}, list[str]()
        async with transaction(self.pool) as conn:
            known = await self.rulebook.channel(conn, candidate.id)
            if known is None:
                raise NoSuchChannel(candidate.id)
            await q().add_preview(conn, token=token, channel=candidate.id, version=known.sequence)
            after = _FIRST
            while found := await rows(q().waiting_orders(conn, channel=candidate.id, after=after, limit=PAGE)):
                going = await self._going_on(conn, [stored(row) for row in found], candidate)
                await q().add_preview_orders(conn, token=token, order_ids=[row.copy.order_id for row in going])
                released = sum(row.copy.standing is Standing.HELD for row in going)
                totals["releases"] += released
                totals["imports"] += len(going) - released
                totals["still_waiting"] += len(found) - len(going)
                numbers += [row.number for row in going[: SHOWN - len(numbers)]]
                after = found[-1]["order_id"]
        return {"token": token, "channel": candidate.id, **totals, "numbers": numbers}

    async def outcome(self, token: UUID) -> dict[str, Any]:
        """What became of the promised ones. Raises NoSuchPreview."""
        found = await q().preview(self.pool, token=token)
        if found is None:
            raise NoSuchPreview(f"token: {token} was never given, or is older than a day", "count again", status=404)
        left = await rows(q().not_released(self.pool, token=token))
        return {
            "token": token, "channel": found["channel"], "saved": found["version_now"] != found["config_version"],
            "promised": found["promised"], "gone_on": found["gone_on"], "waiting": found["waiting"],
            "no_longer": [{"number": row["number"], "why": _why(row)} for row in left],
        }  # fmt: skip

    async def _going_on(self, conn: Connection, waiting: Sequence[Stored], candidate: Channel) -> list[Stored]:
        sightings = [as_last_seen(row) for row in waiting]
        present = (await self.rulebook.of(conn, sightings))[candidate.id]
        passing = "pass" in (candidate.skus.unmapped, candidate.shipping_methods.unmapped)
        skus, methods = await known_names(conn, sightings if passing else [])
        methods |= {name.name for name in names_of_channel(candidate) if name.kind == METHOD}
        rules = replace(present, channel=candidate, known_skus=skus, known_methods=methods)
        twins = await Twins.find(
            conn, {candidate.id: rules}, [(s, row.here) for s, row in zip(sightings, waiting, strict=True)]
        )
        going = []
        for row, sighting in zip(waiting, sightings, strict=True):
            here = row.copy.standing is not Standing.EXCLUDED
            known = Known(row.said, twins.twin_of(sighting, here=here))
            if isinstance(normalize(sighting.order, rules, row.copy.baseline if here else None, known), Ready):
                going.append(row)
                twins.came(sighting, Standing.IMPORTED)
        return going


def _why(row: Any) -> str:
    """In the words that an order's own page has."""
    if row["standing"] == Standing.EXCLUDED:
        return f"excluded: {row['reason']}"
    return "; ".join(f"{HoldReason(hold['reason']).value}: {hold['fix']}" for hold in row["holds"])
