"""How people hear of alerts: the log, a webhook, an e-mail. Each tells several changes at once (OP-11).

Partners hear of corrected shipments by the same webhook, with a document of their own (SP-5).
"""

import asyncio
import hashlib
import hmac
import smtplib
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx
import orjson

from waybill_common.logs import Log, declare_events
from waybill_platforms.http import guarded_transport

declare_events(
    {
        "alert.raised": "something needs a look; title, detail and the next step are with it",
        "alert.cleared": "what needed a look is over",
    }
)
TIMEOUT = 10.0
Change = dict[str, Any]


class Way(Protocol):
    """`tell` raises when nobody was told; it may be called again with the same changes."""

    name: str

    async def tell(self, changes: Sequence[Change]) -> None: ...


class ByLog:
    """One line each."""

    name = "log"

    def __init__(self, log: Log) -> None:
        self._log = log

    async def tell(self, changes: Sequence[Change]) -> None:
        for one in changes:
            about = {name: one[name] for name in ("alert", "title", "detail", "action")}
            if one["raised"]:
                self._log.warning("alert.raised", **about)
            else:
                self._log.info("alert.cleared", **about)


def alerts_document(changes: Sequence[Change]) -> dict[str, Any]:
    """`{"alerts": [{id, alert, state, title, detail, action, at}]}`"""
    return {"alerts": [_told(one) for one in changes]}


class ByWebhook:
    """POSTs a document of the changes; any 2xx means taken.

    `Waybill-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">` where a secret is set. A change that is told
    again has the same `id`.
    """

    def __init__(
        self,
        url: str,
        secret: str | None,
        name: str = "webhook",
        document: Callable[[Sequence[Change]], dict[str, Any]] = alerts_document,
    ) -> None:
        self.name = name
        self._url, self._secret, self._document = url, secret, document
        self._http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, transport=guarded_transport())

    async def tell(self, changes: Sequence[Change]) -> None:
        body = orjson.dumps(self._document(changes))
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers["Waybill-Signature"] = signature(self._secret, body, int(time.time()))
        answer = await self._http.post(self._url, content=body, headers=headers)
        if not answer.is_success:
            raise ValueError(f"the webhook answered {answer.status_code}")

    async def aclose(self) -> None:
        await self._http.aclose()


def signature(secret: str, body: bytes, now: int) -> str:
    """As sources sign what they post to us: one way of signing for both directions."""
    made = hmac.new(secret.encode(), str(now).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={made}"


class ByEmail:
    """One message for all changes, through `smtp://user:password@host:port` (`smtps://` for TLS from the start)."""

    name = "email"

    def __init__(self, smtp: str, sender: str, to: str) -> None:
        self._smtp, self._sender, self._to = urlsplit(smtp), sender, to

    async def tell(self, changes: Sequence[Change]) -> None:
        await asyncio.to_thread(self._send, letter(changes, self._sender, self._to))

    def _send(self, message: EmailMessage) -> None:
        kind = smtplib.SMTP_SSL if self._smtp.scheme == "smtps" else smtplib.SMTP
        with kind(self._smtp.hostname or "localhost", self._smtp.port or 0, timeout=TIMEOUT) as server:
            if self._smtp.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls()
            if self._smtp.username:
                server.login(unquote(self._smtp.username), unquote(self._smtp.password or ""))
            server.send_message(message)


def letter(changes: Sequence[Change], sender: str, to: str) -> EmailMessage:
    """Pure: what needs a look first, then what is over."""
    raised = [one for one in changes if one["raised"]]
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    first = (raised or list(changes))[0]["title"]
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    message["Subject"] = f"[Waybill] {'' if raised else 'over: '}{first}{more}".replace("\n", " ")[:200]
    parts = [
        f"{one['title']}\n  {one['detail']}\n  Next: {one['action'] or 'look at it'}\n  {one['at']}" for one in raised
    ]
    parts += [f"Over: {one['title']}\n  {one['at']}" for one in changes if not one["raised"]]
    message.set_content("\n\n".join(parts) + "\n")
    return message


def _told(change: Change) -> dict[str, Any]:
    state = "raised" if change["raised"] else "cleared"
    return {name: change[name] for name in ("id", "alert", "title", "detail", "action", "at")} | {"state": state}
