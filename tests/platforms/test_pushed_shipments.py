"""What a supplier posts by itself is taken only with its signature or its token (SP-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from pydantic import SecretStr

from waybill_platforms.errors import SignatureRefused
from waybill_platforms.http_source.pushed import PushedShipments, signature

SECRET = "a hook secret of this test"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SHIPMENT = {
    "id": "shp_7", "request_id": "req_81", "reference": "E-1001", "status": "shipped",
    "lines": [{"line_ref": "l1", "sku": "E-100", "quantity": 2}], "carrier": "UPS Ground",
    "tracking_numbers": ["1Z999"], "tracking_url": None, "shipped_at": "2026-11-22T08:58:00Z",
    "updated_at": "2026-11-22T08:58:03Z",
}  # fmt: skip
BODY = orjson.dumps({"shipments": [SHIPMENT]})


def signed(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(at.timestamp()))
    return {"Waybill-Signature": f"t={moment}, v1={signature(secret.encode(), moment, body)}"}


def pushed(secret: str | None = SECRET) -> PushedShipments:
    return PushedShipments(SecretStr(secret) if secret else None)


@pytest.mark.parametrize("headers", [signed(BODY), {"AUTHORIZATION": f"bearer {SECRET}"}])
def test_a_signature_or_the_token_is_taken(headers: dict[str, str]) -> None:
    [shipment] = pushed().received(headers, BODY, NOW).shipments
    assert (shipment.id, shipment.reference, shipment.lines[0].quantity) == ("shp_7", "E-1001", 2)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "send Waybill-Signature"),
        ({"authorization": "Bearer other"}, "send Waybill-Signature"),
        ({"authorization": ""}, "send Waybill-Signature"),
        (signed(BODY + b" "), "v1 does not fit"),
        (signed(BODY, secret="other"), "v1 does not fit"),
        (signed(BODY, at=NOW - timedelta(minutes=6)), "more than 5 minutes off"),
        (signed(BODY, at=NOW + timedelta(minutes=6)), "more than 5 minutes off"),
        ({"waybill-signature": "v1=00"}, "t is no time"),
        ({"waybill-signature": "t=99999999999999999999,v1=00"}, "t is no time"),
        ({"waybill-signature": f"t={int(NOW.timestamp())}"}, "v1 does not fit"),
        ({"waybill-signature": "nonsense", "authorization": f"Bearer {SECRET}"}, "t is no time"),
    ],
)
def test_anything_else_is_refused_and_names_no_secret(headers: dict[str, str], says: str) -> None:
    with pytest.raises(SignatureRefused, match=says) as refused:
        pushed().received(headers, BODY, NOW)
    assert SECRET not in str(refused.value)


def test_without_a_secret_nothing_is_taken() -> None:
    with pytest.raises(SignatureRefused, match="no hook_secret"):
        pushed(None).received({"authorization": "Bearer "}, BODY, NOW)


def test_one_bad_shipment_is_named_and_its_neighbour_taken() -> None:
    bad = {**SHIPMENT, "lines": [{"line_ref": "l1", "sku": "E", "quantity": 0}]}
    body = orjson.dumps({"shipments": [bad, SHIPMENT]})
    page = pushed().received(signed(body), body, NOW)
    assert len(page.shipments) == 1
    [problem] = page.problems
    assert problem.startswith("shipment shp_7: lines.0.quantity")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"shipments": 7}', b'{"shipments": [7]}', b"\xff"])
def test_a_body_of_another_form_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"shipments|body|JSON"):
        pushed().received(signed(body), body, NOW)
