"""Builds shipment-poller: what was shipped, and telling the channel, once. The only file that builds things."""

from shipment_poller import facts
from shipment_poller.audit_outward import OutwardAudits
from shipment_poller.configuration import Configurations
from shipment_poller.consumer import subscription
from shipment_poller.crew import CrewWorker
from shipment_poller.poll_source import PollWorker
from shipment_poller.poll_stock import StockWorker
from shipment_poller.probe_connections import Probes
from shipment_poller.push_worker import PushWorker
from shipment_poller.register_hooks import webhooks_of_sources
from shipment_poller.resync import Resyncs
from shipment_poller.review_orders import Tools
from shipment_poller.routes import Wakes, routes
from shipment_poller.take_posted import Posted
from shipment_poller.watch_deadlines import EVERY, Deadlines
from shipment_poller.webhook_routes import webhook_routes
from waybill_common import service
from waybill_common.db import queries
from waybill_common.service import Definition, Parts, Runtime
from waybill_common.settings import ServiceSettings
from waybill_common.telemetry import declare_attributes
from waybill_common.workers import Worker
from waybill_contracts import topics, tracing
from waybill_contracts.personal import without_person
from waybill_platforms.connections import Connections

PACKAGE = "shipment_poller"
PORT = 8084
BUDGET_SHARE = 0.5
"""Of a connection's rate: reading and writing fulfillments, beside ingest's pulls and push's sends."""


async def build(runtime: Runtime[ServiceSettings]) -> Parts:
    """The parts of the service over the runtime's pool, vault and clock."""
    declare_attributes(*tracing.ATTRIBUTES)
    named = queries(PACKAGE)
    tools = Tools(named, Configurations(named), runtime.clock, runtime.telemetry, runtime.alerts)

    connections = Connections(runtime.budget, runtime.vault.open)
    push = PushWorker(runtime.pool, tools, connections, runtime.health, runtime.log)
    pushing = CrewWorker("push", push.crew, idle_max=1.0)
    poll = PollWorker(runtime.pool, tools, connections, runtime.health, runtime.log, pushing.wake)
    polling = CrewWorker("poll", poll.crew, idle_max=1.0)
    stock = StockWorker(runtime.pool, tools, connections, runtime.health, runtime.log)
    counting = CrewWorker("stock", stock.crew, idle_max=5.0)
    resyncs = Resyncs(runtime.pool, tools, pushing.wake)
    resyncing = Worker("resync", resyncs.turn, idle_max=5.0)
    deadlines = Worker("deadlines", Deadlines(runtime.pool, tools).turn, idle_max=EVERY)
    webhooks = webhooks_of_sources(runtime.pool, tools, connections)
    registering = Worker("webhooks", webhooks.turn, idle_max=5.0)
    posted = Posted(runtime.pool, tools, connections, runtime.log)
    probing = Worker("probe", Probes(runtime.pool, tools, connections).turn, idle_max=5.0)
    audits = OutwardAudits(runtime.pool, tools, connections, runtime.health, pushing.wake)
    auditing = Worker("audit", audits.turn, idle_max=5.0)
    planning = Worker("plan-audits", audits.plan, idle_max=300.0)
    wakes = Wakes(polling.wake, pushing.wake, resyncing.wake, counting.wake, auditing.wake)
    internal_routes = routes(runtime.pool, tools, runtime.settings.service_tokens, wakes, resyncs, connections, posted)
    webhook_routes(internal_routes, runtime.pool, tools, webhooks, registering.wake)
    return Parts(
        redact=without_person,
        subscription=subscription(tools, runtime.health, (pushing.wake, polling.wake)),
        workers=(pushing, polling, counting, resyncing, deadlines, probing, auditing, planning, registering),
        routes=internal_routes,
        closers=(connections.aclose, push.crew.cut, poll.crew.cut, stock.crew.cut),
    )


DEFINITION = Definition(
    topics.SHIPMENT_POLLER,
    PACKAGE,
    PACKAGE,
    build,
    PORT,
    facts.Notices(),
    BUDGET_SHARE,
)


def main() -> int:
    """Runs the service until it is told to stop."""
    return service.main(
        DEFINITION.name,
        DEFINITION.schema,
        DEFINITION.package,
        DEFINITION.build,
        ServiceSettings,
        default_port=DEFINITION.default_port,
        notices=DEFINITION.notices,
        budget_share=DEFINITION.budget_share,
    )
