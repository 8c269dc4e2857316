"""`waybill orders`: where is my order?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import importing
from console.cli.acting import Wait, act
from console.cli.acting import show as show_answer
from console.cli.client import call, fail, fetch, listed, out, print_json, print_table, save
from console.cli.options import Json, Limit
from console.cli.rerun import rerun_order
from console.waiting import reasons_of
from console.words import Stage, Sync
from waybill_contracts.values import HoldReason

app = typer.Typer(no_args_is_help=True, help="Orders: list, show, import, place, act on them.")
app.command("import")(importing.import_file)
app.command("place")(importing.place)
Reason = Annotated[str, typer.Option(help="kept with the order and shown in its time line")]
Number = Annotated[str, typer.Argument(help="the order's number (with or without #) or our id")]


@app.command("list")
def list_orders(
    search: Annotated[
        str | None, typer.Argument(help="the beginning of a number, SKU, customer, FR or tracking number")
    ] = None,
    stage: Annotated[Stage | None, typer.Option(help="where they stand")] = None,
    hold: Annotated[HoldReason | None, typer.Option(help="why they are held")] = None,
    sync: Annotated[Sync | None, typer.Option(help="what their channel was told")] = None,
    channel: Annotated[str | None, typer.Option(help="a channel's id")] = None,
    view: Annotated[str | None, typer.Option(help="a saved view's name: waybill views list")] = None,
    excluded: Annotated[bool, typer.Option("--excluded", help="those that were not imported, with the reason")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List orders, newest first.

    Examples: waybill orders list --stage held; waybill orders list 1Z999; waybill orders list müller
    """
    if excluded:
        _list_excluded(channel, limit, as_json)
        return
    items = listed("/orders", search=search, stage=stage, hold=hold, sync=sync, channel=channel, view=view, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [o["number"], o["channel"], o["stage"], o["fulfillment"], o["sync"], _why(o), o["placed_at"][:16]]
        for o in items
    ]
    print_table(
        "Orders", ["number", "channel", "stage", "fulfillment", "sync", "why", "placed"], rows, "No order matches."
    )


