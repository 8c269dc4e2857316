"""Certification of a channel (OP-15): can Waybill do at this shop, with these credentials, what it will do there?

Waybill's own connection is what is tried, because it is what will be used; what a shop shows is compared with itself
and with what was done to it a moment ago. Reading rules change nothing. Writing rules make one fulfillment of one piece
on the order that the caller named, and withdraw it where the platform can.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.certify.rules import Book, Broken, NotTried
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.ports import ChannelConnection

CHANNELS = Book()
COURIER = "UPS"
MOST = 40
"""Orders of the window that are looked at: enough for several pages."""
PAGE = 3

Open = Callable[[Mapping[str, str]], ChannelConnection]
"""Opens the channel with these credentials."""


@dataclass(frozen=True, slots=True)
class ChannelWish:
    """What to certify: a way to open the channel, since when its changes are listed, and the order that may be
    written to; none: nothing is written."""

    open: Open
    credentials: Mapping[str, str] = field(repr=False)
    since: datetime
    number: str | None = None
    courier: str = COURIER
    only: frozenset[str] = frozenset()


@dataclass(slots=True)
class Shop:
    """The channel under test and what earlier rules found out about it."""

    wish: ChannelWish
    connection: ChannelConnection
    seen: list[ChannelOrder] = field(default_factory=list)
    pages: int = 0
    before: ChannelFulfillments | None = None
    draft: FulfillmentDraft | None = None
    made: FulfillmentRecord | None = None
    withdrawn: bool = False

    async def ask(self, what: str, call: Any) -> Any:
        """The answer; a refusal by the platform breaks the rule, in the platform's words."""
        try:
            return await call
        except PlatformError as error:
            raise Broken(f"{what}: {error.message} ({error.family.value})") from None

    async def read(self) -> ChannelFulfillments:
        assert self.before is not None
        found = await self.ask("reading what is shipped", self.connection.writer.read(self.before.order_id))
        if found is None:
            raise Broken("the order is not there any more")
        return found  # type: ignore[no-any-return]  # `ask` passes anything on

    def wrote(self) -> tuple[FulfillmentDraft, FulfillmentRecord]:
        if self.draft is None or self.made is None:
            raise NotTried("no fulfillment was made; see FUL-2")
        return self.draft, self.made


def mark() -> str:
    """A tracking number that nobody else has."""
    return f"CERTIFY{secrets.token_hex(5).upper()}"
