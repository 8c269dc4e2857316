"""What a service is told by its environment: read once, at start, into a frozen object that is handed on.

`load_settings` is the only place that looks at the environment; building a settings object by hand (tests) looks at
nothing. What is missing or wrong is said in one line that names every variable and what to set.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from waybill_common.addresses import policy_of

PREFIX = "WAYBILL_"


class MissingSettings(Exception):
    """The service cannot start: its text is one line that names each missing or wrong variable and what to set."""


class ServiceSettings(BaseSettings):
    """The settings that every service has. A service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(description="a PostgreSQL URL, e.g. postgresql://waybill:secret@localhost:5432/waybill")
    kafka: str = Field(description="Kafka's bootstrap servers, e.g. localhost:9092")
    secret_key: SecretStr = Field(description="a long random text (several, newest first, separated by commas)")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    http_host: str = Field(default="127.0.0.1", description="the address that the internal HTTP listens on")
    http_port: int | None = Field(default=None, ge=0, le=65535, description="a port number, 0 for any free one")
    instance: str | None = Field(default=None, description="a name for this replica, e.g. the pod's name")
    pool_size: int = Field(default=8, ge=3, description="database connections a process may hold, at least 3")
    batch_size: int = Field(default=200, ge=1, le=5000, description="records taken in one transaction, 1 to 5000")
    start_timeout: float = Field(default=30.0, gt=0, description="seconds to wait for the dependencies at start")
    drain_timeout: float = Field(default=7.0, gt=0, description="seconds to finish what is in hand on SIGTERM")
    session_timeout_ms: int = Field(default=10_000, ge=1000, description="Kafka's session timeout, milliseconds")
    facts_kept_days: float = Field(default=30.0, gt=0, description="days for which sent events can be emitted again")
    reemit_hours: float = Field(default=24.0, ge=0, description="hours sent again when the broker turns out to be new")
    max_message_bytes: int = Field(default=1_000_000, ge=1000, description="the biggest event the broker takes, bytes")
    dead_letter_share: float = Field(default=0.2, gt=0, le=1, description="share of dead letters that stops consuming")
    dead_letter_floor: int = Field(default=100, ge=1, description="dead letters below which nothing is ever stopped")

    private_addresses: str | None = Field(
        default=None, description="all, none, or networks that configured URLs may lead to, e.g. 10.1.0.0/16"
    )

    @field_validator("private_addresses")
    @classmethod
    def _known_networks(cls, value: str | None) -> str | None:
        policy_of(value, "")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        level = value.upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError(f"{value!r} is no log level")
        return level

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone: the environment is read by `load_settings`, so that nothing is read by accident."""
        return (init_settings,)

    @property
    def service_tokens(self) -> tuple[str, ...]:
        """Tokens that the internal HTTP accepts: one for each secret key in rotation, the newest first."""
        keys = [key.strip() for key in self.secret_key.get_secret_value().split(",") if key.strip()]
        return tuple(hmac.new(key.encode(), b"internal http", hashlib.sha256).hexdigest() for key in keys)

    @property
    def service_token(self) -> str:
        """The token to send to another service's internal HTTP, as `Authorization: Bearer TOKEN`."""
        return self.service_tokens[0]


Settings = TypeVar("Settings", bound=ServiceSettings)


def load_settings(cls: type[Settings], environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the environment (or the given mapping) into `cls`; raises MissingSettings. Empty text counts as not set."""
    source = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    for name in cls.model_fields:
        text = source.get(variable_of(name), "").strip()
        if text:
            given[name] = text
    complaints = []
    if not given.get("database_url", "postgresql://").startswith(("postgresql://", "postgres://")):
        # the value itself is not told: it may hold a password
        complaints.append(_wrong(cls, "database_url", "it does not begin with postgresql://"))
    try:
        settings = cls(**given)
    except ValidationError as error:
        raise MissingSettings("; ".join([*complaints, *_complaints(cls, error)])) from None
    if complaints:
        raise MissingSettings("; ".join(complaints))
    return settings


def variable_of(field: str) -> str:
    """The environment variable of a field: `database_url` is `WAYBILL_DATABASE_URL`."""
    return PREFIX + field.upper()


def _complaints(cls: type[ServiceSettings], error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "missing":
            lines.append(f"{variable_of(field)} is not set{_wanted(cls, field)}")
        else:
            lines.append(_wrong(cls, field, problem["msg"].removeprefix("Value error, ")))
    return lines


def _wrong(cls: type[ServiceSettings], field: str, why: str) -> str:
    return f"{variable_of(field)} is wrong ({why}){_wanted(cls, field)}"


def _wanted(cls: type[ServiceSettings], field: str) -> str:
    known = cls.model_fields.get(field)
    return f": set it to {known.description}" if known is not None and known.description else ""
