"""The program: its commands and their order in the help."""

import sys
import traceback
from tempfile import NamedTemporaryFile

import typer

from console.cli import (
    certify,
    certify_channel,
    commands,
    config,
    console,
    dead_letters,
    failures,
    frs,
    lists,
    mappings,
    orders,
    persons,
    records,
    routing,
    shipments,
    stock,
    users,
    views,
)
from console.cli.client import fail
from console.cli.up import up

app = typer.Typer(
    name="waybill",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "Waybill: orders in from channels, out to sources, tracking back.\n\n"
        "WAYBILL_URL and WAYBILL_API_KEY say where the console is and who you are; `waybill up` prints both.\n\n"
        "Exit codes: 0 done; 1 refused, with the reason and what would work; 2 the command itself is not understood; "
        "3 stored, and done as soon as the service that has to do it answers. "
        "`--json` prints what programs read. Every command has an example in its own --help."
    ),
    epilog=(
        "Begin: waybill apply --example > config.yaml, then waybill apply -f config.yaml.\n\n"
        "Where is my order? waybill orders show NUMBER; waybill orders explain NUMBER.\n\n"
        "What waits for me? waybill failures; waybill alerts list; waybill dead-letters list.\n\n"
        "What was said to a platform? waybill orders timeline NUMBER --exchanges; waybill records show ID."
    ),
)
app.command()(up)
app.command()(config.apply)
app.command()(config.export)
app.command()(lists.stats)
app.command()(failures.failures)
app.add_typer(orders.app, name="orders")
app.add_typer(views.app, name="views")
app.add_typer(frs.app, name="frs")
app.add_typer(shipments.app, name="shipments")
app.add_typer(commands.app, name="commands")
app.add_typer(records.app, name="records")
app.add_typer(lists.channels, name="channels")
lists.channels.command("mappings")(mappings.mappings)
lists.channels.command("certify")(certify_channel.channel)
lists.sources.command("certify")(certify.source)
lists.sources.command("stock")(stock.stock)
app.add_typer(lists.sources, name="sources")
app.add_typer(lists.alerts, name="alerts")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(users.app, name="users")
app.add_typer(lists.keys, name="keys")
app.add_typer(console.app, name="console")
app.add_typer(persons.app, name="persons")
app.add_typer(routing.app, name="routing")


def main() -> None:
    """What nobody thought of is told in a sentence; the stack goes to a file, for whoever mends it."""
    try:
        app()
    except Exception as error:
        with NamedTemporaryFile("w", prefix="waybill-fault-", suffix=".txt", delete=False, encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        try:
            fail(f"a fault of waybill's own ({type(error).__name__}): {error}", f"report it with {file.name}")
        except typer.Exit as ended:
            sys.exit(ended.exit_code)