def _list_excluded(channel: str | None, limit: int, as_json: bool) -> None:
    items = listed("/excluded-orders", channel=channel, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [[o["number"], o["channel"], o["reason"], o["detail"]] for o in items]
    print_table("Not imported", ["number", "channel", "reason", "in words"], rows, "Every order was imported.")


@app.command()
def show(
    number: Number,
    at: Annotated[str | None, typer.Option(help="as it was then, e.g. 2026-11-22T10:00:00Z")] = None,
    as_json: Json = False,
) -> None:
    """Show one order: lines, holds, FRs, shipments, and what it waits for.

    Examples: waybill orders show 1001; waybill orders show 1001 --at 2026-11-22T10:00:00Z
    """
    order = call("GET", f"/orders/{find(number)}", params={"at": at} if at else {})
    if as_json:
        print_json(order)
        return
    out.print(
        f"[bold]{order['number']}[/bold] of {order['channel']}: "
        f"{order['stage']}, {order['fulfillment']}, sync {order['sync']}"
    )
    if order["waiting"]:
        waits = order["waiting"]
        out.print(
            f"waits for [yellow]{waits['reason']}[/yellow] since {waits['since']}. "
            f"Next ({waits['by_whom']}): {waits['next']}"
        )
    rows = [
        [line["line_id"], line["channel_sku"], _skus(line), line["quantity"], line["canceled"]]
        for line in order["lines"]
    ]
    print_table("Lines", ["line", "SKU there", "ours", "ordered", "canceled"], rows, "No lines.")
    rows = [[fr["number"], fr["source"], fr["state"], _units(fr["lines"]), _cost(fr["cost"])] for fr in order["frs"]]
    print_table("Fulfillment requests", ["number", "source", "state", "units", "landed cost"], rows, "No FR yet.")
    rows = [
        [
            s["source"],
            _units(s["lines"]),
            s["carrier"],
            ", ".join(s["tracking_numbers"]),
            s["status"],
            ", ".join(s["fulfillment_ids"]),
        ]
        for s in order["shipments"]
    ]
    names = ["source", "units", "carrier", "tracking", "status", "fulfillment at the channel"]
    print_table("Shipments", names, rows, "Nothing shipped yet.")


@app.command()
def timeline(
    number: Number,
    exchanges: Annotated[bool, typer.Option(help="requests and responses too")] = False,
    as_json: Json = False,
) -> None:
    """Everything that happened to one order, in order.

    With `--exchanges` each request to a platform has its id, for: waybill records show ID

    Example: waybill orders timeline 1001 --exchanges
    """
    answer = call("GET", f"/orders/{find(number)}/timeline")
    if as_json:
        print_json(answer)
        return
    rows = [
        [a["at"], a["service"], a["activity"], a["title"], (a["command"] or {}).get("actor", "")]
        for a in answer["activities"]
    ]
    if exchanges:
        rows += [[x["at"], x["service"], x["log_type"], _exchange(x), ""] for x in answer["exchanges"]]
    print_table(f"Order {number}", ["at", "service", "what", "in words", "asked by"], sorted(rows), "Nothing yet.")


@app.command()
def generate(number: Number, wait: Wait = None) -> None:
    """Route an order that waits for a person, because its channel does not generate by itself.

    Example: waybill orders generate 1001
    """
    show_answer(act(f"/orders/{find(number)}/actions/generate", None, wait))


@app.command()
def explain(
    number: Annotated[str, typer.Argument(help="the number that the channel shows, also of an order never imported")],
    channel: Annotated[str | None, typer.Option(help="a channel's id; else all channels are asked")] = None,
    as_json: Json = False,
) -> None:
    """Why is my order not here? Its channel is asked now.

    Example: waybill orders explain 1001 --channel acme-shop
    """
    channels = [channel] if channel else [item["id"] for item in call("GET", "/channels")["items"]]
    answers = [call("GET", "/orders/explain", params={"channel": name, "number": number}) for name in channels]
    known = [one for one in answers if one["answer"] not in ("never_existed", "not_published")] or answers
    if as_json:
        print_json(known[0] if len(known) == 1 else known)
        return
    for one in known:
        out.print(f"{one['number']} of {one['channel']}: [bold]{one['answer']}[/bold]. {one['reason']}", soft_wrap=True)
        now = one["now"]
        if now is not None and one["answer"] in ("imported", "canceled"):
            out.print(f"It is {now['stage']} ({now['fulfillment']}, sync {now['sync']}) since {now['since']}.")
            _say_at_channel(now["at_channel"])
        waits = (now or {}).get("waiting")
        step = one["fix"] or (f"{waits['next']} ({waits['by_whom']})" if waits else "")
        if step:
            out.print(f"Next: {step}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def rerun(number: Number, as_json: Json = False) -> None:
    """Say what today's mappings, holds, groups, rules and costs would make of an order; nothing is changed.

    Example: waybill orders rerun 1001
    """
    rerun_order(find(number), as_json)


def _say_at_channel(found: list[dict[str, Any]]) -> None:
    for one in found:
        said = f"At the channel: {one['answer']}. {one['reason']}" + (f" Next: {one['next']}" if one["next"] else "")
        out.print(said, markup=False, highlight=False, soft_wrap=True)


@app.command()
def hold(number: Number, reason: Reason, wait: Wait = None) -> None:
    """Keep an order from going on until somebody releases it.

    Example: waybill orders hold 1001 --reason "the buyer calls back"
    """
    _act(number, "hold", reason, wait)


@app.command()
def release(number: Number, reason: Reason, wait: Wait = None) -> None:
    """Let an order go on: ends a person's hold, and lets pass what asks for a person's judgement.

    Example: waybill orders release 1001 --reason "checked by phone"
    """
    _act(number, "release", reason, wait)


@app.command()
def cancel(number: Number, reason: Reason, wait: Wait = None) -> None:
    """Nothing of this order is wanted any more. Its channel is not told: cancel it there too.

    Example: waybill orders cancel 1001 --reason "ordered twice"
    """
    _act(number, "cancel", reason, wait)


def _act(number: str, action: str, reason: str, wait: str | None) -> None:
    show_answer(act(f"/orders/{find(number)}/actions/{action}", {"reason": reason}, wait))


@app.command()
def trace(number: Number) -> None:
    """The id of the order's trace, to open in the tracing tool.

    Example: waybill orders trace 1001
    """
    found = call("GET", f"/orders/{find(number)}")["trace"]
    if not found:
        fail("this order has no trace", "see its activities instead: waybill orders timeline")
    out.print(found)


@app.command()
def bundle(
    number: Number,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="write here; default: NUMBER-bundle.zip")] = None,
) -> None:
    """The order's whole story as one zip file to hand to somebody else: secrets removed, the buyer's data in it.

    Example: waybill orders bundle 1001
    """
    content = fetch("GET", f"/orders/{find(number)}/bundle").content
    path = file or Path(f"{number.strip('#').replace('/', '_')}-bundle.zip")
    save(path, content)
    out.print(f"{path} ({len(content)} bytes)", highlight=False)


def find(number: str) -> str:
    """Our id of an order named by number or id."""
    found = call("GET", "/orders", params={"number": number, "limit": 3})["items"]
    if len(found) > 1:
        named = ", ".join(f"{order['order_id']} ({order['channel']})" for order in found)
        fail(f"{number!r} is the number of several orders", f"name one by its id: {named}")
    if not found and number.count("-") != 4:
        left_out = call("GET", "/excluded-orders", params={"number": number, "limit": 3})["items"]
        for order in left_out:
            said = f"{order['number']} of {order['channel']} was not imported: {order['reason']}. {order['detail']}"
            fail(said, f"ask its channel why: waybill orders explain {order['number']} --channel {order['channel']}")
        fail(f"no order has the number {number!r}", f"ask the channels for it: waybill orders explain {number}")
    return str(found[0]["order_id"]) if found else number


def _exchange(record: dict[str, Any]) -> str:
    said = record["status"] or record["error"]
    return f"{record['method']} {record['url']} -> {said} (record {record['exchange_id']})"


def _why(order: dict[str, Any]) -> str:
    return ", ".join(reasons_of(order["holds"])) or (order["unroutable"] if order["stage"] == "imported" else "") or ""


def _skus(line: dict[str, Any]) -> str:
    if line["service"]:
        return "(service)"
    return ", ".join(f"{c['quantity']} × {c['sku']}" if c["quantity"] > 1 else c["sku"] for c in line["components"])


def _units(lines: list[dict[str, Any]]) -> str:
    return ", ".join(f"{line['quantity']} × {line['sku']}" for line in lines)


def _cost(cost: dict[str, Any] | None) -> str:
    return f"{sum(float(cost[part]) for part in ('items', 'fee', 'shipping')):.2f} {cost['currency']}" if cost else ""
