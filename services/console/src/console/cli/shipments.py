"""`waybill shipments`: what has left, what its channel knows, and pushing it there again."""

import time
import uuid
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.cli import orders
from console.cli.acting import Wait, act
from console.cli.acting import show as show_answer
from console.cli.client import call, err, listed, misused, out, print_json, print_table
from console.cli.options import Json, Limit
from console.words import ShipmentStatus

app = typer.Typer(no_args_is_help=True, help="Shipments and their way to the channel.")


class Choice(StrEnum):
    """What `decide` takes."""

    KEEP_STOPPED = "keep-stopped"
    SHIP_REPLACEMENT = "ship-replacement"


@app.command("list")
def list_shipments(
    view: Annotated[
        Literal["pending", "prepared"] | None, typer.Option(help="pending: needs sync; prepared: the channel shows it")
    ] = None,
    status: Annotated[ShipmentStatus | None, typer.Option(help="where they stand")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List shipments, newest first. Example: waybill shipments list --view pending"""
    items = listed("/shipments", view=view, status=status, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [
            s["shipment_id"],
            s["order_id"],
            s["source"],
            s["carrier"],
            ", ".join(s["tracking_numbers"]),
            s["status"],
            (s["reason"] or {}).get("message", "") or "; ".join(s["notes"]),
        ]
        for s in items
    ]
    print_table(
        "Shipments", ["id", "order", "source", "carrier", "tracking", "status", "why"], rows, "No shipment matches."
    )


@app.command("show")
def show(shipment_id: str) -> None:
    """One shipment with its history and each try at its channel.

    Example: waybill shipments show 0198c5a0-0000-7000-8000-000000000001
    """
    print_json(call("GET", f"/shipments/{shipment_id}"))


@app.command()
def resync(
    shipment_ids: Annotated[list[str] | None, typer.Argument(help="none: all that failed")] = None,
    channel: Annotated[str | None, typer.Option(help="only those of this channel")] = None,
    cause: Annotated[str | None, typer.Option(help="only those that failed for this, e.g. COURIER_REFUSED")] = None,
    wait: Annotated[bool, typer.Option(help="show the progress until all are settled")] = True,
    cancel: Annotated[str | None, typer.Option(metavar="RESYNC", help="stop this one instead")] = None,
    reason: Annotated[str, typer.Option(help="kept with it")] = "",
    as_json: Json = False,
) -> None:
    """Push shipments to their channels again, and watch. Ctrl-C stops watching; the resync goes on.

    Example: waybill shipments resync --channel acme-shop --cause COURIER_REFUSED
    """
    if cancel is not None:
        _say(act(f"/shipments:resync/{cancel}/cancel"), as_json=as_json)
        return
    body = {"shipment_ids": shipment_ids or [], "channel": channel, "code": cause, "reason": reason}
    begun = act("/shipments:resync", body)
    if not wait or not begun["shipments"]:
        if as_json:
            print_json(begun)
        else:
            out.print(f"{begun['shipments']} shipments of {begun['orders']} orders begin again: {begun['resync_id']}")
        return
    try:
        _say(_watch(begun["resync_id"], quiet=as_json), as_json=as_json)
    except KeyboardInterrupt:
        err.print(f"It goes on. Stop it with: waybill shipments resync --cancel {begun['resync_id']}", highlight=False)
        raise typer.Exit(130) from None


def _watch(resync_id: str, *, quiet: bool) -> dict[str, Any]:
    """The last progress, when all are settled."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    said: set[str] = set()
    with Progress(*columns, console=err, disable=quiet) as bar:
        task = bar.add_task("settled", total=None)
        while True:
            found: dict[str, Any] = call("GET", f"/shipments:resync/{resync_id}")
            settled = found["shipments"] - found["pending"]
            bar.update(task, total=found["shipments"], completed=settled)
            for channel in found["channels"]:
                why = channel["later_because"]
                if why and why not in said and not quiet:
                    bar.console.print(f"{channel['channel']}: longer than 5 minutes, because of {why}", markup=False)
                    said.add(why)
            if found["done"]:
                return found
            time.sleep(1.0)


def _say(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    counts = ", ".join(f"{found[name]} {name}" for name in ("synced", "failed", "canceled"))
    out.print(f"{counts} of {found['shipments']}")
    rows = [[one["shipments"], one["code"], one["example"], one["action"]] for one in found["failures"]]
    if rows:
        print_table("Failed", ["shipments", "cause", "e.g.", "what mends it"], rows, "")
        raise typer.Exit(1)


@app.command()
def record(
    order: Annotated[str, typer.Argument(help="an order's number or our id")],
    courier: Annotated[str, typer.Option(help="our courier name")],
    reason: Annotated[str, typer.Option(prompt="Why", help="kept on the shipment")],
    tracking: Annotated[list[str] | None, typer.Option(help="a tracking number; may be repeated")] = None,
    url: Annotated[str | None, typer.Option(help="the tracking link")] = None,
    line: Annotated[list[str] | None, typer.Option(help="LINE=PIECES; none: all that is left")] = None,
    fr: Annotated[str | None, typer.Option(help="the FR's number or id, where several are open")] = None,
    source: Annotated[str | None, typer.Option(help="the manual source, where an FR has to be made")] = None,
    key: Annotated[str | None, typer.Option(help="the same key gives the same shipment")] = None,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Enter what was shipped by hand, for any order. Without an FR that could take it a manual one is made.

    Example: waybill shipments record 1001 --courier ups --tracking 1Z999 --line 17=2 --reason "picked up at the desk"
    """
    body = {
        "order_id": orders.find(order),
        "courier": courier,
        "reason": reason,
        "tracking_numbers": tracking or [],
        "tracking_url": url,
        "lines": [_line(text) for text in line or []],
        "fr": fr,
        "source": source,
    }
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    found = act("/shipments", body, wait, headers=headers)
    if as_json:
        print_json(found)
        return
    units = ", ".join(f"{one['quantity']} × {one['sku']}" for one in found["lines"])
    out.print(f"Shipment {found['shipment_id']}: {units} with {found['carrier']}, {found['state']}", highlight=False)


@app.command()
def withdraw(
    shipment_id: str, reason: Annotated[str, typer.Option(prompt="Why", help="kept on it")], wait: Wait = None
) -> None:
    """Take back what was entered by hand; its channel is told.

    Example: waybill shipments withdraw 0198c5a0-0000-7000-8000-000000000001 --reason "typed twice"
    """
    show_answer(act(f"/shipments/{shipment_id}/actions/withdraw", {"reason": reason}, wait))


@app.command()
def decide(
    shipment_id: str,
    choice: Annotated[
        Choice, typer.Argument(help="does this parcel count, or is its replacement shipped all the same?")
    ],
    reason: Annotated[str, typer.Option(prompt="Why", help="kept on it")],
    wait: Wait = None,
) -> None:
    """Decide about a parcel that left although its FR was over; what was made in its place is stopped until then.

    Example: waybill shipments decide 0198c5a0-0000-7000-8000-000000000001 keep-stopped --reason "the buyer has it"
    """
    show_answer(act(f"/shipments/{shipment_id}/actions/{choice.value}", {"reason": reason}, wait))


def _line(text: str) -> dict[str, object]:
    line_id, equals, quantity = text.rpartition("=")
    if not equals or not quantity.isdigit() or int(quantity) < 1:
        misused(f"--line {text!r} names no line", "LINE=PIECES, e.g. --line 17=2")
    return {"line_id": line_id, "quantity": int(quantity)}
