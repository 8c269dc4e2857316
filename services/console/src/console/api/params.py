"""Kinds of parameters that several routes take."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AwareDatetime, BeforeValidator


def _no_number(value: Any) -> Any:
    """A bare number would be taken for seconds since 1970, which nobody means."""
    if isinstance(value, str) and value.strip("-+.eE0123456789_ ") == "":
        raise ValueError("write a moment as 2026-11-22T10:00:00Z")
    return value


Moment = Annotated[datetime, AwareDatetime, BeforeValidator(_no_number)]
"""RFC 3339 with a zone."""
Limit = Annotated[int, Query(ge=1, le=500)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A number that a table gave out."""
