"""How partners hear that a shipment was taken back or corrected (SP-5): a signed webhook, beside the events.

Promises: each is posted at least once, in the order in which they came, from a table, with waits that double up to ten
minutes while nobody takes it; what is posted again has the same `id`. It is the way that alerts go
(`alerting.Teller`, `alert_ways.ByWebhook`); a partner that takes nothing is an alert.
"""

from collections.abc import Sequence
from typing import Any

from console.alert_ways import ByWebhook, Change
from console.alerting import News, Teller
from console.settings import ConsoleSettings
from waybill_common.alerts import Alerts
from waybill_common.db import Pool, Queries
from waybill_common.logs import Log

WAY = "partner"


def partner_way(settings: ConsoleSettings) -> ByWebhook | None:
    """None where no partner is to be told."""
    if settings.partner_webhook is None:
        return None
    secret = settings.partner_webhook_secret
    return ByWebhook(settings.partner_webhook, secret.get_secret_value() if secret else None, WAY, shipments_document)


def partner_teller(pool: Pool, q: Queries, way: ByWebhook, log: Log, alerts: Alerts) -> Teller:
    """The worker's turn."""
    return Teller(pool, q, [way], log, News(q.untold_partner_news, q.note_partner_told), alerts)


def shipments_document(news: Sequence[Change]) -> dict[str, Any]:
    """`{"shipments": [{id, event, at, order, shipment, corrected, reason, fulfillment, sync}]}`, oldest first."""
    return {"shipments": [_told(one) for one in news]}


def _told(one: Change) -> dict[str, Any]:
    body = one["body"]
    order = {name: one[name] for name in ("number", "channel", "store", "channel_order_id")}
    return {
        "id": one["event_id"],
        "event": one["event"],
        "at": one["at"],
        "order": {"id": one["order_id"], **order},
        "shipment": body["shipment"],
        "corrected": body.get("corrected", []),
        "reason": body.get("reason"),
        "fulfillment": body["fulfillment"],
        "sync": body["sync"],
    }
