"""The REST API as the command line sees it: one place for address, key and what to say when it does not answer."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any, NoReturn

import httpx
import typer
from rich.console import Console
from rich.errors import LiveError
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

out = Console()
err = Console(stderr=True)
NARROW = 80
"""Columns below which a table that does not fit is printed as blocks."""
_WIDEST = 10_000
SLOW = 1.0
"""Seconds after which a person is told that something goes on."""


def url() -> str:
    return os.environ.get("WAYBILL_URL", "http://127.0.0.1:8080").rstrip("/")


_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of what is harmless to repeat: a restart must not cost a long import."""
_PASSING = (429, 502, 503, 504)


def call(method: str, path: str, **options: Any) -> Any:
    """The answer's JSON. Anything else ends the program with code 1 and one message."""
    return fetch(method, path, **options).json()


def fetch(method: str, path: str, **options: Any) -> httpx.Response:
    """The answer itself, when it is one that was asked for."""
    try:
        answer = _ask(method, path, options)
    except httpx.HTTPError as error:
        silent(error)
    if answer.status_code >= 400:
        refused(answer)
    return answer


def ask(method: str, path: str, **options: Any) -> Any:
    """The answer's JSON, or None when there is none now: for what is good to know and must hold nothing up."""
    try:
        answer = _ask(method, path, options)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.status_code < 400 else None


def call_patiently(method: str, path: str, **options: Any) -> Any:
    """`call` for what is harmless to repeat: what may pass by itself is waited for, and then asked again."""
    for wait in _WAITS:
        try:
            answer = _ask(method, path, options)
        except httpx.HTTPError:
            pass
        else:
            if answer.status_code < 400:
                return answer.json()
            if answer.status_code not in _PASSING:
                refused(answer)
        time.sleep(wait)
    return call(method, path, **options)


def _ask(method: str, path: str, options: dict[str, Any]) -> httpx.Response:
    key = os.environ.get("WAYBILL_API_KEY", "")
    if not key:
        fail(
            "WAYBILL_API_KEY is not set",
            "set it to the key that `waybill up` printed, or to one of `waybill keys create`",
        )
    headers = {"Authorization": f"Bearer {key}", **options.get("headers", {})}
    if method == "POST":
        headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
    with _patience(f"{url()} works on it"):
        return httpx.request(method, f"{url()}/api/v1{path}", **{"timeout": 90.0, **options, "headers": headers})


@contextmanager
def _patience(text: str) -> Iterator[None]:
    """Says on a terminal that an answer takes a while, once it takes more than a second."""
    status = err.status(text)

    def show() -> None:
        with suppress(LiveError):  # a progress bar is there already
            status.start()

    timer = Timer(SLOW, show)
    if err.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.ident is not None:
            timer.join()
        status.stop()


def silent(error: Exception) -> NoReturn:
    fail(f"no answer from {url()} ({type(error).__name__})", "start `waybill up`, or set WAYBILL_URL to where it runs")


def refused(answer: httpx.Response) -> NoReturn:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "remedy" not in problem:  # of a proxy, or of something else that listens there
        said = f"{answer.request.url} answered {answer.status_code}: {answer.text[:200]}"
        fail(said, "see that WAYBILL_URL is the address of a Waybill")
    title, errors = problem.get("title", "Refused"), problem.get("errors")
    said = title if errors else f"{title}: {problem.get('detail', '')}"
    wrong = [f"  {item['path']}: {item['message']}" for item in errors or ()]
    fail("\n".join([said, *wrong]), problem["remedy"])


def fail(message: str, remedy: str) -> NoReturn:
    """Ends the program: why, and on a line of its own what would work."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    err.print(f"Try: {remedy}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def misused(what: str, write: str) -> NoReturn:
    """Ends the program with code 2: an option is not written as it is read. Nothing was asked or sent."""
    err.print(f"{what}; write {write}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def save(file: Path, content: str | bytes) -> None:
    """Writes a file that was asked for; where it cannot be written, that ends the program."""
    try:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        fail(f"{file}: {error.strerror}", "name a file in a directory that you may write to: -f FILE")


def print_json(answer: Any) -> None:
    out.print(json.dumps(answer, indent=2, ensure_ascii=False), markup=False, highlight=False, soft_wrap=True)


def print_table(title: str, names: list[str], found: list[list[Any]], empty: str) -> None:
    if not found:
        out.print(empty)
        return
    out.print(title, style="italic", markup=False, highlight=False, soft_wrap=True)  # a table's own is as narrow as it
    table = Table(header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    rows = [["" if value is None else str(value) for value in row] for row in found]
    for row in rows:
        table.add_row(*map(escape, row))
    wanted = Measurement.get(out, out.options.update(width=_WIDEST), table).maximum
    if not out.is_terminal and "COLUMNS" not in os.environ:
        Console(file=out.file, width=wanted).print(table)  # for another program: a row is a line
    elif wanted > out.width < NARROW:
        _print_blocks(names, rows)
    else:
        out.print(table)


def _print_blocks(names: list[str], rows: list[list[str]]) -> None:
    """A table in a terminal that is too narrow for it: one block a row, without what is empty."""
    margin = max(map(len, names))
    for row in rows:
        for name, text in zip(names, row, strict=True):
            if text:
                out.print(f"{name:<{margin}}  {text}", markup=False, highlight=False, soft_wrap=True)
        out.print()


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
