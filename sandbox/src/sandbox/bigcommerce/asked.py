"""One call of a store's API, as what stands behind a route sees it."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from sandbox.bigcommerce.model import Order
from sandbox.bigcommerce.shop import Store
from sandbox.bigcommerce.words import V2_NOT_FOUND, Refused
from sandbox.serving import Answer
from sandbox.sight import Sight

NOTHING = Answer(204, b"")


class Ask:
    """One call as a handler sees it."""

    def __init__(self, store: Store, request: web.Request, body: bytes, sight: Sight) -> None:
        self.store = store
        self.sight = sight
        self.query = dict(request.query)
        self.parts: Mapping[str, str] = request.match_info
        self.root = f"{request.scheme}://{request.host}/bigcommerce/stores/{store.name}"
        self._body = body

    def given(self) -> Any:
        try:
            return orjson.loads(self._body)
        except orjson.JSONDecodeError:
            raise Refused(400, "Input is invalid.") from None

    def number(self, name: str) -> int:
        text = self.parts[name]
        if not text.isdigit():
            raise Refused(404, V2_NOT_FOUND)
        return int(text)

    def order(self) -> Order:
        """As it is now, to be changed."""
        order = self.store.orders.get(self.number("order"))
        if order is None:
            raise Refused(404, V2_NOT_FOUND)
        return order

    def seen(self) -> Order:
        """As it is shown."""
        return self.store.as_before(self.order()) if self.sight.stale else self.order()

    def now(self) -> int:
        return int(self.store.now())


Handler = Callable[[Ask], Answer]
