"""`waybill commands`: what people and programs asked for, and what became of it."""

from typing import Annotated

import typer

from console.cli.acting import Wait
from console.cli.client import call, listed, out, print_json, print_table
from console.cli.options import Json, Limit
from console.words import CommandState

app = typer.Typer(no_args_is_help=True, help="Every action is a command: what was asked for, and what became of it.")


@app.command("list")
def list_commands(
    state: Annotated[CommandState | None, typer.Option(help="where they stand")] = None,
    target: Annotated[str | None, typer.Option(help="order/ID, fr/ID, shipment/ID, channel/ID or source/ID")] = None,
    actor: Annotated[str | None, typer.Option(help="who asked for it")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List commands, newest first. Example: waybill commands list --state sent"""
    items = listed("/commands", state=state, target=target, actor=actor, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [c["created_at"][:19], c["action"], c["target"], c["actor"], c["state"], _why(c), c["command_id"]]
        for c in items
    ]
    names = ["at", "action", "about", "by", "state", "why", "id"]
    print_table("Commands", names, rows, "Nobody asked for anything yet.")


@app.command()
def show(command_id: str, wait: Wait = None, as_json: Json = False) -> None:
    """One command: where it stands, why it was refused and what would work, and what it led to.

    Example: waybill commands show 01993c1e-8a52-7b43-9d35-1f0c5d7c2f11 --wait 10s
    """
    found = call("GET", f"/commands/{command_id}", params={"wait": wait} if wait else {})
    if as_json:
        print_json(found)
        return
    reason = f" ({found['reason']})" if found["reason"] else ""
    out.print(f"{found['action']} of {found['target']} by {found['actor']}{reason}: {found['state']}", markup=False)
    if found["refused"]:
        out.print(f"Why not: {found['refused']['reason']}", markup=False, soft_wrap=True)
        out.print(f"Try: {found['refused']['remedy']}", markup=False, soft_wrap=True)
    if found["trouble"]:
        out.print(f"Sent {found['attempts']} times: {found['trouble']}", markup=False, soft_wrap=True)
    rows = [[e["at"][:19], e["service"], e["activity"], e["title"]] for e in found["effects"]]
    none = (
        "Nothing of it can be read yet." if found["state"] == "done" and not found["in_read_model"] else "No effects."
    )
    print_table("What it led to", ["at", "service", "what", "in words"], rows, none)


def _why(command: dict[str, object]) -> str:
    refused = command["refused"]
    return str(refused["reason"] if isinstance(refused, dict) else command["trouble"])
