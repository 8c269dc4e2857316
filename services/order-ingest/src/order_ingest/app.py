"""Builds order-ingest: the only file that knows how its parts fit together."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter

from order_ingest.act_on_order import ActOnOrder
from order_ingest.audit_channel import AuditChannel
from order_ingest.audit_routes import audit_routes
from order_ingest.calls import Calls, OpenReader
from order_ingest.connection_state import Notices
from order_ingest.consumer import TOPICS, UPSTREAM, Doorway, read
from order_ingest.erase_person import ErasePerson
from order_ingest.explain_order import ExplainOrder
from order_ingest.heal_orders import Healer
from order_ingest.hooks import hook_routes
from order_ingest.import_file import FileImport
from order_ingest.intake import intake_routes
from order_ingest.live_reads import LiveReads
from order_ingest.person_routes import person_routes
from order_ingest.place_order import PlaceOrder
from order_ingest.poller import Poller
from order_ingest.preview_release import PreviewRelease
from order_ingest.pull_channel import PullChannel
from order_ingest.readers import Readers
from order_ingest.refused_hooks import RefusedHooks
from order_ingest.register_hooks import webhooks_of_channels
from order_ingest.release_routes import release_routes
from order_ingest.rerun_order import RerunOrder
from order_ingest.rerun_routes import rerun_routes
from order_ingest.routes import routes
from order_ingest.rulebook import Rulebook
from order_ingest.take_hook import OpenHooks, TakeHook
from order_ingest.tidy import tidy
from order_ingest.webhook_routes import webhook_routes
from waybill_common.breaker import Health
from waybill_common.consuming import Subscription
from waybill_common.erasing import Eraser
from waybill_common.http import internal
from waybill_common.logs import declare_events
from waybill_common.metrics import Metric
from waybill_common.service import Parts, Runtime, main
from waybill_common.settings import ServiceSettings
from waybill_common.telemetry import declare_attributes
from waybill_common.workers import Worker
from waybill_contracts import tracing
from waybill_contracts.personal import without_person
from waybill_contracts.topics import ORDER_INGEST

PORT = 8081
BUDGET_SHARE = 0.4
"""Of a channel's rate budget; shipment-poller, which writes to it, has 0.5, and a tenth stays free."""

METRICS = (
    Metric("waybill_orders_seen_total", "counter", "Orders seen, by what became of them", ("via", "outcome")),
    Metric("waybill_webhooks_total", "counter", "Webhook deliveries, by what they were about", ("outcome",)),
)
declare_events(
    {
        "pull.failed": "a channel's window failed; its cursor stays, and it is pulled again",
        "pull.page_failed": "a page could not be taken in as a whole; its orders are taken in one by one",
        "pull.turn_lost": "another replica took the channel over",
    }
)


async def build(
    runtime: Runtime[ServiceSettings], open_reader: OpenReader | None = None, open_hooks: OpenHooks | None = None
) -> Parts:
    """The parts of the service; tests hand in their own ways to open a channel."""
    runtime.metrics.declare(METRICS)
    declare_attributes(*tracing.ATTRIBUTES)
    closers: list[Callable[[], Awaitable[None]]] = []
    readers = Readers(runtime.vault, runtime.budget)
    closers.append(readers.aclose)
    open_reader = open_reader or readers.open
    rulebook = Rulebook()
    health: Health = runtime.health
    calls = Calls(runtime.pool, health, runtime.alerts, runtime.clock, runtime.telemetry, rulebook, open_reader)
    poller = Poller(calls, PullChannel(calls, runtime.log, runtime.metrics), runtime.log)
    closers.append(poller.close)
    healer = Healer(runtime.pool, rulebook, runtime.telemetry, runtime.alerts)

    async def heal() -> int:
        return await healer.heal(runtime.clock.now())

    audit = AuditChannel(calls)
    closers.append(audit.close)
    open_hooks = open_hooks or readers.hooks
    register = webhooks_of_channels(calls, open_hooks)
    registering = Worker("webhooks", register.turn, idle_max=5.0)
    workers = (
        Worker("pull", poller.turn),
        Worker("heal", heal, idle_max=5.0),
        Worker("live-reads", LiveReads(calls).turn, idle_max=5.0),
        Worker("audit", audit.turn, idle_max=5.0),
        Worker("plan-audits", audit.plan, idle_max=300.0),
        registering,
        Worker("tidy", partial(tidy, runtime.pool), idle_max=600.0),
    )
    act = ActOnOrder(runtime.pool, rulebook, runtime.telemetry, runtime.clock)
    door = Doorway(rulebook, health, runtime.telemetry, runtime.clock, act)

    def wake() -> None:
        if door.news:
            door.news = False
            for worker in workers:
                worker.wake()

    refused = RefusedHooks(runtime.pool, runtime.clock)
    hook = TakeHook(runtime.pool, rulebook, runtime.alerts, runtime.metrics, open_hooks, refused, workers[2].wake)
    internal_routes = _routes(runtime, calls, act, hook, workers[0].wake, workers[3].wake)
    internal_routes.include_router(webhook_routes(runtime.pool, register, registering.wake))
    return Parts(
        redact=without_person,
        subscription=Subscription(
            group=ORDER_INGEST, topics=TOPICS, decode=read, handle=door.handle, upstream=UPSTREAM,
            on_commit=[wake],
        ),
        workers=workers,
        routes=internal_routes,
        closers=closers,
    )  # fmt: skip


def _routes(
    runtime: Runtime[ServiceSettings],
    calls: Calls,
    act: ActOnOrder,
    hook: TakeHook,
    wake_pull: Callable[[], None],
    wake_audit: Callable[[], None],
) -> APIRouter:
    """Everything under /internal, behind the service token."""
    rulebook = calls.rulebook
    files = FileImport(runtime.pool, rulebook, runtime.telemetry, runtime.clock, runtime.metrics)
    place = PlaceOrder(runtime.pool, rulebook, runtime.telemetry, runtime.clock)
    router = APIRouter(prefix="/internal", dependencies=internal(runtime.settings.service_tokens))
    router.include_router(routes(runtime.pool, act, ExplainOrder(calls), wake_pull))
    router.include_router(intake_routes(files, place))
    router.include_router(hook_routes(hook))
    router.include_router(audit_routes(runtime.pool, wake_audit))
    eraser = Eraser(runtime.pool, without_person)
    router.include_router(person_routes(ErasePerson(runtime.pool, eraser)))
    router.include_router(rerun_routes(RerunOrder(runtime.pool, rulebook)))
    router.include_router(release_routes(PreviewRelease(runtime.pool, rulebook)))
    return router


def run() -> int:
    """Runs the service by the environment; returns the exit code."""
    return main(
        ORDER_INGEST, "order_ingest", "order_ingest", partial(build), ServiceSettings,
        default_port=PORT, notices=Notices(), budget_share=BUDGET_SHARE,
    )  # fmt: skip
