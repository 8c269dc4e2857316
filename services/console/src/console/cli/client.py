"""The REST API as the command line sees it: one place for address, key and what to say when it does not answer."""

import json
import os
from typing import Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

out = Console()
err = Console(stderr=True)


def url() -> str:
    return os.environ.get("WAYBILL_URL", "http://127.0.0.1:8080").rstrip("/")


def call(method: str, path: str, **options: Any) -> Any:
    """The answer's JSON. Anything else ends the program with code 1 and one message."""
    key = os.environ.get("WAYBILL_API_KEY", "")
    if not key:
        fail(
            "WAYBILL_API_KEY is not set: set it to the key that `make run` printed, or to one of `waybill keys create`"
        )
    options.setdefault("timeout", 90.0)
    try:
        answer = httpx.request(method, f"{url()}/api/v1{path}", headers={"Authorization": f"Bearer {key}"}, **options)
    except httpx.HTTPError as error:
        fail(f"no answer from {url()} ({type(error).__name__}): is the console running? WAYBILL_URL says where it is")
    if answer.status_code >= 400:
        _refused(answer)
    return answer.json()


def _refused(answer: httpx.Response) -> None:
    try:
        problem = answer.json()
    except ValueError:
        fail(f"{answer.request.url} answered {answer.status_code}: {answer.text[:200]}")
    errors = problem.get("errors")
    if not errors:
        fail(f"{problem.get('title', 'Refused')}: {problem.get('detail', '')}")
    err.print(f"[red]{problem['title']}[/red]")
    for item in errors:
        err.print(f"  {item['path']}: {item['message']}", markup=False, highlight=False)
    raise typer.Exit(1)


def fail(message: str) -> Any:
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def print_json(answer: Any) -> None:
    out.print(json.dumps(answer, indent=2, ensure_ascii=False), markup=False, highlight=False, soft_wrap=True)


def print_table(title: str, names: list[str], found: list[list[Any]], empty: str) -> None:
    if not found:
        out.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in found:
        table.add_row(*["" if value is None else str(value) for value in row])
    out.print(table)


def listed(path: str, **params: Any) -> list[dict[str, Any]]:
    """All pages up to `limit` rows."""
    limit = int(params.get("limit", 50))
    items: list[dict[str, Any]] = []
    wanted = {name: value for name, value in params.items() if value is not None}
    while len(items) < limit:
        wanted["limit"] = min(limit - len(items), 500)
        answer = call("GET", path, params=wanted)
        items += answer["items"]
        if not answer.get("next"):
            break
        wanted["cursor"] = answer["next"]
    return items
