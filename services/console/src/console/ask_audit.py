"""An audit of a channel, both ways: one command, two owners (IN-14).

order-ingest compares orders, shipment-poller the fulfillments that the channel was told of. Each takes its part once.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from console.command_rules import Answer
from console.commander import ask_owner_to
from console.owners import Owners
from waybill_contracts import topics

ACTION = "channel.audit"


def inward(channel_id: str) -> str:
    return f"/internal/channels/{quote(channel_id, safe='')}/audits"


def outward(channel_id: str) -> str:
    return f"/internal/channels/{quote(channel_id, safe='')}/outward-audits"


class AskAudit:
    """Sends the command in its two parts."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def __call__(self, row: Mapping[str, Any]) -> Answer:
        """order-ingest's answer with the other audit's id, or the refusal of whoever refused. Raises OwnerSilent."""
        body, command_id = row["body"], row["command_id"]
        asked = await ask_owner_to(self._owners, row, topics.ORDER_INGEST, row["path"], body, f"{command_id}/inward")
        if asked.status >= 400:
            return asked
        channel = row["target"].removeprefix("channel/")
        window = {name: body[name] for name in ("since", "until", "actor")}
        told = await ask_owner_to(
            self._owners, row, topics.SHIPMENT_POLLER, outward(channel), window, f"{command_id}/outward"
        )
        if told.status >= 400:
            return told
        return Answer(asked.status, asked.body | {"outward_audit_id": told.body["audit_id"]}, asked.told + told.told)
