"""Keyset paging: a cursor is the last row's sort key, so pages neither skip nor repeat while rows arrive."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from console.api.problems import ProblemError


class After(NamedTuple):
    """The row after which the page begins; both None for the first page."""

    at: datetime | None
    id: str | None


def read_cursor(cursor: str | None) -> After:
    """Raises a problem that says what to do when the cursor is not one of ours."""
    if not cursor:
        return After(None, None)
    try:
        at, identity = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        return After(datetime.fromisoformat(at), str(identity))
    except (ValueError, TypeError):
        way = "Use the `next` of the answer before, or leave it out to begin"
        raise ProblemError(422, "Wrong cursor", f"cursor={cursor[:60]!r} is not one", way) from None


def page(
    found: Sequence[Any], limit: int, show: Callable[[Any], Any], last: Callable[[Any], tuple[datetime, str]]
) -> dict[str, Any]:
    """`found` holds up to limit + 1 rows; the extra one tells that there is a next page."""
    shown = [show(row) for row in found[:limit]]
    following = None
    if len(found) > limit:
        at, identity = last(found[limit - 1])
        following = base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), identity])).decode()
    return {"items": shown, "next": following}
