"""`waybill records`: each request to a platform and what came back, secrets removed (OP-3)."""

from typing import Annotated, Any

import typer

from console.cli import orders
from console.cli.client import call, listed, out, print_json, print_table
from console.cli.options import Json, Limit
from console.words import RecordOutcome

app = typer.Typer(no_args_is_help=True, help="Transaction records: exchanges with platforms.")


@app.command("list")
def list_records(
    connection: Annotated[str | None, typer.Option(help="a channel's or source's id")] = None,
    log_type: Annotated[str | None, typer.Option(help="get_orders, submit_request, submit_fulfillment, ...")] = None,
    outcome: Annotated[RecordOutcome | None, typer.Option(help="how they ended")] = None,
    order: Annotated[str | None, typer.Option(help="only those about this order: its number or our id")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List exchanges, newest first; one is read whole by: waybill records show ID

    Examples: waybill records list --outcome later; waybill records list --order 1001 --log-type submit_fulfillment
    """
    order_id = orders.find(order) if order else None
    items = listed(
        "/records", connection=connection, log_type=log_type, outcome=outcome, order_id=order_id, limit=limit
    )
    if as_json:
        print_json(items)
        return
    rows = [[r["exchange_id"], r["at"][:19], r["connection"], r["log_type"], r["attempt"], _said(r)] for r in items]
    print_table("Records", ["id", "at", "connection", "log type", "try", "outcome"], rows, "No record matches.")


@app.command()
def show(
    record: Annotated[str, typer.Argument(help="the record's id: waybill records list")], as_json: Json = False
) -> None:
    """One exchange whole: the request that was sent and the response that came, secrets removed.

    Example: waybill records show 0198c5a0-0000-7000-8000-000000000001
    """
    found = call("GET", f"/records/{record}")
    if as_json:
        print_json(found)
        return
    say = [
        f"{found['log_type']} of {found['connection']} by {found['service']}, try {found['attempt']}, {found['at']}",
        "",
        f"> {found['method']} {found['url']}",
        *(f"> {name}: {value}" for name, value in found["request_headers"].items()),
        *([found["request_body"]] if found["request_body"] else []),
        "",
        f"< {_said(found)}" + (f": {found['error']}" if found["error"] else ""),
        *(f"< {name}: {value}" for name, value in found["response_headers"].items()),
        *([found["response_body"]] if found["response_body"] else []),
        *(["A body was longer than 64 KiB and is cut here."] if found["cut"] else []),
    ]
    out.print("\n".join(say), markup=False, highlight=False, soft_wrap=True)


def _said(record: dict[str, Any]) -> str:
    status = record["status"] or "no answer"
    return f"{record['outcome']} ({status}, {record['duration_ms']:.0f} ms)"
