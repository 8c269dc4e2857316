"""`waybill console`: the console itself."""

import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from console.cli.client import call, err, out, print_json
from console.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="The console itself.")
_QUIET_ROUNDS = 4
_PAUSE = 0.5


@app.command()
def rebuild(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    wait: Annotated[float, typer.Option(help="seconds to watch it fill again")] = 600.0,
    as_json: Json = False,
) -> None:
    """Build lists, time lines and records anew from what the services send again.

    Orders, FRs and shipments themselves are not touched; until it is done, lists are shorter.

    Example: waybill console rebuild --yes
    """
    if not (yes or as_json or typer.confirm("Forget the read model and build it anew?")):
        raise typer.Exit(1)
    begun = call("POST", "/console/rebuild", timeout=180.0)
    done = _watch(sum(begun["events"].values()), wait, quiet=as_json)
    if as_json:
        print_json({**begun, **done})
    elif done["settled"]:
        out.print(f"[green]Built anew[/green]: {done['orders']} orders, {done['activities']} activities.")
    else:
        err.print("It still fills; `GET /api/v1/console/rebuild` shows how far it is.")


def _watch(events: int, seconds: float, *, quiet: bool) -> dict[str, Any]:
    """Until every service has sent what it has and the counts rest."""
    deadline = time.monotonic() + seconds
    before, rests = None, 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} events sent"))
    with Progress(*columns, TimeElapsedColumn(), console=err, disable=quiet, transient=True) as bar:
        task = bar.add_task("Building anew", total=max(events, 1))
        while True:
            now = call("GET", "/console/rebuild")
            waiting = sum(number or 0 for number in now["waiting"].values())
            bar.update(task, completed=max(events - waiting, 0))
            counts = (now["orders"], now["activities"], now["records"])
            rests = rests + 1 if waiting == 0 and counts == before else 0
            before = counts
            if rests >= _QUIET_ROUNDS or time.monotonic() > deadline:
                return {**now, "settled": rests >= _QUIET_ROUNDS}
            time.sleep(_PAUSE)
