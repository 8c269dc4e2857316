"""Times as the platform writes them: UTC, to the second."""

from datetime import UTC, datetime


def iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
