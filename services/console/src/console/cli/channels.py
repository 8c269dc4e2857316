"""`waybill channels pull` and `audit`: look for orders now, over a past window, or compare everything (IN-2, IN-14)."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from console.cli.acting import act, show
from console.cli.client import call, err, fail, misused, out, print_json, print_table
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
        show(act(f"/channels/{channel}/pull"))
        return
    asked = act(f"/channels/{channel}/import-window", _window(since, until))
    _result(channel, asked["audit_id"], wait, as_json)


def audit(
    channel: Annotated[str, typer.Argument(help="a channel's id")],
    since: Since = None,
    until: Until = None,
    wait: Wait = 600.0,
    as_json: Json = False,
) -> None:
    """Compare what the channel shows with what is here: orders, lines, quantities, and the fulfillments owed to it.

    What is missing is imported, or pushed after a read-back. Exit code 1 when something is left unexplained, or was
    changed at the channel after it was told. Example: waybill channels audit acme-shop --since 2026-11-01
    """
    asked = act(f"/channels/{channel}/audit", _window(since, until))
    deadline = time.monotonic() + wait
    inward = _ended(channel, asked["audit_id"], "items", deadline)
    outward = _ended(channel, asked["outward_audit_id"], "outward", deadline)
    if as_json:
        print_json(inward | {"outward": outward})
    else:
        _show(inward, "orders")
        _show(outward, "fulfillments")
    if inward["result"]["unexplained"] or outward["result"]["drifted"] or outward["result"]["unread"]:
        raise typer.Exit(1)


def _result(channel: str, audit_id: str, wait: float, as_json: bool) -> None:
    found = _ended(channel, audit_id, "items", time.monotonic() + wait)
    if as_json:
        print_json(found)
    else:
        _show(found, "orders")
    if found["result"]["unexplained"]:
        raise typer.Exit(1)


def _ended(channel: str, audit_id: str, half: str, deadline: float) -> dict[str, Any]:
    """The walk once it is done; ends the command when it failed, or is not done in time."""
    with err.status(f"walking over {channel}"):
        while (found := _one(channel, audit_id, half))["state"] == "waiting" and time.monotonic() < deadline:
            time.sleep(_LOOK)
    if found["state"] != "done":
        fail(f"not done yet ({found['state']}): {found['last_error'] or 'it goes on by itself'}", "ask again later")
    return found


def _one(channel: str, audit_id: str, half: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = call("GET", f"/channels/{channel}/audit")[half]
    return next((item for item in items if item["audit_id"] == audit_id), {"state": "waiting", "last_error": None})


def _show(found: dict[str, Any], what: str) -> None:
    result = found["result"]
    said = [[name.replace("_", " "), value] for name, value in result.items() if isinstance(value, int)]
    title = f"{found['channel']}, {found['since'][:16]} to {found['until'][:16]}"
    print_table(title, [what, "number"], said, "")
    for text in [*result["problems"], *(f"deleted at the channel: {n}" for n in result.get("deleted", ()))]:
        out.print(text, markup=False, highlight=False, soft_wrap=True)


def _window(since: str | None, until: str | None) -> dict[str, str | None]:
    return {"since": _moment("--since", since), "until": _moment("--until", until)}


def _moment(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        misused(f"{option}: {text!r} is no time", "2026-11-01 or 2026-11-01T12:00Z")
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()
