"""One audit under way: what its window holds, where it goes on, when it ends (pure)."""

from dataclasses import dataclass
from datetime import datetime

from order_ingest.cursor import LONG_OVERLAP
from waybill_common.leases import Lease
from waybill_platforms.model.orders import ChannelOrder, OrderPage


@dataclass(slots=True)
class Walk:
    """One audit under way."""

    lease: Lease
    cursor_at: datetime | None
    """How far the pulls had come: what changed later is not due yet."""
    credentials: int | None = None

    @property
    def channel(self) -> str:
        return str(self.lease.row["channel"])

    @property
    def asked(self) -> bool:
        return bool(self.lease.row["kind"] == "window")

    @property
    def since(self) -> datetime:
        resume: datetime | None = self.lease.row["resume_at"]
        since: datetime = self.lease.row["since"]
        return since if resume is None else max(since, resume - LONG_OVERLAP)

    def holds(self, order: ChannelOrder) -> bool:
        """Whether the window is about this order."""
        row = self.lease.row
        at = order.placed_at if self.asked else order.updated_at
        return bool(row["since"] <= at <= row["until"])

    def ends_with(self, page: OrderPage) -> bool:
        """An audit ends behind its window; orders placed in a window may have changed at any time since."""
        beyond = bool(page.orders) and page.orders[-1].updated_at > self.lease.row["until"]
        return page.next is None or (beyond and not self.asked)


class WalkLost(Exception):
    """Another replica took it over: what this one still held is not written."""
