"""`waybill stats`, `alerts`, `channels`, `sources`, `keys`."""

from typing import Annotated, Any

import typer

from console.cli import channels as channel_commands
from console.cli.acting import act, show
from console.cli.client import ask, call, out, print_json, print_table
from console.cli.options import Json
from console.cli.probes import probe_channel, probe_source
from console.cli.webhooks import webhooks_of_channel, webhooks_of_source
from console.words import Role

alerts = typer.Typer(no_args_is_help=True, help="What needs a look.")
channels = typer.Typer(no_args_is_help=True, help="Where buyers order.")
sources = typer.Typer(no_args_is_help=True, help="Who ships.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
SourceId = Annotated[str, typer.Argument(help="a source's id")]


def stats(as_json: Json = False) -> None:
    """How many orders are where, what is held and why.

    Example: waybill stats
    """
    answer = call("GET", "/stats")
    if as_json:
        print_json(answer)
        return
    orders = answer["orders"]
    rows = [[stage, n, _age(answer["oldest"].get(stage))] for stage, n in orders["by_stage"].items()]
    as_of = f", as of {answer['as_of'][:19]}Z" if answer["as_of"] else ""
    print_table(f"{orders['total']} orders{as_of}", ["stage", "orders", "oldest"], rows, "No orders yet.")
    for title in ("held", "unroutable", "excluded", "by_sync"):
        if orders[title]:
            print_table(_TITLES[title], ["reason", "orders"], [[k, v] for k, v in orders[title].items()], "")


_TITLES = {
    "held": "Held", "unroutable": "Waiting for a source", "excluded": "Not imported", "by_sync": "Told to the channel",
}  # fmt: skip


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


channels.command("pull")(channel_commands.pull)
channels.command("audit")(channel_commands.audit)
channels.command("webhooks")(webhooks_of_channel)
sources.command("webhooks")(webhooks_of_source)
channels.command("probe")(probe_channel)
sources.command("probe")(probe_source)


@sources.command()
def poll(source: SourceId) -> None:
    """Ask a source for shipments now.

    Example: waybill sources poll east
    """
    show(act(f"/sources/{source}/poll"))


@sources.command()
def send(source: SourceId) -> None:
    """Send a source what is due now.

    Example: waybill sources send east
    """
    show(act(f"/sources/{source}/send"))


@alerts.command("list")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="cleared ones too")] = False, as_json: Json = False
) -> None:
    """List open alerts.

    Example: waybill alerts list --all
    """
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
    """List channels: whether each answers, and when it was and will be looked at (UTC).

    Example: waybill channels list
    """
    turns = {turn["channel"]: turn for turn in _schedule("channels")}
    _entities("/channels", as_json, ["last pull", "next pull"], turns, ["last_pull_at", "next_pull_at"])


@sources.command("list")
def list_sources(as_json: Json = False) -> None:
    """List sources: whether each answers, and when it was and will be looked at (UTC).

    Example: waybill sources list
    """
    turns = {turn["source"]: turn for turn in _schedule("sources")}
    _entities("/sources", as_json, ["last poll", "next poll"], turns, ["last_poll_at", "next_poll_at"])


def _schedule(kind: str) -> list[dict[str, Any]]:
    """Each one's turns; none where nobody can be asked: a list must not wait for them."""
    found = ask("GET", "/schedule")
    return found[kind] if found else []


def _entities(path: str, as_json: bool, more: list[str], turns: dict[str, Any], moments: list[str]) -> None:
    items = call("GET", path)["items"]
    if as_json:
        print_json(items)
        return
    states = {(c["connection"], c["service"]): c["state"] for c in call("GET", "/connections")["items"]}
    rows = []
    for item in items:
        bad = sorted({state for (connection, _), state in states.items() if connection == item["id"] and state != "ok"})
        told = [(turns.get(item["id"], {}).get(name) or "")[:19] for name in moments]
        rows.append([item["id"], item["platform"], item.get("url"), ", ".join(bad) or "ok", *told])
    names = ["id", "platform", "url", "state", *more]
    print_table(path.strip("/"), names, rows, "None is configured: waybill apply -f config.yaml")


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List keys; the keys themselves are never shown again.

    Example: waybill keys list
    """
    items = call("GET", "/keys")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        [
            k["key_id"],
            k["name"],
            k["role"],
            ", ".join(k["scopes"] or ["all of it"]),
            k["last_used_at"],
            "revoked" if k["revoked_at"] else "in use",
        ]
        for k in items
    ]
    print_table("Keys", ["id", "name", "role", "scopes", "last used", "state"], rows, "No keys.")


@keys.command("create")
def create_key(
    name: str,
    role: Annotated[Role, typer.Option(help="viewers read, operators act, admins configure")] = "viewer",
    store: Annotated[list[str] | None, typer.Option(help="sees only this store's orders; may be repeated")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="only this of what its role may, e.g. orders:read; may be repeated")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key; it is shown now and never again.

    Example: waybill keys create erp --role operator --scope orders:read --scope frs:write
    """
    body = {"name": name, "role": role, "stores": store or None, "scopes": scope or None}
    answer = call("POST", "/keys", json=body)
    if as_json:
        print_json(answer)
        return
    out.print(f"{answer['key']}", highlight=False)


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="its id, not the key: waybill keys list")]) -> None:
    """End a key at once.

    Example: waybill keys revoke 0198c5a0-0000-7000-8000-000000000001
    """
    print_json(call("DELETE", f"/keys/{key_id}"))
