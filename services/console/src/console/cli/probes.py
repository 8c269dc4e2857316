"""`waybill channels probe` and `sources probe`: what a connection turned out to be, and what it lacks (SP-14)."""

import time
from typing import Annotated, Any

import typer

from console.cli.client import call, err, out, print_json
from console.cli.options import Json

Wait = Annotated[float, typer.Option(help="seconds to wait for a look that has not happened yet")]
_LOOK = 0.5


def probe_channel(channel: str, wait: Wait = 60.0, as_json: Json = False) -> None:
    """Say what a channel's shop is, and what is missing there, each with what mends it.

    Exit code 1 when it cannot be used so. Example: waybill channels probe acme-shop
    """
    _show("channels", channel, wait, as_json)


def probe_source(source: str, wait: Wait = 60.0, as_json: Json = False) -> None:
    """Say what a source's system is, and what is missing there. Example: waybill sources probe depot"""
    _show("sources", source, wait, as_json)


def _show(kind: str, name: str, wait: float, as_json: bool) -> None:
    told = _looked_at(kind, name, wait)
    found: dict[str, Any] | None = told["found"]
    if as_json:
        print_json(told)
    elif found is None:
        again = told["due_at"] or "never"
        _say(f"{name}: nothing is known: it does not answer (it is asked again {again}), or cannot be asked")
    else:
        facts = [found["version"], found["timezone"], found["currency"]]
        _say(f"{name}: {'usable' if found['usable'] else 'not usable'} ({', '.join(one for one in facts if one)})")
        for finding in found["findings"]:
            _say(f"{finding['severity']}: {finding['message']}{_fix(finding)}")
    if found is not None and not found["usable"]:
        raise typer.Exit(1)


def _looked_at(kind: str, name: str, wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    with err.status(f"{name} is looked at"):  # it is due when it was just added or changed
        while (told := call("GET", f"/{kind}/{name}/probe"))["due"] and time.monotonic() < deadline:
            time.sleep(_LOOK)
    return dict(told)


def _fix(finding: dict[str, Any]) -> str:
    return f": {finding['fix']}" if finding["fix"] else ""


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
