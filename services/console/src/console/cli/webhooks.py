"""`waybill channels webhooks`: make a channel's platform post its changes to us, and see whether it does (IN-3)."""

import time
from typing import Annotated, Any

import typer

from console.cli.client import call, err, out, print_json, print_table
from console.cli.options import Json

_LOOK = 0.5


def webhooks(
    channel: Annotated[str, typer.Argument(help="a channel's id")],
    url: Annotated[
        str | None, typer.Option(help="where the platform reaches this console, https://hub.example")
    ] = None,
    wait: Annotated[float, typer.Option(help="seconds to wait for the platform's answer")] = 60.0,
    as_json: Json = False,
) -> None:
    """Make the platform post a channel's changes to us; without --url, show what it posts. Pulls go on beside it.

    Exit code 1 when it could not be registered. Example: waybill channels webhooks acme-shop --url https://hub.example
    """
    if url is not None:
        call("POST", f"/channels/{channel}/webhooks", json={"url": url})
    found = _settled(channel, wait)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found["state"] == "failed" or (url is not None and found["state"] != "on"):
        raise typer.Exit(1)


def _settled(channel: str, wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    with err.status(f"the platform of {channel} is asked"):
        while (found := call("GET", f"/channels/{channel}/webhooks"))["state"] == "waiting":
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK)
    return dict(found)


def _show(found: dict[str, Any]) -> None:
    told = {
        "on": "The platform posts these changes",
        "off": "The platform posts nothing to us; --url registers it",
        "waiting": "Not registered yet; it goes on by itself",
        "failed": "Not registered; it is tried again by itself",
    }[found["state"]]
    rows = [[topic, found["address"]] for topic in found["topics"]]
    out.print(f"{found['channel']}: {told}", markup=False, highlight=False, soft_wrap=True)
    if rows:
        print_table("", ["topic", "address"], rows, "")
    for text in (found.get("last_error"), found.get("warning")):
        if text:
            out.print(text, markup=False, highlight=False, soft_wrap=True)
