"""`waybill persons`: somebody who wants to be forgotten (OP-16)."""

import time
from typing import Annotated, Any

import typer

from console.cli.client import call, err, listed, misused, out, print_json, print_table
from console.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="People's data: erased everywhere, on request.")
_PAUSE = 0.5


@app.command()
def erase(
    email: Annotated[str, typer.Option(help="all orders that were placed with this e-mail")] = "",
    channel: Annotated[str, typer.Option(help="only those of this channel")] = "",
    order: Annotated[list[str] | None, typer.Option("--order", help="the id of an order; may be repeated")] = None,
    reason: Annotated[str, typer.Option(prompt=True, help="kept with the wish: name nobody in it")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait until it is done")] = 120.0,
    as_json: Json = False,
) -> None:
    """Replace everything that names a person, in every service. It cannot be undone.

    Orders stay, with their ids, lines, amounts and states. Orders under way keep their address until they are settled
    or canceled, and are erased then. Exit code 0: nothing is left; 3: some orders still wait.

    Example: waybill persons erase --email jane@example.com --reason "asked on 3 May, ticket 812"
    """
    if not email and not order:
        misused(
            "nobody is named", "--email, or --order with the id of an order (`waybill orders list --json` shows ids)"
        )
    whose = email or f"{len(order or [])} orders"
    if not (yes or as_json or typer.confirm(f"Erase the data of {whose}? It cannot be undone.")):
        raise typer.Exit(1)
    body = {"email": email, "channel": channel, "order_ids": order or [], "reason": reason}
    done = _watch(call("POST", "/erasures", json=body), wait)
    if as_json:
        print_json(done)
    else:
        _tell(done)
    raise typer.Exit(0 if done["state"] == "done" else 3)


@app.command("list")
def list_erasures(limit: Annotated[int, typer.Option(min=1)] = 50, as_json: Json = False) -> None:
    """Who asked for what, when and why, and how many rows held something.

    Example: waybill persons list
    """
    items = listed("/erasures", limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [e["asked_at"], e["asked_by"], e["reason"], e["state"], len(e["order_ids"]), len(e["under_way"]), _held(e)]
        for e in items
    ]
    names = ["asked", "by", "why", "state", "orders erased", "under way", "rows"]
    print_table("Erased people", names, rows, "Nobody asked to be forgotten.")


def _watch(now: dict[str, Any], seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    with err.status("Erasing in every service"):
        while now["state"] == "waiting" and not now["under_way"] and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            now = call("GET", f"/erasures/{now['erasure_id']}")
    return now


def _tell(done: dict[str, Any]) -> None:
    out.print(f"{len(done['order_ids'])} orders stay without their person; {_held(done)} rows held something.",
              highlight=False)  # fmt: skip
    if done["under_way"]:
        out.print(f"{len(done['under_way'])} orders are under way and follow by themselves: "
                  + ", ".join(done["under_way"]), highlight=False)  # fmt: skip
    elif done["state"] == "waiting":
        why = done["last_error"] or "it takes longer"
        err.print(f"Not done yet: {why}. It goes on by itself; `waybill persons list` shows it.", highlight=False)


def _held(erasure: dict[str, Any]) -> int:
    return sum(count for tables in erasure["rows"].values() for count in tables.values())
