"""OP-14: an order's whole story in one file, without secrets."""

import io
import json
import zipfile
from typing import Any

from console_samples import AT, LIFE, ORDER, made

EXCHANGE = made(
    "exchange.recorded", 1, 3, exchange_id="x-1", connection="east", service="fulfillment-push",
    log_type="submit_request", outcome="ok", method="POST", url="https://east.example/requests", status=200,
    request_headers={"Authorization": "[redacted]"}, request_body='{"reference": "E-1001"}', duration_ms=12.5,
    order_ids=[ORDER["order_id"]],
)  # fmt: skip


async def test_a_bundle_holds_everything_that_is_known_of_an_order(console: Any) -> None:
    await console.publish(*LIFE, ("fulfillment-push", EXCHANGE))
    await console.eventually("/records", lambda a: len(a["items"]) == 1)
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    answer = await console.http.get(f"/api/v1/orders/{ORDER['order_id']}/bundle")

    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="1001-bundle.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        read = {name: file.read(name) for name in file.namelist()}
    assert "#1001 of acme-shop" in read["README.txt"].decode()
    assert json.loads(read["order.json"])["stage"] == "settled"
    assert json.loads(read["timeline.json"])[0]["activity"] == "order_imported"
    assert json.loads(read["versions.json"])[0]["at"] == AT.format(0)
    assert "router does not answer" in json.loads(read["decisions.json"])["missing"]
    assert json.loads(read["exchanges/0001-submit_request.json"])["request_headers"] == {"Authorization": "[redacted]"}
    assert read["trace.txt"].decode().strip() == "ab" * 16


async def test_there_is_no_bundle_of_an_unknown_order(console: Any) -> None:
    answer = await console.http.get("/api/v1/orders/nobody/bundle")

    assert answer.status_code == 404
    assert "GET /orders?number=" in answer.json()["remedy"]
