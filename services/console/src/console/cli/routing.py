"""`waybill routing`: try rules with files alone, check decisions, and run other rules over past orders.

The planner is the router's own, run as a program of its own: services never import each other.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from console.cli import orders as orders_cli
from console.cli.actuals import send_charges, show_actuals
from console.cli.amounts import cents
from console.cli.client import call, fail, misused, out, print_json, print_table
from console.cli.config import load
from console.cli.options import Json
from console.cli.simulation import moment, show_summary, simulated

app = typer.Typer(no_args_is_help=True, help="Routing: try rules, check decisions, simulate changes.")


@app.command()
def plan(
    config: Annotated[Path, typer.Option(help="a configuration file with sources, routing and stock")],
    orders: Annotated[
        Path, typer.Option(help="orders, one JSON a line: {number, country, lines: [{line, sku, quantity}]}")
    ],
    sequential: Annotated[bool, typer.Option("--sequential", help="earlier orders use the stock up")] = False,
) -> None:
    """Plan each order against a file's sources and stock; prints one decision a line, needs no server.

    Example: waybill routing plan --config config.yaml --orders orders.jsonl
    """
    command = [sys.executable, "-m", "router.plan", "--config", str(config), "--orders", str(orders)]
    raise typer.Exit(subprocess.run([*command, *(["--sequential"] if sequential else [])], check=False).returncode)  # noqa: S603


@app.command()
def check(
    what: Annotated[str, typer.Argument(help="an order's number, or a file of stored decisions (- = standard input)")],
    config: Annotated[
        Path | None, typer.Option(help="the configuration that the decisions of a file were made by")
    ] = None,
) -> None:
    """Solve stored decisions again with another solver, and say whether they were the cheapest.

    Example: waybill routing check 1001
    """
    if config is not None:
        raise typer.Exit(_check(what, config))
    if what == "-" or Path(what).is_file():
        misused("--config is missing", "--config FILE: the configuration that the file's decisions were made by")
    decisions = call("GET", f"/orders/{orders_cli.find(what)}/decisions")["items"]
    if not decisions:
        fail(f"order {what} has no routing decision yet", "see what it waits for: waybill orders show")
    raise typer.Exit(max(_check_stored(decision) for decision in decisions))


def _check_stored(decision: dict[str, Any]) -> int:
    """By the rules of its own version."""
    version = decision["event"]["decision"].get("rules_version") or decision["config_revision"]
    document = call("GET", f"/routing/versions/{version}")
    if not document["routing"]["groups"]:
        out.print(f"Decision {decision['decision_id']} was made before there was any routing group: nothing to check.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        config, file = Path(folder) / "config.yaml", Path(folder) / "decision.json"
        config.write_text(yaml.safe_dump(document))
        file.write_text(json.dumps(decision))
        return _check(str(file), config)


def _check(file: str, config: Path) -> int:
    command = [sys.executable, "-m", "router.check_decision", file, "--config", str(config)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
    out.print(done.stdout, markup=False, highlight=False, soft_wrap=True, end="")
    return done.returncode


@app.command()
def decisions(order: Annotated[str, typer.Argument(help="an order's number or our id")], as_json: Json = False) -> None:
    """Every routing decision about an order, stage by stage; with --json what each was made from too.

    Example: waybill routing decisions 1001
    """
    items = call("GET", f"/orders/{orders_cli.find(order)}/decisions")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        [item["at"][:19], item["event"]["decision"].get("rules_version"), stage["stage"], stage_words(stage)]
        for item in items
        for stage in item["stages"] or []
    ]
    print_table(f"Decisions about {order}", ["at", "rules", "stage", "in words"], rows, "No decision yet.")


def stage_words(stage: dict[str, Any]) -> str:
    """One stage of a generation (RT-12)."""
    match stage["stage"]:
        case "routed" if stage["by_hand"]:
            return f"by {stage['by_hand']['actor']}, no rule asked: {' + '.join(stage['sources'])} for {_price(stage)}"
        case "routed" if stage["cost"]:
            return f"group {stage['group']} ({_rule(stage)}): {' + '.join(stage['sources'])} for {_price(stage)}"
        case "routed":
            return f"group {stage['group']} ({_rule(stage)}): no plan, {stage['unfulfilled']} lines stay behind"
        case "fr_added":
            units = ", ".join(f"{quantity} × {sku}" for _, sku, quantity in stage["lines"])
            return f"{stage['source']}: {units}"
        case "strategies_applied":
            ours, theirs = stage["shipping_method"]
            method = f", {ours} is {theirs} there" if ours != theirs else ""
            sent = "sent by itself" if stage["auto_process"] else "waits for process"
            return f"number {stage['number']}, {sent}{method}"
        case _:
            return f"{stage['standing']}" + (f": {stage['reason']} ({stage['detail']})" if stage["reason"] else "")


def _price(stage: dict[str, Any]) -> str:
    return f"{cents(stage['cost'])} {stage.get('currency') or ''}".rstrip()


def _rule(stage: dict[str, Any]) -> str:
    """`rules[0]` is the first rule of the file."""
    at = re.fullmatch(r"rules\[(\d+)\]", stage["rule"] or "")
    return f"by rule {int(at[1]) + 1}" if at else "no rule matched: the default group"


@app.command()
def versions(as_json: Json = False) -> None:
    """Each change of groups, rules or costs, the newest first. A decision names its version as rules_version.

    Example: waybill routing versions
    """
    items = call("GET", "/routing/versions")["items"]
    if as_json:
        print_json(items)
        return
    rows = [[item["revision"], item["at"][:19], ", ".join(item["changed"])] for item in items]
    print_table("Versions of the rules", ["version", "since", "changed"], rows, "Nothing is configured yet.")


@app.command()
def simulate(
    draft: Annotated[Path | None, typer.Option(help="a configuration file, or a part of one")] = None,
    version: Annotated[int | None, typer.Option(help="a version of the rules: waybill routing versions")] = None,
    since: Annotated[str, typer.Option(help="a time, or how long ago: 7d, 12h, 2026-11-01")] = "7d",
    until: Annotated[str, typer.Option(help="a time, or how long ago")] = "now",
    limit: Annotated[int, typer.Option(min=1, help="orders shown behind each number")] = 20,
    as_json: Json = False,
) -> None:
    """What other rules would have decided over past orders, on the stock and costs of then. Changes nothing.

    Example: waybill routing simulate --draft new-rules.yaml --since 30d
    """
    if (draft is None) == (version is None):
        misused("one of the two is wanted", "either --draft FILE or --version N")
    asked: dict[str, Any] = {"since": moment(since).isoformat(), "until": moment(until).isoformat()}
    asked |= {"version": version} if draft is None else {"draft": without_secrets(load(draft))}
    summary, changes = simulated(asked, progress=not as_json)
    if as_json:
        print_json({**summary, "changes": changes})
    else:
        show_summary(f"version {version}" if draft is None else str(draft), summary, changes, limit)


@app.command()
def actuals(
    file: Annotated[
        Path | None, typer.Argument(help="what sources charged: CSV with source, number, total, currency")
    ] = None,
    since: Annotated[str, typer.Option(help="without a file: charges told since then, e.g. 30d")] = "30d",
    limit: Annotated[int, typer.Option(min=1, help="orders shown")] = 20,
    as_json: Json = False,
) -> None:
    """Set what sources charged against the estimates, by source and rule, and say what true prices would have changed.

    Example: waybill routing actuals invoice-november.csv
    """
    params = {"since": moment(since).isoformat()} if file is None else {"batch": send_charges(file)}
    report = call("GET", "/routing/actuals", params=params, timeout=600.0)
    if as_json:
        print_json(report)
    else:
        show_actuals(report, limit)


def without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    """Rules are tried without credentials: those of a draft stay on this machine."""
    bare = dict(document)
    for store in bare.get("stores") or []:
        for channel in store.get("channels") or []:
            channel.pop("credentials", None)
    for source in bare.get("sources") or []:
        source.pop("credentials", None)
    return bare
