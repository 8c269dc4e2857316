"""The whole OpenAPI document against a running Waybill: no server error, no answer that is not declared (OP-7)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1300)]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
)
EXAMPLES = 10
"""Of each operation, beside those that cover its description; the same ones in each run."""


def test_every_operation_answers_as_the_document_says(make_hub: Callable[..., Any], tmp_path: Path) -> None:
    hub = make_hub(orders=20)
    hub.start()
    hub.settle()
    url = hub.world.console_url
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/api/openapi.json", "--origin", url,
        "--header", f"Authorization: Bearer {hub.world.admin_key}", "--checks", ",".join(CHECKS),
        "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1", "--continue-on-failure",
        "--no-color",
    ]  # fmt: skip

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1000, check=False)

    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "Selected: " in ran.stdout
    assert hub.get("/stats")["orders"]["total"] > 0, "it still answers"
