"""Stores the answers of calls, those of many calls in one transaction (group commit).

A short wait lets answers gather while more calls are under way; the last ones are stored at once, so that a single FR
on a quiet day does not wait. Answers whose transaction failed are kept and tried again while their leases last.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from fulfillment_push.calls import Answer
from fulfillment_push.send_run import SendRun
from fulfillment_push.settle import Settler
from waybill_common.db import Pool, transaction, transient
from waybill_common.logs import declare_events

_log = structlog.get_logger("fulfillment_push.answers")

declare_events(
    {
        "send.batch_refused": "answers of many calls could not be stored together; each is stored alone",
        "send.answers_left": "the service stopped without storing these answers; their FRs are read back",
        "send.answer_refused": "an answer cannot be stored; its FR is read back when its lease is over",
    }
)

ENOUGH = 64
GATHER_SECONDS = 0.015


class AnswersWorker:
    """The other half of the send run."""

    def __init__(self, pool: Pool, run: SendRun, settler: Settler) -> None:
        self._pool = pool
        self._run = run
        self._settler = settler
        self._kept: list[Answer] = []
        self.on_room: Callable[[], None] = lambda: None

    async def turn(self) -> int:
        """One transaction; returns how many answers it stored."""
        if self._run.finished.empty() and not self._kept:
            return 0
        waiting = self._run.finished.qsize() + len(self._kept)
        if waiting < min(self._run.in_hand, ENOUGH):
            await asyncio.sleep(GATHER_SECONDS)
        self._take()
        try:
            await self._store(self._kept)
        except Exception as error:
            if transient(error):
                raise  # kept for the next turn
            _log.warning("send.batch_refused", answers=len(self._kept), error=repr(error))
            await self._one_by_one(self._kept)
        stored, self._kept = self._kept, []
        if self._run.settled(stored):
            self.on_room()
        return len(stored)

    async def _store(self, batch: Sequence[Answer]) -> None:
        async with transaction(self._pool) as conn:
            await self._settler.settle(conn, batch)

    async def _one_by_one(self, batch: Sequence[Answer]) -> None:
        """One answer that cannot be stored must not take its neighbours along; its FR is read back after its lease."""
        for answer in batch:
            try:
                await self._store([answer])
            except Exception as error:
                if transient(error):
                    raise
                _log.error("send.answer_refused", fr_id=answer.job.fr.fr_id, error=repr(error), exc_info=error)

    def _take(self) -> None:
        while len(self._kept) < ENOUGH * 4 and not self._run.finished.empty():
            self._kept.append(self._run.finished.get_nowait())

    async def drain(self, seconds: float) -> None:
        """At the end: what was asked is stored as far as it is answered in time; the rest is read back later."""
        await self._run.stop(seconds)
        try:
            while await self.turn():
                pass
        except Exception as error:
            # The database went away while we stop: open intents say what is to be read back.
            _log.warning("send.answers_left", answers=len(self._kept), error=repr(error))
