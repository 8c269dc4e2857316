"""The console, put together: the read model's consumer, the configuration, REST and the page."""

import sys

from console.api.mount import mounted
from console.api.security import Keys
from console.configure.apply import Applier
from console.configure.publishing import Republisher
from console.consumer import subscription
from console.messages import Notices
from console.owners import Owners
from console.settings import ConsoleSettings
from console.tidy import Tidy
from waybill_common.db import queries
from waybill_common.service import Parts, Runtime
from waybill_common.service import main as run
from waybill_common.workers import Worker
from waybill_contracts import topics


async def build(runtime: Runtime[ConsoleSettings]) -> Parts:
    q = queries("console")
    keys = Keys(runtime.pool, q)
    if runtime.settings.admin_key is not None:
        await keys.create("WAYBILL_ADMIN_KEY", "admin", "environment", runtime.settings.admin_key.get_secret_value())
    applier = Applier(q, runtime.vault, runtime.clock)
    republisher = Republisher(runtime.pool, q, runtime.clock)
    owners = Owners(runtime.settings.owners, runtime.settings.service_token)
    return Parts(
        subscription=subscription(q),
        workers=[
            Worker("republish", republisher.turn, idle_max=5.0),
            Worker("tidy", Tidy(runtime.pool, q, runtime.clock).turn, idle_max=60.0),
        ],
        mount=mounted(runtime.pool, q, keys, applier, owners),
        closers=[owners.aclose],
    )


def main() -> None:
    sys.exit(
        run(
            topics.CONSOLE,
            "console",
            "console",
            build,
            ConsoleSettings,
            default_port=8080,
            notices=Notices(),
        )
    )
