"""`waybill stats`, `records`, `alerts`, `channels`, `sources`, `dead-letters`, `keys`."""

from typing import Annotated

import typer

from console.cli import channels as channel_commands
from console.cli.acting import act, show
from console.cli.client import call, listed, out, print_json, print_table
from console.cli.options import Json, Limit
from console.cli.webhooks import webhooks

records = typer.Typer(no_args_is_help=True, help="Transaction records: exchanges with platforms.")
alerts = typer.Typer(no_args_is_help=True, help="What needs a look.")
channels = typer.Typer(no_args_is_help=True, help="Where buyers order.")
sources = typer.Typer(no_args_is_help=True, help="Who ships.")
letters = typer.Typer(no_args_is_help=True, help="Records that could not be read, kept whole.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")


def stats(as_json: Json = False) -> None:
    """How many orders are where, what is held and why."""
    answer = call("GET", "/stats")
    if as_json:
        print_json(answer)
        return
    orders = answer["orders"]
    rows = [[stage, n, answer["oldest"].get(stage, "")] for stage, n in orders["by_stage"].items()]
    print_table(f"{orders['total']} orders", ["stage", "orders", "oldest, s"], rows, "No orders yet.")
    for title in ("held", "unroutable", "excluded", "by_sync"):
        if orders[title]:
            print_table(title, ["reason", "orders"], [[k, v] for k, v in orders[title].items()], "")


channels.command("pull")(channel_commands.pull)
channels.command("audit")(channel_commands.audit)
channels.command("webhooks")(webhooks)


@sources.command()
def poll(source: str) -> None:
    """Ask a source for shipments now."""
    show(act(f"/sources/{source}/poll"))


@sources.command()
def send(source: str) -> None:
    """Send a source what is due now."""
    show(act(f"/sources/{source}/send"))


@records.command("list")
def list_records(
    connection: Annotated[str | None, typer.Option(help="a channel's or source's id")] = None,
    log_type: Annotated[str | None, typer.Option(help="get_orders, submit_request, submit_fulfillment, ...")] = None,
    outcome: Annotated[str | None, typer.Option(help="ok, later, refused, unauthorized, unreadable, unknown")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List exchanges, newest first; `--json` shows requests and responses.

    Example: waybill records list --outcome later
    """
    items = listed("/records", connection=connection, log_type=log_type, outcome=outcome, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [r["at"], r["connection"], r["log_type"], r["attempt"], r["outcome"], r["status"], f"{r['duration_ms']:.0f}"]
        for r in items
    ]
    print_table(
        "Records", ["at", "connection", "log type", "attempt", "outcome", "status", "ms"], rows, "No record matches."
    )


@alerts.command("list")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="cleared ones too")] = False, as_json: Json = False
) -> None:
    """List open alerts."""
    items = call("GET", "/alerts", params={"all": everything})["items"]
    if as_json:
        print_json(items)
        return
    print_table(
        "Alerts",
        ["since", "what", "detail"],
        [[a["raised_at"], a["title"], a["detail"]] for a in items],
        "No alert is open.",
    )


@channels.command("list")
def list_channels(as_json: Json = False) -> None:
    """List channels."""
    _entities("/channels", as_json)


@sources.command("list")
def list_sources(as_json: Json = False) -> None:
    """List sources."""
    _entities("/sources", as_json)


def _entities(path: str, as_json: bool) -> None:
    items = call("GET", path)["items"]
    if as_json:
        print_json(items)
        return
    states = {(c["connection"], c["service"]): c["state"] for c in call("GET", "/connections")["items"]}
    rows = []
    for item in items:
        bad = sorted({state for (connection, _), state in states.items() if connection == item["id"] and state != "ok"})
        rows.append([item["id"], item["platform"], item.get("url"), ", ".join(bad) or "ok"])
    print_table(
        path.strip("/"), ["id", "platform", "url", "state"], rows, "None is configured: waybill apply -f config.yaml"
    )


@letters.command("list")
def list_letters(service: str | None = None, as_json: Json = False) -> None:
    """List open dead letters with reason and position."""
    answer = call("GET", "/dead-letters", params={"service": service} if service else {})
    if as_json:
        print_json(answer)
        return
    rows = [
        [x["service"], x["id"], x["topic"], f"{x.get('partition')}:{x.get('offset')}", x["reason"]]
        for x in answer["items"]
    ]
    print_table("Dead letters", ["service", "id", "topic", "position", "reason"], rows, "No dead letter is open.")
    for text in answer["unanswered"]:
        out.print(text, style="yellow")


@letters.command("show")
def show_letter(service: str, letter: int) -> None:
    """One dead letter with its original bytes."""
    items = call("GET", "/dead-letters", params={"service": service, "limit": 500})["items"]
    print_json([item for item in items if item["id"] == letter])


@letters.command()
def replay(service: str, letter: int) -> None:
    """Take a dead letter in once more."""
    print_json(call("POST", f"/dead-letters/{service}/{letter}/replay"))


@letters.command()
def discard(service: str, letter: int, reason: Annotated[str, typer.Option(help="why it is not wanted")]) -> None:
    """Close a dead letter without taking it in."""
    print_json(call("POST", f"/dead-letters/{service}/{letter}/discard", json={"reason": reason}))


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List keys; the keys themselves are never shown again."""
    items = call("GET", "/keys")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        [k["key_id"], k["name"], k["role"], k["last_used_at"], "revoked" if k["revoked_at"] else "in use"]
        for k in items
    ]
    print_table("Keys", ["id", "name", "role", "last used", "state"], rows, "No keys.")


@keys.command("create")
def create_key(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, operator or admin")] = "viewer",
    store: Annotated[list[str] | None, typer.Option(help="sees only this store's orders; may be repeated")] = None,
    as_json: Json = False,
) -> None:
    """Make a key; it is shown now and never again."""
    answer = call("POST", "/keys", json={"name": name, "role": role, "stores": store or None})
    if as_json:
        print_json(answer)
        return
    out.print(f"{answer['key']}", highlight=False)


@keys.command("revoke")
def revoke_key(key_id: str) -> None:
    """End a key at once."""
    print_json(call("DELETE", f"/keys/{key_id}"))
