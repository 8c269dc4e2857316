"""`exchanges.recorded`: each exchange with a platform, secrets removed, bodies cut at 64 KiB (OP-3)."""

from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event


class ExchangeRecorded(Event):
    """One request to a platform and what came back."""

    TYPE: ClassVar[str] = "waybill.exchange.recorded.v1"
    TOPIC: ClassVar[str] = topics.EXCHANGES_RECORDED

    exchange_id: str
    connection: str = Field(description="id of the channel or source")
    service: str
    log_type: str = Field(
        description="get_orders, get_order, get_fulfillment_orders, submit_fulfillment, find_fulfillment, "
        "cancel_fulfillment, submit_request, find_request, cancel_request, get_shipments, register_webhooks, "
        "renew_token, webhook (what was posted to us, and refused)"
    )
    attempt: int = Field(default=1, ge=1)
    outcome: str = Field(description="ok, later, refused, unauthorized, unreadable, unknown")
    method: str
    url: str
    request_headers: dict[str, str] = Field(default_factory=dict)
    request_body: str = ""
    status: int | None = Field(default=None, description="HTTP status; none when no answer came")
    response_headers: dict[str, str] = Field(default_factory=dict)
    response_body: str = ""
    error: str = ""
    duration_ms: float = Field(ge=0)
    cut: bool = Field(default=False, description="a body was longer than 64 KiB")
    order_ids: tuple[str, ...] = ()
    fr_ids: tuple[str, ...] = ()
    shipment_ids: tuple[str, ...] = ()

    @property
    def aggregate(self) -> str:
        return f"exchange/{self.exchange_id}"

    @property
    def key(self) -> str:
        return self.connection
