"""IN-14 by hand, through the command line and the REST API: both halves of the audit over a whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_in14_an_audit_finds_all_orders_here_and_all_fulfillments_there(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=20)
    hub.start()
    stats = hub.settle()

    asked = subprocess.run(
        [str(Path(sys.executable).with_name("waybill")), "channels", "audit", "acme-shop", "--wait", "120", "--json"],
        env={**os.environ, "WAYBILL_URL": hub.world.console_url, "WAYBILL_API_KEY": hub.world.admin_key},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip

    assert asked.returncode == 0, asked.stdout + asked.stderr
    found = json.loads(asked.stdout)
    orders, fulfillments = found["result"], found["outward"]["result"]
    assert (orders["shown"], orders["unexplained"]) == (20, 0)
    assert orders["shown"] == sum(orders[name] for name in ("imported", "held", "excluded", "canceled"))
    assert fulfillments["orders"] == stats["orders"]["by_stage"]["settled"]
    assert fulfillments["owed"] == fulfillments["shown"] > 0
    listed = hub.get("/channels/acme-shop/audit")
    assert {one["audit_id"] for one in listed["items"]} >= {found["audit_id"]}
    assert {one["audit_id"] for one in listed["outward"]} >= {found["outward"]["audit_id"]}
