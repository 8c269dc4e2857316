"""A new access token for an admin's name and password, before the old one is over. I/O only.

Magento gives such a token four hours unless the shop says otherwise; it does not say when it ends. With two-factor
authentication on (the default), a password alone gets none: an integration's token is the way then.
"""

from datetime import UTC, datetime, timedelta

from waybill_platforms.magento.rest import Rest
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.renewal import Renewed

LIFETIME = timedelta(hours=4)
EARLY = timedelta(minutes=20)
"""A token is renewed this long before it is over."""


class MagentoTokens:
    """The `TokenRenewer` of one connection. An older token stays valid for its own time."""

    def __init__(self, rest: Rest, settings: MagentoSettings) -> None:
        self._rest = rest
        self._settings = settings

    async def renew(self) -> Renewed:
        asked_at = datetime.now(UTC)
        body = {"username": self._settings.username, "password": self._settings.password.get_secret_value()}
        path = "/integration/admin/token"
        answer = await self._rest.post(path, "renew_token", body, effect=False, private=True)
        token = answer.json()
        if not isinstance(token, str) or not token:
            raise answer.wrong_form("the answer is no token")
        return Renewed({"access_token": token}, asked_at + LIFETIME - EARLY)
