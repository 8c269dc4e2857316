"""`alerts.raised`: what somebody should look at, connection states, and receipts for configuration."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event


class Alert(Event):
    """Alerts with the same key are one alert."""

    TOPIC: ClassVar[str] = topics.ALERTS_RAISED

    alert: str = Field(description="the alert's key: <service>/<kind>/<subject>")

    @property
    def aggregate(self) -> str:
        return f"alert/{self.alert}/{self.at.timestamp():.6f}"

    @property
    def key(self) -> str:
        return self.alert


class AlertRaised(Alert):
    """Something needs a look; `action` is the next step."""

    TYPE: ClassVar[str] = "waybill.alert.raised.v1"
    title: str
    detail: str = ""
    action: str = ""


class AlertCleared(Alert):
    """It is over."""

    TYPE: ClassVar[str] = "waybill.alert.cleared.v1"


class ConnectionState(StrEnum):
    OK = "ok"
    UNAUTHORIZED = "unauthorized"
    DOWN = "down"


class ConnectionStateChanged(Event):
    """A channel or source stopped or resumed answering one service."""

    TYPE: ClassVar[str] = "waybill.connection.state_changed.v1"
    TOPIC: ClassVar[str] = topics.ALERTS_RAISED

    connection: str
    service: str
    state: ConnectionState
    detail: str = ""
    credential_version: int = 0

    @property
    def aggregate(self) -> str:
        return f"connection/{self.connection}/{self.at.timestamp():.6f}"

    @property
    def key(self) -> str:
        return self.connection


_WAYS_OUT = {
    ConnectionState.UNAUTHORIZED: (
        "no longer lets us in",
        "Apply a configuration with credentials that hold (also the same ones again): what waits goes on by itself.",
    ),
    ConnectionState.DOWN: ("does not answer", "Nothing: it is tried again by itself, at growing distances."),
}


def connection_alert(service: str, connection: str) -> str:
    """The key of the alert that is open while a connection does not answer a service."""
    return f"{service}/connection/{connection}"


def connection_told(change: ConnectionStateChanged) -> tuple[Event, ...]:
    """The change of state and its alert with the way out (IN-12, OP-11), to be told together."""
    alert = connection_alert(change.service, change.connection)
    if change.state is ConnectionState.OK:
        return change, AlertCleared(at=change.at, alert=alert)
    what, action = _WAYS_OUT[change.state]
    title = f"{change.connection} {what} ({change.service})"
    return change, AlertRaised(at=change.at, alert=alert, title=title, detail=change.detail, action=action)


class ConfigApplied(Event):
    """A service works by this version of one entity's configuration; `apply` waits for these."""

    TYPE: ClassVar[str] = "waybill.config.applied.v1"
    TOPIC: ClassVar[str] = topics.ALERTS_RAISED

    service: str
    entity: str = Field(description="channel/<id>, source/<id>, routing")
    version: int

    @property
    def aggregate(self) -> str:
        return f"config/{self.service}/{self.entity}/{self.version}"

    @property
    def key(self) -> str:
        return self.entity
