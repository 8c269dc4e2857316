"""`waybill channels webhooks`, `waybill sources webhooks`: make a platform post to us, see whether it does, end it."""

import time
from typing import Annotated, Any

import typer

from console.cli.client import call, err, out, print_json, print_table
from console.cli.options import Json

Url = Annotated[str | None, typer.Option(help="where the platform reaches this console, https://hub.example")]
Remove = Annotated[bool, typer.Option("--remove", help="make it post no more; --url names an address to end besides")]
Wait = Annotated[float, typer.Option(help="seconds to wait for the platform's answer")]
_LOOK = 0.5


def webhooks_of_channel(
    channel: Annotated[str, typer.Argument(help="a channel's id")],
    url: Url = None,
    remove: Remove = False,
    wait: Wait = 60.0,
    as_json: Json = False,
) -> None:
    """Make the platform post a channel's changes to us; without --url, show what it posts. Pulls go on beside it.

    Before a channel is taken out of the configuration, --remove ends it. Exit code 1 when it could not be done.
    Example: waybill channels webhooks acme-shop --url https://hub.example
    """
    _webhooks("channels", channel, url, remove, wait, as_json)


def webhooks_of_source(
    source: Annotated[str, typer.Argument(help="a source's id")],
    url: Url = None,
    remove: Remove = False,
    wait: Wait = 60.0,
    as_json: Json = False,
) -> None:
    """Make the platform of a source post what it ships to us; without --url, show what it posts. Polls go on beside it.

    Before a source is taken out of the configuration, --remove ends it. Exit code 1 when it could not be done.
    Example: waybill sources webhooks depot --url https://hub.example
    """
    _webhooks("sources", source, url, remove, wait, as_json)


def _webhooks(kind: str, name: str, url: str | None, remove: bool, wait: float, as_json: bool) -> None:
    path = f"/{kind}/{name}/webhooks"
    if remove:
        call("DELETE", path, params={"url": url} if url else {})
    elif url is not None:
        call("POST", path, json={"url": url})
    found = _settled(path, name, wait)
    if as_json:
        print_json(found)
    else:
        _show(name, found)
    wanted = "off" if remove else "on" if url is not None else found["state"]
    if found["state"] == "failed" or found["state"] != wanted:
        raise typer.Exit(1)


def _settled(path: str, name: str, wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    with err.status(f"the platform of {name} is asked"):
        while (found := call("GET", path))["state"] in ("waiting", "ending") and time.monotonic() < deadline:
            time.sleep(_LOOK)
    return dict(found)


def _show(name: str, found: dict[str, Any]) -> None:
    told = {
        "on": "The platform posts these changes",
        "off": "The platform posts nothing to us; --url registers it",
        "waiting": "Not registered yet; it goes on by itself",
        "ending": "Not ended yet; it goes on by itself",
        "failed": "Not registered; it is tried again by itself",
    }[found["state"]]
    if found["state"] == "failed" and found["address"] is None:
        told = "Not ended; it is tried again by itself"
    rows = [[topic, found["address"]] for topic in found["topics"]]
    out.print(f"{name}: {told}", markup=False, highlight=False, soft_wrap=True)
    if rows:
        print_table("", ["topic", "address"], rows, "")
    for text in (found.get("last_error"), found.get("warning")):
        if text:
            out.print(text, markup=False, highlight=False, soft_wrap=True)
