"""Makes a channel's platform post to us, and ends it again (IN-3); how, is in `waybill_platforms.webhooks`."""

from order_ingest.calls import Calls
from order_ingest.facts import message
from order_ingest.import_file import NoSuchChannel
from order_ingest.take_hook import OpenHooks
from waybill_common.db import queries
from waybill_contracts.topics import ORDER_INGEST
from waybill_platforms.ports import WebhookReader
from waybill_platforms.webhooks import HooksRefused, Webhooks


def webhooks_of_channels(calls: Calls, open_hooks: OpenHooks) -> Webhooks:
    """The verb and its worker."""

    async def opened(channel: str) -> WebhookReader:
        configured = await calls.rulebook.channel(calls.pool, channel)
        if configured is None:
            raise NoSuchChannel(channel)
        hooks = await open_hooks(configured)
        if hooks is None:
            every = configured.channel.poll_every.total_seconds()
            text = (
                f"platform {configured.channel.platform.value} posts nothing: changes of channel {channel} come with "
                f"its pull, every {every:g} s"
            )
            raise HooksRefused(text, "make its `poll_every` shorter if that is too late")
        return hooks

    return Webhooks(
        "channel", "pull", calls.pool, queries("waybill_platforms"), calls.alerts, opened,
        lambda made: [message(one.event(ORDER_INGEST)) for one in made],
    )  # fmt: skip
