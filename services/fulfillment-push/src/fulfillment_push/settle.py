"""Answers of many calls become outcomes, transaction records and events in one transaction.

An answer counts only under the lease that it was asked under: whoever lost it changes nothing, but what was exchanged
is recorded all the same.
"""

import random
from collections.abc import Iterable, Sequence

import structlog

from fulfillment_push import answers, progress, recall
from fulfillment_push.calls import Answer, NotSent, Prepared
from fulfillment_push.fr import Fr, WaitsFor
from fulfillment_push.read_back import FindRule
from fulfillment_push.receive import CONFLICT, SERVICE
from fulfillment_push.sources import state_changed
from fulfillment_push.steps import Counterpart, Step
from fulfillment_push.store import Store
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.db import Connection
from waybill_common.logs import declare_events
from waybill_common.outbox import Message
from waybill_common.retry import SP_8, Family, Schedule
from waybill_contracts.envelope import encode
from waybill_contracts.fulfillment_submitted import Recall
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import CancelAnswer, Submitted

_log = structlog.get_logger("fulfillment_push.settle")

declare_events(
    {
        "send.lease_lost": "an answer came after its lease was over; the row's new holder reads it back",
        "send.needs_a_person": "the outcome of a send is unknown or in conflict, and only a person can tell",
    }
)


class Settler:
    """Writes what came of calls."""

    def __init__(self, store: Store, health: Health, alerts: Alerts, schedule: Schedule = SP_8) -> None:
        self._store = store
        self._health = health
        self._alerts = alerts
        self._schedule = schedule

    async def settle(self, conn: Connection, batch: Sequence[Answer]) -> None:
        """One transaction for the whole batch."""
        more = [Message(*encode(e.event(SERVICE), source=SERVICE, traceparent=a.traceparent), about=e.order_ids)
                for a in batch for e in a.exchanges]  # fmt: skip
        frs = await self._store.load(conn, [answer.job.fr.fr_id for answer in batch], orders=True)
        bound = await self._store.bound(
            conn, [(a.job.fr.source, a.result.platform_id) for a in batch if isinstance(a.result, Submitted)]
        )
        more += await self._note(conn, batch)
        unsent = {
            a.job.fr.source for a in batch if isinstance(a.result, NotSent) and self._health.is_blocked(a.job.fr.source)
        }
        if unsent:
            await self._store.q.give_back_probes(conn, sources=list(unsent))
        settled = []
        for answer in batch:
            fr = frs.get(answer.job.fr.fr_id)
            if fr is None or fr.lease_token != answer.job.lease.token:
                _log.warning("send.lease_lost", fr_id=answer.job.fr.fr_id, step=answer.job.step.value)
                continue
            fr.parsed = answer.job.fr.parsed
            fr.traceparent = answer.traceparent or fr.traceparent
            self._apply(fr, answer, bound)
            fr.let_go()
            settled.append(fr)
        await self._store.save(conn, settled, more)
        await self._alert(conn, settled)

    def _apply(self, fr: Fr, answer: Answer, bound: dict[tuple[str, str], str]) -> None:
        result, step, source = answer.result, answer.job.step, answer.job.known.source
        other = Counterpart(source, answer.job.connection.features)
        if step is Step.RECALL:
            self._recalled(fr, answer)
            if fr.recall is Recall.REFUSED and other.can_look:
                progress.watch(fr, source)
        elif step is Step.LOOK:
            progress.seen(fr, result if isinstance(result, Submitted) else None, source)
        elif isinstance(result, NotSent):
            _not_sent(fr, step, result)
        elif isinstance(result, Prepared):
            answers.prepared(fr, result.handle)
        elif isinstance(result, Submitted):
            owner = bound.setdefault((fr.source, result.platform_id), fr.fr_id)
            answers.found(fr, result, sent_now=step is Step.SEND, bound_to=None if owner == fr.fr_id else owner)
            if other.can_look:
                progress.watch(fr, source)
        elif isinstance(result, PlatformError):
            self._failed(fr, answer, result)
        elif result is None:
            answers.missing(fr, _rule(answer), answer.timeout, self._schedule)

    def _failed(self, fr: Fr, answer: Answer, error: PlatformError) -> None:
        if answer.job.step is Step.READ_BACK:
            answers.not_read(fr, error)
            return
        down = self._health.is_blocked(fr.source)
        chance = random.random()
        answers.send_failed(fr, error, _rule(answer), self._schedule, down=down, random=chance)

    def _recalled(self, fr: Fr, answer: Answer) -> None:
        result = answer.result
        if isinstance(result, CancelAnswer):
            recall.answered(fr, result)
        elif isinstance(result, PlatformError):
            recall.failed(fr, result)
        elif isinstance(result, NotSent):
            fr.wait_seconds(WaitsFor.RECALL, result.why, result.seconds)

    async def _note(self, conn: Connection, batch: Sequence[Answer]) -> list[Message]:
        """Tells the breaker how the calls went: of each source its last success and the failures after it."""
        changes = []
        for source, ended in sorted(_by_source(batch).items()):  # one lock order for all replicas
            for answer, family in ended:
                error = answer.result if isinstance(answer.result, PlatformError) else None
                change = await self._health.note(
                    conn,
                    source,
                    family,
                    credential_version=answer.job.known.credential_version,
                    cause=error.message if error is not None else None,
                )
                changes += [change] if change is not None else []
        return [message for change in changes for message in state_changed(change)]

    async def _alert(self, conn: Connection, frs: Iterable[Fr]) -> None:
        for fr in frs:
            conflict = fr.reason is not None and fr.reason.code == CONFLICT
            if not conflict and (fr.waiting is None or fr.waiting.code is not WaitsFor.PERSON):
                continue
            detail = fr.reason.message if fr.reason is not None else ""
            _log.warning("send.needs_a_person", fr_id=fr.fr_id, number=fr.number, detail=detail)
            title = f"FR {fr.number} at {fr.source}: {'reference conflict' if conflict else 'outcome unknown'}"
            await self._alerts.raised(conn, alert_key(fr.fr_id), title, detail)


def alert_key(fr_id: str) -> str:
    """The alert about an FR that only a person can settle."""
    return f"{SERVICE}/needs-a-person/{fr_id}"


def _rule(answer: Answer) -> FindRule:
    return Counterpart(answer.job.known.source, answer.job.connection.features).rule


def _not_sent(fr: Fr, step: Step, result: NotSent) -> None:
    if step is Step.READ_BACK:
        fr.wait_seconds(WaitsFor.READ_BACK, result.why, result.seconds)
    else:
        answers.take_back(fr, WaitsFor.BUDGET if result.budget else WaitsFor.RUN, result.why, result.seconds)


def _by_source(batch: Sequence[Answer]) -> dict[str, list[tuple[Answer, Family | None]]]:
    """What the breaker must hear: everything before a source's last success is forgiven by it."""
    heard: dict[str, list[tuple[Answer, Family | None]]] = {}
    for answer in batch:
        if isinstance(answer.result, NotSent):
            continue
        error = answer.result if isinstance(answer.result, PlatformError) else None
        family = None if error is None or error.family is Family.REFUSED else error.family
        ended = heard.setdefault(answer.job.fr.source, [])
        if family is None:
            ended[:] = [item for item in ended if item[1] is Family.UNAUTHORIZED]
        ended.append((answer, family))
    return heard
