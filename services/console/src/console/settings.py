"""What the console is told by its environment, beside what every service is told."""

from typing import Any

from pydantic import Field, SecretStr, model_validator

from waybill_common.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """`WAYBILL_CONSOLE_PORT` is where people and programs come in."""

    console_port: int | None = Field(default=None, ge=0, le=65535, description="the port of API and page, e.g. 8080")
    admin_key: SecretStr | None = Field(default=None, min_length=16, description="becomes an admin API key")
    alert_webhook: str | None = Field(default=None, pattern=r"^https?://", description="where alerts are posted")
    alert_webhook_secret: SecretStr | None = Field(default=None, description="signs what is posted there")
    partner_webhook: str | None = Field(
        default=None, pattern=r"^https?://", description="where corrected and withdrawn shipments are posted"
    )
    partner_webhook_secret: SecretStr | None = Field(default=None, description="signs what is posted there")
    alert_email: str | None = Field(default=None, description="to whom alerts are mailed")
    alert_from: str = Field(default="waybill@localhost", description="from whom")
    smtp_url: SecretStr | None = Field(default=None, description="smtp://user:password@host:587, for alert_email")
    personal_kept_days: float | None = Field(
        default=None, gt=0, description="days after which people's data goes from settled and canceled orders"
    )
    records_kept_days: float = Field(default=90.0, gt=0, description="days for which transaction records are kept")
    order_ingest_url: str = Field(default="http://127.0.0.1:8081", description="order-ingest's internal HTTP")
    router_url: str = Field(default="http://127.0.0.1:8082", description="router's internal HTTP")
    fulfillment_push_url: str = Field(default="http://127.0.0.1:8083", description="fulfillment-push's internal HTTP")
    shipment_poller_url: str = Field(default="http://127.0.0.1:8084", description="shipment-poller's internal HTTP")

    @model_validator(mode="before")
    @classmethod
    def _one_port(cls, given: Any) -> Any:
        """The console has one listener: its own port wins over the general one."""
        if isinstance(given, dict) and given.get("console_port") is not None:
            return {**given, "http_port": given["console_port"]}
        return given

    @model_validator(mode="after")
    def _mail_needs_a_server(self) -> "ConsoleSettings":
        if self.alert_email and self.smtp_url is None:
            raise ValueError("WAYBILL_ALERT_EMAIL needs WAYBILL_SMTP_URL: smtp://user:password@host:587")
        return self

    @property
    def owners(self) -> dict[str, str]:
        """Service -> the root of its internal HTTP."""
        return {
            "order-ingest": self.order_ingest_url,
            "router": self.router_url,
            "fulfillment-push": self.fulfillment_push_url,
            "shipment-poller": self.shipment_poller_url,
        }
