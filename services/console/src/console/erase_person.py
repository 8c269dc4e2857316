"""A person, forgotten: their orders stay as orders, everything that names them is replaced everywhere (OP-16).

One row is one wish. An order that is still under way needs its address: it waits until it is settled or canceled, and
is named until then; the rest of the wish is carried out at once, in two passes over all services. Whatever fails in
between is done again, and erasing twice changes nothing. What is kept about a wish: who asked, when, why, which orders,
how many rows; not whose data it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from console.owners import Owners, OwnerSilent
from waybill_common.db import Pool, Queries, rows, transaction
from waybill_common.erasing import Eraser, Subject
from waybill_common.ids import new_id
from waybill_common.vault import Vault
from waybill_contracts import topics

_ASKED = (topics.ROUTER, topics.FULFILLMENT_PUSH, topics.SHIPMENT_POLLER)
_PATIENCE = 600.0
"""Seconds for one service: it reads its whole schema."""
PASSES = 2
PORTION = 50
"""Orders that are past keeping, in one wish."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The person: any of these; `channel` belongs to the shop's ids, and narrows an e-mail."""

    email: str = ""
    channel: str = ""
    order_ids: Sequence[str] = ()
    channel_order_ids: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return {"email": self.email, "channel": self.channel, "order_ids": list(self.order_ids),
                "channel_order_ids": list(self.channel_order_ids)}  # fmt: skip


class NotErased(Exception):
    """A service did not do it; the text says which, and what it answered."""


class ErasePerson:
    """Takes wishes down, and carries them out turn by turn."""

    def __init__(
        self, pool: Pool, q: Queries, owners: Owners, vault: Vault, eraser: Eraser, kept_days: float | None = None
    ) -> None:
        self._pool, self._q, self._owners, self._vault = pool, q, owners, vault
        self._eraser, self._kept_days = eraser, kept_days

    async def ask(self, whose: Whose, actor: str, reason: str, asked_as: str | None = None) -> str:
        """The wish's id; one that was asked under the same name before is not asked again."""
        erasure_id = str(new_id())
        sealed = self._vault.seal(f"erasure/{erasure_id}", orjson.dumps(whose.as_json()).decode())
        await self._q.add_erasure(
            self._pool, erasure_id=erasure_id, asked_by=actor, reason=reason, asked_as=asked_as, whose=sealed
        )
        return erasure_id

    async def turn(self) -> int:
        """One wish that is due. A service that does not answer is asked again soon."""
        row = await self._q.take_erasure(self._pool)
        if row is None:
            return 0
        try:
            await self._carry_out(row)
        except (OwnerSilent, NotErased) as error:
            await self._q.note_not_erased(self._pool, erasure_id=row["erasure_id"], error=str(error)[:500])
        return 1

    async def past_keeping(self) -> int:
        """Orders that were closed longer ago than people's data is kept become a wish of their own."""
        if self._kept_days is None:
            return 0
        found = await rows(self._q.orders_past_keeping(self._pool, days=self._kept_days, limit=PORTION))
        if not found:
            return 0
        ids = tuple(row["order_id"] for row in found)
        why = f"closed for more than {self._kept_days:g} days"
        await self.ask(Whose(order_ids=ids), "retention", why, f"retention/{ids[0]}/{len(ids)}")
        return 0  # the next portion waits for its turn: this one must be done first

    async def _carry_out(self, row: Any) -> None:
        """One pass, or none: every service knows the keys after the first, the second finds what was in flight then."""
        whose = await self._whose(row)
        under_way = await self._under_way(whose["orders"])
        closed = [order["order_id"] for order in whose["orders"] if order["order_id"] not in under_way]
        passes = row["passes"] if closed == row["order_ids"] else 0
        held: dict[str, dict[str, int]] = {}
        if passes < PASSES and (closed or not under_way):
            held = await self._everywhere(Subject(closed, whose["words"], whose["marks"]))
            passes += 1
            await self._q.note_erased_orders(self._pool, erasure_id=row["erasure_id"], order_ids=closed)
        changed = {service: _sum(row["rows"].get(service, {}), counts) for service, counts in held.items()}
        await self._q.note_erased(
            self._pool,
            erasure_id=row["erasure_id"],
            order_ids=closed,
            under_way=under_way,
            rows=row["rows"] | changed,
            passes=passes,
            done=not under_way and passes >= PASSES,
        )

    async def _whose(self, row: Any) -> dict[str, Any]:
        """The person as far as known: what a pass has erased nobody else can tell any more, so it is kept, sealed."""
        entity = f"erasure/{row['erasure_id']}"
        whose: dict[str, Any] = orjson.loads(self._vault.open(entity, row["whose"]))
        asked = {name: whose[name] for name in Whose.__dataclass_fields__}
        found = await self._post(topics.ORDER_INGEST, "/internal/persons/find", asked)
        email = [whose["email"]] if whose["email"] else []
        orders = {order["order_id"]: order for order in (*whose.get("orders", ()), *found["orders"])}
        marks = {tuple(mark) for mark in (*whose.get("marks", ()), *found["marks"], *([email] if email else ()))}
        whose["orders"] = [orders[order_id] for order_id in sorted(orders)]
        whose["words"] = sorted({*whose.get("words", ()), *found["words"], *email})
        whose["marks"] = sorted(marks)
        sealed = self._vault.seal(entity, orjson.dumps(whose).decode())
        await self._q.keep_whose(self._pool, erasure_id=row["erasure_id"], whose=sealed)
        return whose

    async def _under_way(self, found: Sequence[Mapping[str, Any]]) -> list[str]:
        """Those of the orders that are not over, and did come in."""
        ids = [order["order_id"] for order in found if order["standing"] != "excluded"]
        over = {row["order_id"] for row in await rows(self._q.closed_orders(self._pool, order_ids=ids))}
        return [order_id for order_id in ids if order_id not in over]

    async def _everywhere(self, subject: Subject) -> dict[str, dict[str, int]]:
        wish = {"keys": subject.keys, "words": subject.words, "marks": subject.marks}
        changed = {topics.CONSOLE: await self._here(subject)}
        for service in _ASKED:
            changed[service] = (await self._post(service, "/internal/erase", wish))["rows"]
        last = await self._post(topics.ORDER_INGEST, "/internal/persons/erase", wish)
        return changed | {topics.ORDER_INGEST: last["rows"]}

    async def _here(self, subject: Subject) -> dict[str, int]:
        async with transaction(self._pool) as conn:
            await self._q.forget_customer_terms(conn, order_ids=subject.keys)
        return await self._eraser.erase(subject)

    async def _post(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self._owners.ask(service, "POST", path, json=body, timeout=_PATIENCE)
        if answer.status_code != 200:
            raise NotErased(f"{service} answered {answer.status_code} to {path}; its log says why")
        return answer.json()


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
