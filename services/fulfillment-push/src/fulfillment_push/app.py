"""fulfillment-push: an FR is accepted by its source, once, or we know exactly why not. This file builds its parts."""

from functools import partial

from fulfillment_push.answers_worker import AnswersWorker
from fulfillment_push.connections import OpenSources
from fulfillment_push.consumer import TOPICS, Inbox, decode
from fulfillment_push.deadlines import Deadlines
from fulfillment_push.notices import EventNotices
from fulfillment_push.receive import SERVICE
from fulfillment_push.routes import Desk, make_routes
from fulfillment_push.send_run import SendRun
from fulfillment_push.settings import PushSettings
from fulfillment_push.settle import Settler
from fulfillment_push.sources import SourceBook
from fulfillment_push.store import Store
from waybill_common.consuming import Subscription
from waybill_common.http import internal
from waybill_common.service import Definition, Parts, Runtime
from waybill_common.service import main as run_service
from waybill_common.telemetry import declare_attributes
from waybill_common.workers import Worker
from waybill_contracts import tracing
from waybill_contracts.personal import without_person
from waybill_platforms.connections import Connections

SCHEMA = "fulfillment_push"
PACKAGE = "fulfillment_push"
PORT = 8083
BUDGET_SHARE = 0.5
"""Of a source's rate budget; the rest is shipment-poller's."""
ANSWERS_AT_THE_END = 2.0
"""Seconds that calls under way may take when the service stops."""


async def build(runtime: Runtime[PushSettings]) -> Parts:
    """The parts of the service."""
    settings = runtime.settings
    declare_attributes(*tracing.ATTRIBUTES)
    store = Store()
    book = SourceBook(store.q)
    connections = Connections(runtime.budget, runtime.vault.open)
    sources = OpenSources(connections)
    run = SendRun(
        runtime.pool,
        store,
        book,
        sources,
        runtime.health,
        runtime.alerts,
        runtime.telemetry,
        side_by_side=settings.side_by_side,
        hold=settings.hold,
    )
    answers = AnswersWorker(runtime.pool, run, Settler(store, runtime.health, runtime.alerts))
    sending = Worker("send-run", run.turn, idle_max=settings.idle_max)
    storing = Worker("answers", answers.turn, idle_max=1.0)
    watching = Worker("deadlines", Deadlines(runtime.pool, store, book, runtime.alerts).turn, idle_max=30.0)
    run.on_answer = storing.wake
    answers.on_room = sending.wake
    inbox = Inbox(store, book, runtime.health, runtime.telemetry)
    desk = Desk(runtime.pool, store, book, runtime.alerts, sending.wake)
    return Parts(
        redact=without_person,
        subscription=Subscription(SERVICE, TOPICS, decode, inbox.handle, on_commit=(sending.wake,)),
        workers=(sending, storing, watching),
        routes=make_routes(desk, internal(settings.service_tokens)),
        finishers=(partial(answers.drain, ANSWERS_AT_THE_END),),
        closers=(connections.aclose,),
    )


def definition() -> Definition[PushSettings]:
    """What `waybill_common.service` runs."""
    return Definition(SERVICE, SCHEMA, PACKAGE, build, PORT, EventNotices(), budget_share=BUDGET_SHARE)


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit code."""
    return run_service(
        SERVICE,
        SCHEMA,
        PACKAGE,
        build,
        PushSettings,
        default_port=PORT,
        notices=EventNotices(),
        budget_share=BUDGET_SHARE,
    )
