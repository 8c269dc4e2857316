"""A store's webhooks: signed, late, joined, never repeated, and switched off after too many failures.

The payload is the order as it is when the delivery goes out, so several changes within `delivery_delay` are one. Real
stores refuse addresses on other ports than 80, 443 and 8080; here every port is delivered to, as tests listen on some.
"""

import asyncio
import base64
import hmac
import uuid
from collections.abc import Coroutine
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.shops import Post
from sandbox.woocommerce import telling
from sandbox.woocommerce.model import Hook, Order

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Store

MOST_FAILURES = 5


class Deliveries:
    """Posts what one store has to tell; is silent where no event loop runs (while it is seeded)."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._waiting: set[tuple[int, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        store.changed = self.changed

    def changed(self, topic: str, order: Order) -> None:
        """A create is followed by an update, as at real stores."""
        topics = {topic, "order.updated"} if topic == "order.created" else {topic}
        for hook in self._store.hooks.values():
            if hook.topic in topics and hook.status == "active" and (hook.id, order.id) not in self._waiting:
                self._waiting.add((hook.id, order.id))
                self._spawn(self._later(hook, order))

    def ping(self, hook: Hook) -> None:
        """A form without a signature; its answer counts for nothing."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._agent()}
        self._store.post(Post(hook.delivery_url, headers, f"webhook_id={hook.id}".encode(), "ping", attempts=1))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, hook: Hook, order: Order) -> None:
        await asyncio.sleep(self._store.settings.delivery_delay)
        self._waiting.discard((hook.id, order.id))
        body = orjson.dumps(payload(hook.topic, order, self._store))
        headers = signed(hook, body) | self._agent()
        answered = partial(self._counted, hook)
        self._store.post(Post(hook.delivery_url, headers, body, hook.topic, attempts=1, answered=answered))

    def _counted(self, hook: Hook, good: bool) -> None:
        hook.failures = 0 if good else hook.failures + 1
        if hook.failures > MOST_FAILURES:
            hook.status = "disabled"
        if hook.id in self._store.hooks:
            self._store.keep_hook(hook)

    def _agent(self) -> dict[str, str]:
        return {"User-Agent": f"WooCommerce/{self._store.settings.version} Hookshot (WordPress/7.1)"}


def payload(topic: str, order: Order, store: "Store") -> dict[str, Any]:
    """A deleted order is its id alone."""
    return {"id": order.id} if topic == "order.deleted" else telling.order(order, store.settings)


def signed(hook: Hook, body: bytes) -> dict[str, str]:
    resource, _, event = hook.topic.partition(".")
    signature = hmac.new(hook.secret.encode(), body, sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Source": "https://store.example/",
        "X-WC-Webhook-Topic": hook.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-WC-Webhook-ID": str(hook.id),
        "X-WC-Webhook-Delivery-ID": uuid.uuid4().hex,
    }
