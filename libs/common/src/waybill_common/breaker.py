"""A connection that does not answer, or does not let us in, makes its rows wait without using up their attempts.

After 5 transient failures in a row it is `down`; then one call at a time may try, at growing distances, and the first
answer resumes everything. Calls that were under way when it went down say nothing new: only a probe moves the next one
further off. After a refused credential it is `unauthorized` until a newer `credential_version` comes.
The state is a row shared by the replicas of one service; each service judges for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from waybill_common.db import Connection
from waybill_common.metrics import Metrics
from waybill_common.retry import Family

State = Literal["ok", "down", "unauthorized"]

FAILURES_UNTIL_DOWN = 5
FIRST_PROBE_SECONDS = 5.0
LONGEST_PROBE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StateChange:
    """A connection went from one state to another; its owner says so to the others (`connection.state_changed`)."""

    connection_id: str
    previous: State
    state: State
    cause: str | None
    credential_version: int
    since: datetime


class Blocked(frozenset[str]):
    """Connections whose rows must wait. `probing`: those that are down but may send one call now (not in the set)."""

    probing: frozenset[str]

    def __new__(cls, blocked: Iterable[str] = (), probing: Iterable[str] = ()) -> Blocked:
        made = super().__new__(cls, blocked)
        made.probing = frozenset(probing)
        return made


_BLOCKED = """
select connection_id, state, failures, credential_version,
       state = 'down' and coalesce(probe_at, '-infinity') <= clock_timestamp() as probe_due
from connection_health where state <> 'ok' or failures > 0
"""

# One statement for each outcome. Each returns the row before and after; the lock in `before` orders replicas.
_BEFORE = """
with before as (select * from connection_health where connection_id = $1 for update)
update connection_health h set {assignments}
from before b where h.connection_id = b.connection_id and {condition}
returning h.*, b.state as previous
"""


def _statement(state: str, condition: str, **assignments: str) -> str:
    values = {
        "state": state,
        "since": f"case when b.state = {state} then b.since else clock_timestamp() end",
        **assignments,
    }
    return _BEFORE.format(assignments=", ".join(f"{k} = {v}" for k, v in values.items()), condition=condition)


_HEALTHY = _statement(
    "'ok'",
    # After a refused credential only a newer one counts: a call of before may end well and says nothing.
    "(b.state <> 'unauthorized' or $2 > b.credential_version)",
    failures="0",
    probe_at="null",
    probing="false",
    cause="null",
    credential_version="greatest(b.credential_version, $2)",
)
_FAILED = _statement(
    f"case when b.state = 'ok' and b.failures + 1 >= {FAILURES_UNTIL_DOWN} then 'down' else b.state end",
    "(b.state <> 'down' or b.probing or coalesce(b.probe_at, '-infinity') <= clock_timestamp())",
    failures="b.failures + 1",
    probing="false",
    cause="coalesce($2, b.cause)",
    probe_at=f"""case when b.failures + 1 >= {FAILURES_UNTIL_DOWN} then clock_timestamp() + make_interval(secs => least(
        {LONGEST_PROBE_SECONDS}, {FIRST_PROBE_SECONDS} * power(2, least(b.failures + 1 - {FAILURES_UNTIL_DOWN}, 20))))
        else b.probe_at end""",
)
_UNAUTHORIZED = _statement(
    "'unauthorized'",
    # A call that was under way with the old credentials says nothing about the new ones.
    "coalesce($2, b.credential_version) >= b.credential_version",
    credential_version="coalesce($2, b.credential_version)",
    cause="coalesce($3, b.cause)",
    probe_at="null",
)
_RESUME = _statement(
    "case when b.state = 'unauthorized' then 'ok' else b.state end",
    "($2 > b.credential_version or b.state = 'down')",
    # an outage may have been the old address's: find out now
    probe_at="case when b.state = 'down' then clock_timestamp() end",
    probing="false",
    failures="case when b.state = 'unauthorized' then 0 else b.failures end",
    credential_version="greatest($2, b.credential_version)",
)


class Health:
    """The connections of one service, one object a process.

    It remembers which connections stand clean, so that the ordinary answer of a healthy connection costs no statement;
    `blocked`, which a worker asks before each claim, refreshes that memory.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics
        self._marked: dict[str, State] = {}  # not ok, or with failures counted

    async def blocked(self, conn: Connection) -> Blocked:
        """Which connections' rows must wait now. Give it to `leases.claim` as it is: that sends single probes."""
        rows = await conn.fetch(_BLOCKED)
        self._marked = {row["connection_id"]: row["state"] for row in rows}
        if self._metrics is not None:
            for state in ("down", "unauthorized"):
                self._metrics.set("waybill_connections", sum(row["state"] == state for row in rows), state=state)
        waiting = [row["connection_id"] for row in rows if row["state"] != "ok" and not row["probe_due"]]
        return Blocked(waiting, [row["connection_id"] for row in rows if row["probe_due"]])

    async def note(
        self,
        conn: Connection,
        connection_id: str,
        outcome: Family | None,
        *,
        credential_version: int | None = None,
        cause: str | None = None,
    ) -> StateChange | None:
        """One call ended: None = well, else its failure's family. Returns the change of state it made, if any.

        `credential_version` is the one that the call used (None = the newest known); `cause` is for people.
        """
        if outcome is Family.UNREADABLE:
            return None  # proves neither: something answered, perhaps a proxy
        if outcome is Family.LATER:
            return await self._apply(conn, _FAILED, connection_id, cause)
        if outcome is Family.UNAUTHORIZED:
            return await self._apply(conn, _UNAUTHORIZED, connection_id, credential_version, cause)
        if connection_id not in self._marked:
            return None
        return await self._apply(conn, _HEALTHY, connection_id, credential_version)

    async def resume(self, conn: Connection, connection_id: str, credential_version: int) -> StateChange | None:
        """Its configuration came. What waited for newer credentials goes on; one that is down may be probed at once."""
        # Nothing of it is remembered here: the caller's transaction may still be rolled back.
        return await self._apply(conn, _RESUME, connection_id, credential_version)

    def is_blocked(self, connection_id: str) -> bool:
        """Whether it was down or unauthorized when last looked at: a failed call then uses up no attempt."""
        return self._marked.get(connection_id, "ok") != "ok"

    async def _apply(self, conn: Connection, statement: str, connection_id: str, *values: object) -> StateChange | None:
        await conn.execute(
            "insert into connection_health (connection_id) values ($1) on conflict do nothing", connection_id
        )
        row = await conn.fetchrow(statement, connection_id, *values)
        if row is None:
            return None
        if row["state"] == "ok" and row["failures"] == 0:
            self._marked.pop(connection_id, None)
        else:
            self._marked[connection_id] = row["state"]
        if row["state"] == row["previous"]:
            return None
        return StateChange(
            connection_id, row["previous"], row["state"], row["cause"], row["credential_version"], row["since"]
        )
