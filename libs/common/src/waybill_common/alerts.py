"""Alerts from inside the kernel, in the words of the service.

The kernel has no business word, so a service hands it `Notices`: two functions that write the alert as an event. An
alert is raised once while it is open (grouped by its key) and cleared once.
"""

from typing import Protocol

from waybill_common import outbox
from waybill_common.db import Connection


class Notices(Protocol):
    """How a service spells an alert as an event on its topic."""

    def alert_raised(self, key: str, title: str, detail: str) -> outbox.Message:
        """The event that says that something needs a look."""
        ...

    def alert_cleared(self, key: str) -> outbox.Message:
        """The event that says that it is over."""
        ...


class Alerts:
    """Raises and clears alerts in the caller's transaction; without `Notices` they are only stored."""

    def __init__(self, notices: Notices | None) -> None:
        self._notices = notices

    async def raised(self, conn: Connection, key: str, title: str, detail: str) -> None:
        """Opens the alert; one that is open already only gets the newer detail."""
        new = await conn.fetchval(
            "insert into open_alerts (key, title, detail) values ($1, $2, $3) "
            "on conflict (key) do update set detail = excluded.detail returning xmax = 0",
            key,
            title,
            detail,
        )
        if new and self._notices is not None:
            await outbox.append(conn, [self._notices.alert_raised(key, title, detail)])

    async def cleared(self, conn: Connection, key: str) -> None:
        """Closes the alert if it is open."""
        was_open = await conn.fetchval("delete from open_alerts where key = $1 returning true", key)
        if was_open and self._notices is not None:
            await outbox.append(conn, [self._notices.alert_cleared(key)])
