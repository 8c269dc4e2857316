"""A shipment that a person enters, for any order whatever its source (SP-6): one command, up to three owners.

The poller records it. Where no FR could take it, the router makes a manual one; where one was never sent, push is told
that a person has it. Each of these is its owner's part of the command and can be repeated, so the whole may be too.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from console.command_rules import Answer
from console.commander import ask_owner_to
from console.owners import Owners
from waybill_contracts import topics

ACTION = "shipment.record"
PATIENCE = 15.0
"""Seconds in which the facts of a new FR have reached everybody, with much to spare."""


class EnterShipment:
    """Sends the command in its parts."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def __call__(self, row: Mapping[str, Any]) -> Answer:
        """The poller's answer, or the refusal of whoever refused. Raises OwnerSilent."""
        return await _Entering(self._owners, row).run()


class _Entering:
    """Asks the owners in turn until the shipment is recorded, or one of them refuses."""

    def __init__(self, owners: Owners, row: Mapping[str, Any]) -> None:
        self._owners = owners
        self._row = row
        self._new: dict[str, Any] = row["body"]
        self._who = {"actor": row["actor"], "reason": row["reason"]}
        self._made = ""
        self._marked: set[str] = set()
        self._told = 0

    async def run(self) -> Answer:
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await self._record()
            detail = _detail(answer)
            refused = None
            if detail.get("code") == "no_live_fr" and not self._made:
                refused = await self._make(detail)
            elif detail.get("code") == "mark_first" and detail["fr_id"] not in self._marked:
                refused = await self._mark(detail["fr_id"])
            elif detail.get("code") not in ("order_unknown", "no_live_fr", "mark_first"):
                return answer._replace(told=answer.told + self._told)
            if refused is not None:
                return refused
            if time.monotonic() > deadline:
                what = f"FR {self._made}" if self._made else f"order {self._new['order_id']}"
                return Answer(0, f"{what} is there, but not every service has heard of it yet")
            await asyncio.sleep(0.2)

    async def _ask(self, service: str, path: str, body: dict[str, Any], part: str) -> Answer:
        command_id = f"{self._row['command_id']}/{part}"
        return await ask_owner_to(self._owners, self._row, service, path, body | self._who, command_id)

    async def _record(self) -> Answer:
        more = {name: value for name, value in self._new.items() if name not in ("order_id", "source", "reason")}
        path = f"/internal/orders/{self._new['order_id']}/shipments"
        return await self._ask(topics.SHIPMENT_POLLER, path, more, "record")

    async def _make(self, detail: dict[str, Any]) -> Answer | None:
        """Has the manual FR made; the refusal, if there is one."""
        manual = detail.get("manual_sources", [])
        source = self._new["source"] or (manual[0] if len(manual) == 1 else None)
        if source is None:
            known = f"name one as `source`: {', '.join(manual)}" if manual else "configure one with `platform: manual`"
            text = f"{detail['detail']}; to make one, a manual source is needed"
            return Answer(409, {"detail": text, "remedy": known, "code": "no_live_fr"})
        body = {"source": source, "lines": self._new["lines"]}
        made = await self._ask(topics.ROUTER, f"/internal/orders/{self._new['order_id']}/frs", body, "make")
        if made.status == 404:  # it has not heard of the order yet
            return None
        if made.status >= 400:
            return made
        self._made, self._told = str(made.body["number"]), self._told + made.told
        return None

    async def _mark(self, fr_id: str) -> Answer | None:
        """Tells push that a person has it; the refusal, if there is one."""
        path = f"/internal/frs/{fr_id}/mark"
        marked = await self._ask(topics.FULFILLMENT_PUSH, path, {"state": "PROCESSED"}, f"mark-{fr_id}")
        if marked.status == 404:  # it has not heard of it yet
            return None
        if marked.status >= 400:
            return marked
        self._marked.add(fr_id)
        self._told += marked.told
        return None


def _detail(answer: Answer) -> dict[str, Any]:
    """What a refusal says to programs; empty for an answer, and for a refusal without a code."""
    refused = answer.status >= 400 and isinstance(answer.body, dict) and "code" in answer.body
    return answer.body if refused else {}
