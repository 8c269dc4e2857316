"""`waybill views`: filters of orders by name (OP-1)."""

from typing import Annotated

import typer

from console.cli.client import call, out, print_json, print_table
from console.cli.options import Json
from console.words import Fulfillment, Stage, Sync
from waybill_contracts.values import HoldReason

app = typer.Typer(no_args_is_help=True, help="Saved filters: waybill orders list --view NAME.")
Name = Annotated[str, typer.Argument(help="letters, digits, spaces, . _ -")]
Shared = Annotated[bool, typer.Option("--shared", help="for everybody; operators do that")]


@app.command("list")
def list_views(as_json: Json = False) -> None:
    """Your own views and the shared ones. Example: waybill views list"""
    items = call("GET", "/views")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        [
            v["name"],
            ", ".join(f"{k}={x}" for k, x in v["narrow"].items()),
            "shared" if v["shared"] else "",
            v["saved_by"],
        ]
        for v in items
    ]
    print_table(
        "Views", ["name", "orders with", "", "saved by"], rows, "No views: waybill views save NAME --stage held"
    )


@app.command()
def save(
    name: Name,
    stage: Annotated[Stage | None, typer.Option(help="where they stand")] = None,
    hold: Annotated[HoldReason | None, typer.Option(help="why they are held")] = None,
    sync: Annotated[Sync | None, typer.Option(help="what their channel was told")] = None,
    fulfillment: Annotated[Fulfillment | None, typer.Option(help="how much has shipped")] = None,
    channel: Annotated[str | None, typer.Option(help="a channel's id")] = None,
    search: Annotated[str | None, typer.Option(help="the beginning of a number, SKU, customer, …")] = None,
    shared: Shared = False,
) -> None:
    """Keep a filter under a name. Example: waybill views save stuck --channel acme-shop --stage held --shared"""
    narrow = {
        "stage": stage, "hold": hold, "sync": sync, "fulfillment": fulfillment, "channel": channel, "search": search,
    }  # fmt: skip
    given = {field: value for field, value in narrow.items() if value is not None}
    call("PUT", f"/views/{name}", json=given, params={"shared": shared})
    out.print(f"Saved: waybill orders list --view {name!r}", markup=False, highlight=False)


@app.command()
def remove(name: Name, shared: Shared = False) -> None:
    """Forget a view. Example: waybill views remove stuck --shared"""
    call("DELETE", f"/views/{name}", params={"shared": shared})
    out.print(f"{name} is forgotten.", markup=False, highlight=False)
