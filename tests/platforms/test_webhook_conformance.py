"""What platforms post to us: true deliveries of the sandbox are understood, forged ones refused. (IN-3)"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from waybill_platforms.errors import SignatureRefused
from waybill_platforms.ports import ChannelConnection

PATIENCE = 20.0


@dataclass
class Inbox:
    """An address that takes webhooks and keeps them as they came."""

    url: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        self.paths.append(request.path)
        self.came.set()
        return web.Response()

    async def next(self, read: Any, kind: str) -> tuple[dict[str, str], bytes]:
        """The first post of this kind; pings and others are passed over."""
        seen = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                for headers, body in self.posts[seen:]:
                    seen += 1
                    if read(headers, body).kind == kind:
                        return headers, body
                self.came.clear()
                if len(self.posts) == seen:
                    await self.came.wait()


@pytest.fixture
async def inbox(serve: Any) -> Inbox:
    made = Inbox()
    made.url = await serve(made.take) + "/hooks/acme-shop"
    return made


@pytest.fixture
def hooks(channel: ChannelConnection) -> Any:
    return channel.webhooks or pytest.skip("declared: the platform posts nothing")


async def test_a_new_order_is_announced_and_read_by_its_id(
    stage: Any, channel: ChannelConnection, hooks: Any, inbox: Inbox
) -> None:
    await hooks.register(inbox.url)
    number = stage.place(("SKU-100", 2))
    headers, body = await inbox.next(hooks.read, "order")
    told = hooks.read(headers, body)
    assert told.order_id is not None
    order = await channel.reader.get_order(told.order_id)
    assert order is not None
    assert order.number == number


async def test_registering_twice_registers_once(hooks: Any, inbox: Inbox, stage: Any) -> None:
    first = await hooks.register(inbox.url)
    assert first.topics
    assert await hooks.register(inbox.url) == first
    stage.place(("SKU-100", 1))
    await inbox.next(hooks.read, "order")
    ids = [hooks.read(*post).id for post in inbox.posts if hooks.read(*post).kind == "order"]
    assert len(ids) == len(set(ids))


async def test_what_is_taken_off_posts_no_more_and_what_others_registered_goes_on(
    hooks: Any, inbox: Inbox, stage: Any
) -> None:
    theirs = inbox.url.replace("/hooks/acme-shop", "/somebody-elses")
    await hooks.register(inbox.url)
    await hooks.register(theirs)
    await hooks.unregister(inbox.url)
    stage.place(("SKU-100", 1))
    await inbox.next(hooks.read, "order")
    told = [path for path, post in zip(inbox.paths, inbox.posts, strict=False) if hooks.read(*post).kind == "order"]
    assert set(told) == {"/somebody-elses"}  # pings, which a registration causes, may have come to both
    await hooks.unregister(inbox.url)  # again: nothing is there, and that is what was wanted
    assert (await hooks.register(inbox.url)).topics


async def test_what_is_forged_is_refused(stage: Any, hooks: Any, inbox: Inbox) -> None:
    await hooks.register(inbox.url)
    stage.place(("SKU-100", 1))
    headers, body = await inbox.next(hooks.read, "order")
    with pytest.raises(SignatureRefused):
        hooks.read(headers, body.replace(b"1", b"2", 1))
    with pytest.raises(SignatureRefused):
        hooks.read({}, body)


async def test_header_names_come_in_any_case(stage: Any, hooks: Any, inbox: Inbox) -> None:
    await hooks.register(inbox.url)
    stage.place(("SKU-100", 1))
    headers, body = await inbox.next(hooks.read, "order")
    lower = {name.lower(): value for name, value in headers.items()}
    assert hooks.read(lower, body) == hooks.read({name.upper(): v for name, v in lower.items()}, body)
