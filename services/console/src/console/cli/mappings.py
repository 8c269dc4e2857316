"""`waybill channels mappings`: names of a channel, what waits for one, and giving it one (IN-11)."""

from typing import Annotated, Any

import typer

from console.cli import releases
from console.cli.client import call, err, misused, out, print_json, print_table
from console.cli.options import Json


def mappings(
    channel: Annotated[str, typer.Argument(help="a channel's id")],
    kind: Annotated[str, typer.Argument(help="skus, shipping-methods, couriers or courier-services")],
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="THEIRS=OURS (couriers: OURS=THEIRS); a kit: PACK=SKU-2*6+SKU-3*1")
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="a name to take out")] = None,
    unmapped: Annotated[str | None, typer.Option(help="hold or pass what has no name")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    as_json: Json = False,
) -> None:
    """Show a channel's names and what waits for one; with --set give it one: says what that releases, asks, saves.

    Example: waybill channels mappings acme-shop skus --set SHOP-1=SKU-1
    """
    path = f"/channels/{channel}/mappings/{kind}"
    found = call("GET", path)
    if not (assign or remove or unmapped):
        _show(found, kind, as_json=as_json)
        return
    wanted = {name: found[name] for name in ("map", "unmapped", "services") if found.get(name)}
    wanted["map"] = {name: ours for name, ours in found["map"].items() if name not in (remove or [])}
    wanted["map"] |= dict(_pair(text, kind) for text in assign or [])
    wanted["unmapped"] = unmapped or found["unmapped"]
    preview = call("PUT", path, params={"dry_run": True}, json=wanted)
    count = preview["releases"]
    if not as_json:
        _promise(channel, count)
    if not (yes or as_json or typer.confirm("Save?")):
        raise typer.Exit(1)
    saved = call("PUT", path, params={"wait": 30}, json=wanted)
    if as_json:
        print_json(saved)
        return
    out.print(f"Saved as version {saved['version']}.", highlight=False)
    if saved["pending"]:
        err.print(f"Not answered yet by {', '.join(sorted({p['service'] for p in saved['pending']}))}; they will.")
    if saved["releases"] and "token" in saved["releases"]:
        releases.show_outcome([saved["releases"]])


def _promise(channel: str, count: dict[str, Any] | None) -> None:
    if count is None:
        out.print("How many orders that releases cannot be said now; it can be saved all the same.")
    else:
        out.print(f"{channel}: releases {count['releases']} orders", markup=False, highlight=False)


def _show(found: dict[str, Any], kind: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    names = [[name, _words(ours)] for name, ours in sorted(found["map"].items())]
    print_table(f"{found['channel']}: {kind}", ["name", "stands for"], names, "No name is mapped.")
    out.print(f"A name that is not in the map: {found['unmapped']}")
    waiting = [[w.get("name") or w.get("carrier"), w["orders"]] for w in found["waiting"]]
    print_table("Waiting for a name", ["name", "orders"], waiting, "Nothing waits for a name.")


def _words(ours: Any) -> str:
    return ours if isinstance(ours, str) else " + ".join(f"{part['quantity']} × {part['sku']}" for part in ours)


def _pair(text: str, kind: str) -> tuple[str, Any]:
    name, equals, ours = text.partition("=")
    if not (name and equals and ours):
        misused(f"--set {text!r} is no pair of names", "NAME=NAME, e.g. --set SHOP-1=SKU-1")
    if kind != "skus" or "*" not in ours:
        return name, ours
    return name, [_part(text, part) for part in ours.split("+")]


def _part(text: str, part: str) -> dict[str, Any]:
    sku, _, quantity = part.rpartition("*")
    if not sku or not quantity.isdigit() or int(quantity) < 1:
        misused(f"--set {text!r} is no kit", "PACK=SKU-2*6+SKU-3*1")
    return {"sku": sku, "quantity": int(quantity)}
