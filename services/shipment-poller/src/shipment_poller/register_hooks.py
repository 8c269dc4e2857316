"""Makes a source's platform post to us, and ends it again (SP-1); how, is in `waybill_platforms.webhooks`.

What it posts comes in at `take_posted.py`: a hint that something may have been shipped.
"""

from shipment_poller import facts
from shipment_poller.review_orders import Tools
from shipment_poller.source_turns import Sources
from shipment_poller.take_posted import open_source
from waybill_common.db import Pool, queries
from waybill_platforms.ports import WebhookReader
from waybill_platforms.webhooks import HooksRefused, Webhooks


def webhooks_of_sources(pool: Pool, tools: Tools, sources: Sources) -> Webhooks:
    """The verb and its worker."""

    async def opened(source_id: str) -> WebhookReader:
        connection = await open_source(pool, tools, sources, source_id)
        if connection.webhooks is not None:
            return connection.webhooks
        if connection.receiver is not None:
            text = f"the system of source {source_id} is told by its people where to post"
            raise HooksRefused(text, f"give them /hooks/{source_id} of this console, and the source's hook_secret")
        text = f"the platform of source {source_id} posts nothing: what it ships is asked for, every `poll_every`"
        raise HooksRefused(text, "make its `poll_every` shorter if that is too late")

    return Webhooks("source", "poll", pool, queries("waybill_platforms"), tools.alerts, opened, facts.exchanges)
