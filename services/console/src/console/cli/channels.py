"""`waybill channels pull` and `audit`: look for orders now, over a past window, or compare everything (IN-2, IN-14)."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from console.cli.client import call, err, fail, out, print_json, print_table
from console.cli.options import Json

Since = Annotated[str | None, typer.Option(help="2026-11-01 or 2026-11-01T12:00Z, UTC without a zone")]
Until = Annotated[str | None, typer.Option(help="as --since; else now")]
Wait = Annotated[float, typer.Option(help="seconds to wait for the result")]
_LOOK = 0.5


def pull(channel: str, since: Since = None, until: Until = None, wait: Wait = 600.0, as_json: Json = False) -> None:
    """Look for changed orders now; with --since, import the orders placed in a past window.

    Example: waybill channels pull acme-shop --since 2026-01-01 --until 2026-02-01
    """
    if since is None:
        print_json(call("POST", f"/channels/{channel}/pull"))
        return
    asked = call("POST", f"/channels/{channel}/import-window", json=_window(since, until))
    _result(channel, asked["audit_id"], wait, as_json)


def audit(
    channel: Annotated[str, typer.Argument(help="a channel's id")],
    since: Since = None,
    until: Until = None,
    wait: Wait = 600.0,
    as_json: Json = False,
) -> None:
    """Compare what the channel shows with what is here: orders, lines, quantities. What is missing is imported.

    Exit code 1 when something is left unexplained. Example: waybill channels audit acme-shop --since 2026-11-01
    """
    asked = call("POST", f"/channels/{channel}/audit", json=_window(since, until))
    _result(channel, asked["audit_id"], wait, as_json)


def _result(channel: str, audit_id: str, wait: float, as_json: bool) -> None:
    deadline = time.monotonic() + wait
    with err.status(f"walking over the orders of {channel}"):
        while (found := _one(channel, audit_id))["state"] == "waiting" and time.monotonic() < deadline:
            time.sleep(_LOOK)
    if as_json:
        print_json(found)
    elif found["state"] == "done":
        _show(found)
    else:
        fail(f"not done yet ({found['state']}): {found['last_error'] or 'it goes on by itself'}")
    if found["state"] != "done" or found["result"]["unexplained"]:
        raise typer.Exit(1)


def _one(channel: str, audit_id: str) -> dict[str, Any]:
    items = call("GET", f"/channels/{channel}/audit")["items"]
    return next((item for item in items if item["audit_id"] == audit_id), {"state": "waiting", "last_error": None})


def _show(found: dict[str, Any]) -> None:
    result = found["result"]
    said = [[name.replace("_", " "), value] for name, value in result.items() if isinstance(value, int)]
    title = f"{found['channel']}, {found['since'][:16]} to {found['until'][:16]}"
    print_table(title, ["orders", "number"], said, "")
    for text in [*result["problems"], *(f"deleted at the channel: {number}" for number in result["deleted"])]:
        out.print(text, markup=False, highlight=False, soft_wrap=True)


def _window(since: str | None, until: str | None) -> dict[str, str | None]:
    return {"since": _moment("--since", since), "until": _moment("--until", until)}


def _moment(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text!r} is no time; write 2026-11-01 or 2026-11-01T12:00Z")
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()
