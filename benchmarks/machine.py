"""Names the machine and the versions that figures belong to."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import busy


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "postgresql": _postgresql(),
        **{name: _version(name) for name in ("aiokafka", "asyncpg", "aiohttp", "highspy")},
        "load": round(busy(), 2),
    }


def line(found: dict[str, Any]) -> str:
    return (
        f"{found['cores']} cores ({found['processor']}), {found['memory_gib']} GiB, Python {found['python']}, "
        f"PostgreSQL {found['postgresql']}, aiokafka {found['aiokafka']}; load {found['load']}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgresql() -> str:
    from waybill_common.embedded import postgres

    said = subprocess.run(
        [str(postgres._binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.split()[2]
