"""`waybill dead-letters`: what could not be taken in or sent, kept whole (OP-12)."""

from typing import Annotated

import typer

from console.cli.client import call, fail, out, print_json, print_table
from console.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="Records that could not be read, kept whole.")
Service = Annotated[str, typer.Argument(help="the service that has it, e.g. order-ingest: waybill dead-letters list")]
Letter = Annotated[int, typer.Argument(help="its id there, a number")]


@app.command("list")
def list_letters(
    service: Annotated[str | None, typer.Option(help="only those of this service")] = None, as_json: Json = False
) -> None:
    """List open dead letters with reason and position.

    Example: waybill dead-letters list --service order-ingest
    """
    answer = call("GET", "/dead-letters", params={"service": service} if service else {})
    if as_json:
        print_json(answer)
        return
    rows = [
        [x["service"], x["id"], x["topic"], f"{x.get('partition')}:{x.get('offset')}", x["reason"]]
        for x in answer["items"]
    ]
    print_table("Dead letters", ["service", "id", "topic", "position", "reason"], rows, "No dead letter is open.")
    if rows:
        out.print(f"Next: mend the reason, then waybill dead-letters replay {rows[0][0]} {rows[0][1]}", soft_wrap=True)
    for text in answer["unanswered"]:
        out.print(text, style="yellow")


@app.command()
def show(service: Service, letter: Letter) -> None:
    """One dead letter with its original bytes, as JSON.

    Example: waybill dead-letters show order-ingest 17
    """
    items = call("GET", "/dead-letters", params={"service": service, "limit": 500})["items"]
    found = [item for item in items if item["id"] == letter]
    if not found:
        fail(f"{service} has no open dead letter {letter}", "list those that are open: waybill dead-letters list")
    print_json(found[0])


@app.command()
def replay(service: Service, letter: Letter) -> None:
    """Take a dead letter in once more, as if it had just come: once its reason is mended. Else it stays open.

    Example: waybill dead-letters replay order-ingest 17
    """
    print_json(call("POST", f"/dead-letters/{service}/{letter}/replay"))


@app.command()
def discard(
    service: Service, letter: Letter, reason: Annotated[str, typer.Option(help="why it is not wanted")]
) -> None:
    """Close a dead letter without taking it in.

    Example: waybill dead-letters discard order-ingest 17 --reason "a test of the ERP"
    """
    print_json(call("POST", f"/dead-letters/{service}/{letter}/discard", json={"reason": reason}))
