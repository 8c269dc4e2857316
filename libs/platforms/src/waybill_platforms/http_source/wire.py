"""The JSON of docs/http-source.openapi.yaml, as it stands there."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WireRequestLine(_Wire):
    line_ref: str
    sku: str
    quantity: StrictInt
    canceled: StrictInt = 0


class WireRequest(_Wire):
    id: str = Field(min_length=1)
    reference: str
    state: str
    lines: tuple[WireRequestLine, ...] | None = None


class WireFound(_Wire):
    requests: tuple[WireRequest, ...]


class WireCancelAnswer(_Wire):
    result: str
    message: str = ""


class WireShipmentLine(_Wire):
    line_ref: str | None = None
    sku: str
    quantity: StrictInt = Field(ge=1)


class WireShipment(_Wire):
    id: str = Field(min_length=1)
    request_id: str | None = None
    reference: str
    status: str
    lines: tuple[WireShipmentLine, ...]
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    shipped_at: AwareDatetime
    updated_at: AwareDatetime


class WireShipmentPage(_Wire):
    shipments: tuple[dict[str, Any], ...]
    """Read one by one, so that one bad shipment does not hide the others."""
    next: str | None = None


class WireFieldError(_Wire):
    field: str = ""
    message: str = ""


class WireProblem(_Wire):
    title: str = ""
    code: str | None = None
    detail: str | None = None
    errors: tuple[WireFieldError, ...] = ()
