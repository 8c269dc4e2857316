"""Exchanges the app's client id and secret for the next access token, which lives for a day.

Apps made in the Dev Dashboard have no lasting token: `grant_type: client_credentials` gives one of 24 hours at any
time, and the one before stays good until it runs out.
"""

from datetime import UTC, datetime, timedelta

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.calls import Answer, Call
from waybill_platforms.failures import Failure
from waybill_platforms.http import Budget, Http
from waybill_platforms.model.renewal import Renewed
from waybill_platforms.recording import REDACTED, redacted
from waybill_platforms.shopify.graphql import describe
from waybill_platforms.shopify.settings import ShopifySettings

RATE = Rate(capacity=10, per_second=1)
REFUSED = Failure(Family.UNAUTHORIZED, "unauthorized", "none", "client id or secret wrong, or the app is not installed")


def _judge(status: int, code: str | None, text: str) -> Failure | None:
    return REFUSED if status in {400, 401} else None


class Granted(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    access_token: SecretStr = Field(min_length=1)
    expires_in: int | None = Field(default=None, gt=0)


def _read(answer: Answer) -> Granted:
    """The answer is a secret that nobody knew before: what is recorded of it has it cut out, else nothing is."""
    exchange, body = answer.exchange, answer.content
    if exchange is not None:
        exchange.response_body = REDACTED
    try:
        granted = Granted.model_validate(answer.json())
    except ValidationError:
        raise answer.wrong_form("no access_token in the answer") from None
    if exchange is not None:
        exchange.response_body = redacted(body, (granted.access_token.get_secret_value().encode(),))
    return granted


class ShopifyRenewer:
    """The `TokenRenewer` of one shop whose settings have a client id and secret."""

    def __init__(self, connection: str, settings: ShopifySettings, budget: Budget) -> None:
        assert settings.client_id is not None
        assert settings.client_secret is not None
        self._id, self._secret = settings.client_id, settings.client_secret.get_secret_value()
        self._http = Http(connection, {}, (self._secret,), budget, RATE, describe, judge=_judge)
        self._url = httpx.URL(f"{settings.url.rstrip('/')}/admin/oauth/access_token")
        self.aclose = self._http.aclose

    async def renew(self) -> Renewed:
        """`credentials` is the new access token alone; the others stay."""
        asked = {"client_id": self._id, "client_secret": self._secret, "grant_type": "client_credentials"}
        now = datetime.now(UTC)
        answer = await self._http.send(Call("renew_token", "POST", self._url, orjson.dumps(asked), effect=True))
        granted = _read(answer)
        expires = now + timedelta(seconds=granted.expires_in) if granted.expires_in else None
        return Renewed({"access_token": granted.access_token.get_secret_value()}, expires)
