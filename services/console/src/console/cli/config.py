"""`waybill apply` and `waybill export`: one file says what is connected to what (OP-6)."""

import os
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from console.cli import releases
from console.cli.client import call, err, fail, out, print_json, save
from console.cli.options import Json


def _print_example(wanted: bool) -> None:
    if wanted:
        out.print(
            (resources.files("console.cli") / "example.yaml").read_text(),
            markup=False, highlight=False, soft_wrap=True, end="",
        )  # fmt: skip
        raise typer.Exit(0)


def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="the configuration, YAML or JSON")],
    example: Annotated[
        bool,
        typer.Option("--example", is_eager=True, callback=_print_example, help="print a whole file to begin with"),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the difference and stop")] = False,
    wait: Annotated[float, typer.Option(help="seconds to wait until every service works by it")] = 30.0,
    as_json: Json = False,
) -> None:
    """Show what a configuration file would change, ask, and apply it in one version.

    Channels, sources, mappings, routing and stock are all in the one file: what is not in it is removed. The difference
    is shown first, with how many waiting orders it releases.

    Begin: waybill apply --example > config.yaml

    Change what is there: waybill export -f config.yaml, edit it, then apply it.

    Example: waybill apply -f config.yaml --dry-run
    """
    document = load(file)
    document["secrets"] = secrets_of(document)
    preview = call("PUT", "/config", params={"dry_run": True}, json=document)
    preview["releases"] = releases.promised(document, preview["changes"])
    if not as_json:
        show_changes(preview)
        releases.show_promised(preview["releases"])
    if dry_run or not (preview["changes"] or preview["stock_levels"]):
        if as_json:
            print_json(preview)
        return
    if not (yes or as_json or typer.confirm("Apply?")):
        raise typer.Exit(1)
    applied = call("PUT", "/config", params={"wait": wait}, json=document, timeout=wait + 30)
    if as_json:
        print_json(applied)
    elif applied["pending"]:
        late = sorted({item["service"] for item in applied["pending"]})
        err.print(f"Stored as version {applied['version']}; not answered yet by {', '.join(late)}; they will.")
    else:
        out.print(f"[green]Applied[/green] as version {applied['version']}; every service works by it.")
        releases.show_outcome(preview["releases"])


def export(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="write here instead of to the terminal")] = None,
    as_json: Json = False,
) -> None:
    """Give the configuration back as a file that `apply` takes. Secrets are `kept`, or the env:NAME they came by.

    Example: waybill export -f config.yaml
    """
    document = call("GET", "/config")
    if as_json:
        print_json(document)
        return
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    if file is None:
        out.print(text, markup=False, highlight=False, soft_wrap=True, end="")
    else:
        save(file, text)


def load(file: Path) -> dict[str, Any]:
    """The file as a mapping; what cannot be read says why."""
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        fail(f"{file}: {error.strerror}", "name a file that can be read: -f FILE")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(f"{file} is no YAML: {error}", "mend that line; `waybill apply --example` shows a sound file")
    if not isinstance(document, dict):
        fail(f"{file} holds {type(document).__name__}, no configuration", "write one with stores, sources, routing")
    return dict(document)


def secrets_of(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Values of the `env:NAME` credentials that are set here. The names stay in the document."""
    found: dict[str, dict[str, str]] = {}
    for name, credentials in _credentials(document):
        for key, value in credentials.items():
            if isinstance(value, str) and value.startswith("env:") and os.environ.get(value[4:]):
                found.setdefault(name, {})[key] = os.environ[value[4:]]
    return found


def _credentials(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Entity name and credentials, where the document has the right shape; the server says what is wrong."""
    stores = [store for store in document.get("stores") or [] if isinstance(store, dict)]
    parts = [("channel", channel) for store in stores for channel in store.get("channels") or []]
    parts += [("source", source) for source in document.get("sources") or []]
    return [
        (f"{kind}/{part.get('id')}", part["credentials"])
        for kind, part in parts
        if isinstance(part, dict) and isinstance(part.get("credentials"), dict)
    ]


def show_changes(preview: dict[str, Any]) -> None:
    marks = {"added": "[green]+[/green]", "changed": "[yellow]~[/yellow]", "removed": "[red]-[/red]"}
    for change in preview["changes"]:
        out.print(f"{marks[change['action']]} {change['entity']}")
        if change["action"] == "changed":
            for path, before, after in differences(change["before"], change["after"]):
                out.print(f"    {path}: {before} -> {after}", markup=False, highlight=False)
    if preview["stock_levels"]:
        out.print(f"[yellow]~[/yellow] {preview['stock_levels']} stock levels")
    if not (preview["changes"] or preview["stock_levels"]):
        out.print("Nothing to change.")
    for warning in preview["warnings"]:
        err.print(f"warning: {warning['path']}: {warning['message']}", markup=False, highlight=False)


def differences(before: Any, after: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Leaves that differ, as (path, before, after)."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted(before.keys() | after.keys()):
            found += differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return found
    return [] if before == after else [(path, before, after)]
