"""`waybill frs`: what each source was asked, and what a person does about it."""

from typing import Annotated, Literal

import typer

from console.cli import orders as orders_cli
from console.cli.acting import Wait, act, show
from console.cli.client import call, listed, misused, out, print_json, print_table
from console.cli.fr_lists import act_on, find, list_waiting, waiting_ids
from console.cli.options import Json, Limit
from console.cli.preview import show_preview
from waybill_contracts.fulfillment_submitted import FrState, Outcome

app = typer.Typer(no_args_is_help=True, help="Fulfillment requests.")
Fr = Annotated[str, typer.Argument(help="the FR's number or our id")]
Reason = Annotated[str, typer.Option(prompt="Why", help="kept in its history")]


@app.command("list")
def list_frs(
    state: Annotated[FrState | None, typer.Option(help="where they stand")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="unknown: a person may have to decide")] = None,
    source: Annotated[str | None, typer.Option(help="a source's id")] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="those that wait, the longest first, and for what")
    ] = False,
    waits_for: Annotated[str | None, typer.Option("--for", help="with --waiting: manual, process, failed, …")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List FRs, newest first. Example: waybill frs list --state FAILED

    The list of a source without a connection: waybill frs list --source leeds --waiting
    """
    if waiting or waits_for:
        list_waiting(source, waits_for, limit, as_json=as_json)
        return
    items = listed("/frs", state=state, outcome=outcome, source=source, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [f["number"], f["order_number"], f["source"], f["state"], f["shipping"], (f["reason"] or {}).get("message", "")]
        for f in items
    ]
    print_table("FRs", ["number", "order", "source", "state", "shipping", "why"], rows, "No FR matches.")


Frs = Annotated[list[str] | None, typer.Argument(help="numbers or our ids")]
Source = Annotated[str | None, typer.Option(help="instead of FRs: all of this source that wait for it")]


@app.command()
def process(reason: Reason, frs: Frs = None, source: Source = None, wait: Wait = None, as_json: Json = False) -> None:
    """Queue FRs for their sources' next send runs. Exit code 1 when one of them is refused.

    Example: waybill frs process --source east --reason "stock was counted"
    """
    act_on("process", chosen(frs, source, "process"), {"reason": reason}, wait=wait, as_json=as_json)


@app.command()
def resend(reason: Reason, frs: Frs = None, source: Source = None, wait: Wait = None, as_json: Json = False) -> None:
    """Send FRs that failed once more; what a source has already is found first, never doubled.

    Example: waybill frs resend --source east --reason "their catalogue is mended"
    """
    act_on("resend", chosen(frs, source, "failed"), {"reason": reason}, wait=wait, as_json=as_json)


@app.command()
def void(fr: Fr, reason: Reason, wait: Wait = None) -> None:
    """Take an FR back: at once when it was not sent, else its source is asked.

    Its units wait until somebody asks for them: waybill frs regenerate.

    Example: waybill frs void E-1001 --reason "the buyer called"
    """
    show(act(f"/frs/{find(fr)}/actions/void", {"reason": reason}, wait))


@app.command()
def regenerate(
    fr: Fr,
    reason: Reason,
    override: Annotated[
        bool, typer.Option("--override", help="do not wait until it is closed, at the risk of shipping twice (admins)")
    ] = False,
    wait: Wait = None,
) -> None:
    """Take an FR back, and have its units planned again once they are free.

    Example: waybill frs regenerate E-1001 --reason "east is flooded"
    """
    body = {"reason": reason, "override": override}
    show(act(f"/frs/{find(fr)}/actions/regenerate", body, wait))


@app.command()
def preview(order: Annotated[str, typer.Argument(help="an order's number or our id")], as_json: Json = False) -> None:
    """What would be decided about an order now, with prices, and what stands in the way. Changes nothing.

    Example: waybill frs preview 1001
    """
    answer = call("POST", "/frs:preview", json={"order_id": orders_cli.find(order)})
    if as_json:
        print_json(answer)
    else:
        show_preview(answer)


@app.command()
def create(
    order: Annotated[str, typer.Argument(help="an order's number or our id")],
    source: Annotated[str, typer.Option(help="who is to ship it")],
    reason: Reason,
    line: Annotated[
        list[str] | None, typer.Option(help="LINE=PIECES, or LINE:SKU=UNITS; none: all that is missing")
    ] = None,
    shipping_method: Annotated[str | None, typer.Option(help="ours; none: the order's")] = None,
    wait: Wait = None,
    as_json: Json = False,
) -> None:
    """Make an FR by hand. Routing rules are bypassed, and the log says so; holds and reservation still apply.

    Example: waybill frs create 1001 --source east --line 17=2 --reason "east promised it by phone"
    """
    body = {
        "order_id": orders_cli.find(order),
        "source": source,
        "lines": [_line(text) for text in line or []],
        "shipping_method": shipping_method,
        "reason": reason,
    }
    fr = act("/frs", body, wait)
    if as_json:
        print_json(fr)
        return
    units = ", ".join(f"{part['quantity']} × {part['sku']}" for part in fr["lines"])
    out.print(f"FR {fr['number']} for {fr['source']}: {units}. No rule chose it; the log says that you did.")
    if fr["cost"]["unknown"]:
        out.print(f"Not known, and counted as 0: the price of {' and '.join(fr['cost']['unknown'])}.")


def _line(text: str) -> dict[str, object]:
    named, equals, quantity = text.rpartition("=")
    if not equals or not quantity.isdigit() or int(quantity) < 1:
        misused(f"--line {text!r} names no line", "LINE=PIECES or LINE:SKU=UNITS, e.g. --line 17=2")
    line_id, _, sku = named.partition(":")
    return {"line_id": line_id, "sku": sku or None, "quantity": int(quantity)}


@app.command()
def generate(
    orders: Annotated[list[str], typer.Argument(help="numbers or our ids")], reason: Reason, wait: Wait = None
) -> None:
    """Route orders that wait for a person. Example: waybill frs generate 1001 1002 --reason "stock is in"

    Exit code 1 when one of them does not wait for it.
    """
    ids = {orders_cli.find(number): number for number in orders}
    results = act("/frs:generate", {"order_ids": list(ids), "reason": reason}, wait)["orders"]
    for result in results:
        word = result["refused"] or "is being routed"
        out.print(f"{ids[result['order_id']]}: {word}", markup=False, highlight=False, soft_wrap=True)
    if any(result["refused"] for result in results):
        raise typer.Exit(1)


@app.command()
def mark(
    fr: Fr,
    state: Annotated[
        Literal["PROCESSED", "ACKNOWLEDGED"],
        typer.Argument(help="PROCESSED: the source has it; ACKNOWLEDGED: it will ship it"),
    ],
    reason: Reason,
    more: Annotated[list[str] | None, typer.Option("--and", help="further FRs, by number or id")] = None,
    platform_id: Annotated[str, typer.Option(help="the source's own id of the request, where it is known")] = "",
    wait: Wait = None,
) -> None:
    """Say by hand that a source has an FR (its shipments are recorded with: waybill shipments record).

    Example: waybill frs mark L-1001 PROCESSED --reason "handed over the counter"
    """
    if more:
        body = {"reason": reason, "state": state}
        act_on("mark", [find(name) for name in (fr, *more)], body, wait=wait, as_json=False)
        return
    body = {"reason": reason, "state": state, "platform_id": platform_id}
    show(act(f"/frs/{find(fr)}/actions/mark", body, wait))


@app.command("recall-answer")
def recall_answer(
    fr: Fr,
    reason: Reason,
    given_back: Annotated[bool, typer.Option("--given-back/--kept", help="what the source said")],
    wait: Wait = None,
) -> None:
    """Record what a source said to being asked for an FR back, where no call can ask it.

    Example: waybill frs recall-answer L-1001 --given-back --reason "they called: not packed yet"
    """
    body = {"reason": reason, "given_back": given_back}
    show(act(f"/frs/{find(fr)}/actions/recall-answer", body, wait))


@app.command("show")
def show_fr(fr: Fr) -> None:
    """One FR in full.

    Example: waybill frs show E-1001
    """
    print_json(call("GET", f"/frs/{find(fr)}"))


def chosen(frs: list[str] | None, source: str | None, waits_for: str) -> list[str]:
    """Ids of the FRs named, or of all of a source that wait for this."""
    if bool(frs) == bool(source):
        misused("one of the two is wanted", "the FRs, or --source SOURCE for all of one source")
    return [find(fr) for fr in frs] if frs else waiting_ids(source or "", waits_for)
