"""router: who ships what, at the lowest landed cost. This file builds its parts."""

from router.acting_routes import add_acting_routes
from router.actuals_route import add_actuals
from router.consumer import TOPICS, UPSTREAM, Inbox, decode
from router.facts import SERVICE, Notices
from router.route_orders import METRICS, RouteOrders
from router.routes import make_routes
from router.rulebooks import Rulebooks
from router.settings import RouterSettings
from router.simulation_route import add_simulation
from router.stock_route import add_stock
from router.take_back import Desk
from router.tidy import Tidy
from router.wake_orders import WakeOrders
from waybill_common.consuming import Subscription
from waybill_common.db import queries
from waybill_common.http import internal
from waybill_common.service import Definition, Parts, Runtime
from waybill_common.service import main as run_service
from waybill_common.telemetry import declare_attributes
from waybill_common.workers import Worker
from waybill_contracts import tracing
from waybill_contracts.personal import without_person

SCHEMA = "router"
PACKAGE = "router"
PORT = 8082


async def build(runtime: Runtime[RouterSettings]) -> Parts:
    settings = runtime.settings
    runtime.metrics.declare(METRICS)
    declare_attributes(*tracing.ATTRIBUTES)
    q = queries(PACKAGE)
    books = Rulebooks(q)
    routing = RouteOrders(
        runtime.pool, q, books, runtime.alerts, runtime.telemetry, runtime.metrics, runtime.log,
        batch=settings.plan_batch,
    )  # fmt: skip
    waking = WakeOrders(runtime.pool, q, books)

    async def route() -> int:
        done = await routing.turn()
        if done:
            waker.wake()  # the next portion of those that wait for the same
        return done

    planner = Worker("route-orders", route, idle_max=settings.idle_max)

    async def wake() -> int:
        done = await waking.turn()
        if done:
            planner.wake()
        return done

    waker = Worker("wake-orders", wake, idle_max=settings.idle_max)
    tidy = Tidy(runtime.pool, q, runtime.clock, kept_days=settings.decisions_kept_days)
    routes = make_routes(runtime.pool, q, books, internal(settings.service_tokens))
    add_simulation(routes, runtime.pool, q, books)
    add_actuals(routes, runtime.pool, q, books)
    desk = Desk(q, books, runtime.alerts)
    add_acting_routes(routes, runtime.pool, desk, planner.wake)
    add_stock(routes, runtime.pool, desk, waker.wake)
    inbox = Inbox(q, books, runtime.alerts, runtime.telemetry)
    return Parts(
        redact=without_person,
        subscription=Subscription(SERVICE, TOPICS, decode, inbox.handle, UPSTREAM, (planner.wake, waker.wake)),
        workers=(planner, waker, Worker("tidy", tidy.turn, idle_max=60.0)),
        routes=routes,
    )


def definition() -> Definition[RouterSettings]:
    """What `waybill_common.service` runs."""
    return Definition(SERVICE, SCHEMA, PACKAGE, build, PORT, Notices())


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit code."""
    return run_service(SERVICE, SCHEMA, PACKAGE, build, RouterSettings, default_port=PORT, notices=Notices())
