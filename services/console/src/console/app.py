"""The console, put together: the read model's consumer, the configuration, REST and the page."""

import sys

from console import ask_audit, enter_shipment
from console.alert_ways import ByEmail, ByLog, ByWebhook, Way
from console.alerting import Deadlines, Teller
from console.api.mount import mounted
from console.api.security import Keys
from console.commander import Commander, Sender
from console.configure.apply import Applier
from console.configure.publishing import Republisher
from console.consumer import subscription
from console.erase_person import ErasePerson
from console.fresh import Fresh
from console.messages import Notices
from console.owners import Owners
from console.partners import partner_teller, partner_way
from console.renew_tokens import Asking, TokenRenewals
from console.settings import ConsoleSettings
from console.tallies import Tallies
from console.tidy import Tidy
from waybill_common.db import queries
from waybill_common.erasing import Eraser
from waybill_common.logs import Log
from waybill_common.service import Parts, Runtime
from waybill_common.service import main as run
from waybill_common.workers import Worker
from waybill_contracts import topics
from waybill_contracts.personal import without_person


async def build(runtime: Runtime[ConsoleSettings]) -> Parts:
    q = queries("console")
    keys = Keys(runtime.pool, q)
    if runtime.settings.admin_key is not None:
        await keys.create("WAYBILL_ADMIN_KEY", "admin", "environment", runtime.settings.admin_key.get_secret_value())
    applier = Applier(q, runtime.vault, runtime.clock)
    republisher = Republisher(runtime.pool, q, runtime.clock)
    ways, partner = ways_of(runtime.settings, runtime.log), partner_way(runtime.settings)
    partners = []
    if partner is not None:
        telling = partner_teller(runtime.pool, q, partner, runtime.log, runtime.alerts)
        partners.append(Worker("tell-partner", telling.turn, idle_max=2.0))
    owners = Owners(runtime.settings.owners, runtime.settings.service_token)
    senders: dict[str, Sender] = {
        ask_audit.ACTION: ask_audit.AskAudit(owners),
        enter_shipment.ACTION: enter_shipment.EnterShipment(owners),
    }
    fresh = Fresh(runtime.pool, q, runtime.freshness, runtime.instance)
    commander = Commander(runtime.pool, q, owners, senders, runtime.log)
    asking = Asking(runtime.budget, runtime.vault)
    kept = runtime.settings.personal_kept_days
    erase = ErasePerson(runtime.pool, q, owners, runtime.vault, Eraser(runtime.pool, without_person), kept)
    renewals = TokenRenewals(runtime.pool, q, asking, runtime.alerts, runtime.clock, runtime.log)
    return Parts(
        redact=without_person,
        subscription=subscription(q, tells_partners=partner is not None),
        workers=[
            Worker("republish", republisher.turn, idle_max=5.0),
            Worker("tell-alerts", Teller(runtime.pool, q, ways, runtime.log).turn, idle_max=2.0),
            Worker("deadlines", Deadlines(runtime.pool, q, runtime.alerts).turn, idle_max=30.0),
            Worker("renew-tokens", renewals.turn, idle_max=2.0),
            Worker("tell-read-until", fresh.turn, idle_max=5.0),
            Worker("fold-tallies", Tallies(runtime.pool, q).turn, idle_max=2.0),
            Worker("send-commands", commander.turn, idle_max=0.5),
            *partners,
            Worker("erase", erase.turn, idle_max=2.0),
            Worker("past-keeping", erase.past_keeping, idle_max=600.0),
            Worker(
                "tidy", Tidy(runtime.pool, q, runtime.clock, runtime.settings.records_kept_days).turn, idle_max=60.0
            ),
        ],
        mount=mounted(runtime.pool, q, keys, applier, owners, commander, erase, fresh),
        finishers=[fresh.leave],
        closers=[owners.aclose, *(way.aclose for way in [*ways, partner] if isinstance(way, ByWebhook))],
    )


def ways_of(settings: ConsoleSettings, log: Log) -> list[Way]:
    """The log always; a webhook and mail where they are set up."""
    ways: list[Way] = [ByLog(log)]
    if settings.alert_webhook:
        secret = settings.alert_webhook_secret
        ways.append(ByWebhook(settings.alert_webhook, secret.get_secret_value() if secret else None))
    if settings.alert_email and settings.smtp_url is not None:
        ways.append(ByEmail(settings.smtp_url.get_secret_value(), settings.alert_from, settings.alert_email))
    return ways


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
