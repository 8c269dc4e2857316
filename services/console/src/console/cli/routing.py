"""`waybill routing`: try rules with files alone. The planner is the router's own, run as a program of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Routing: try rules with files alone.")


@app.command()
def plan(
    config: Annotated[Path, typer.Option(help="a configuration file with sources, routing and stock")],
    orders: Annotated[
        Path, typer.Option(help="orders, one JSON a line: {number, country, lines: [{line, sku, quantity}]}")
    ],
    sequential: Annotated[bool, typer.Option("--sequential", help="earlier orders use the stock up")] = False,
) -> None:
    """Plan each order against a file's sources and stock; prints one decision a line, needs no server."""
    command = [sys.executable, "-m", "router.plan", "--config", str(config), "--orders", str(orders)]
    # the router's code is not imported here: services never import each other
    raise typer.Exit(subprocess.run([*command, *(["--sequential"] if sequential else [])], check=False).returncode)  # noqa: S603


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="stored decisions of an order, JSON (- = standard input)")],
    config: Annotated[Path, typer.Option(help="the configuration that they were made by")],
) -> None:
    """Solve stored decisions again with another solver, and say whether they were the cheapest."""
    command = [sys.executable, "-m", "router.check_decision", str(file), "--config", str(config)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603
