"""OP-8, for a user with only `--help`: every command teaches by an example that runs, in a terminal of any width."""

from __future__ import annotations

import inspect
import io
import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
import yaml
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from console.cli import client
from console.cli.program import app
from waybill_contracts.configuration import Configuration

PROGRAM = get_command(app)
_EXAMPLE = re.compile(r"(?<![`\w])waybill (?!up\b.*prints)[^;`]+")


def commands(group: Any = PROGRAM, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command with the words that lead to it."""
    if hasattr(group, "commands"):
        for name, command in group.commands.items():
            yield from commands(command, (*path, name))
    else:
        yield path, group


ALL = {" ".join(path): command for path, command in commands()}


def examples(command: Any) -> list[str]:
    """What stands behind "Example:", "Examples:" or "Begin:" in its help."""
    text = inspect.cleandoc(command.callback.__doc__ or "") if command.callback else ""
    marked = re.findall(r"(?:Examples?|Begin):\s+((?:.|\n)*?)(?:\n\n|\Z)", text)
    return [found.strip().rstrip(".") for part in marked for found in _EXAMPLE.findall(" ".join(part.split()))]


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_has_an_example_that_it_understands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "a long password")  # asked for, never in an example
    found = examples(ALL[name])
    assert found, f"waybill {name} --help shows no example"
    for example in found:
        words = shlex.split(example.split(" > ")[0])[1:]
        for word in words:
            if re.fullmatch(r"[\w.-]+\.(csv|gz|yaml|jsonl)", word):
                (tmp_path / word).touch()  # a file that the example names
        length = len(name.split())
        assert words[:length] == name.split(), f"{example!r} is of another command"
        with pytest.raises(typer.Exit) if "--example" in words else nullcontext():
            ALL[name].make_context(name, words[length:], resilient_parsing=False).close()


@pytest.mark.parametrize("width", [80, 120])
def test_no_help_is_wider_than_its_terminal(width: int) -> None:
    for name in ["", *ALL]:
        shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": str(width), "TERM": "dumb"})
        assert shown.exit_code == 0, name
        assert max(len(line) for line in shown.output.splitlines()) <= width, name


def test_the_help_says_where_to_begin_and_what_exit_codes_mean() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100", "TERM": "dumb"}).output

    for words in ("waybill apply --example", "waybill failures", "Exit codes: 0 done; 1 refused", "WAYBILL_API_KEY"):
        assert words in " ".join(shown.split())


def test_the_file_to_begin_with_is_a_valid_configuration() -> None:
    shown = CliRunner().invoke(app, ["apply", "--example"], env={"COLUMNS": "40", "TERM": "dumb"})

    document = Configuration.model_validate(yaml.safe_load(shown.output))
    assert [source.id for source in document.sources] == ["east", "west"]
    assert len(document.stores[0].channels) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [(["orders", "lsit"], 2), (["frs", "preview"], 2), (["stats", "--jsn"], 2), (["orders", "--help"], 0)],
)
def test_a_command_that_is_not_understood_is_exit_code_2(words: list[str], code: int) -> None:
    assert CliRunner().invoke(app, words, env={"TERM": "dumb"}).exit_code == code


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("waybill or", "orders"), ("waybill dead-letters re", "replay"), ("waybill stats --j", "--json")],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell: str, typed: str, offered: str) -> None:
    words = typed.split()
    env = {
        "_WAYBILL_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    shown = CliRunner().invoke(app, [], env=env, prog_name="waybill")

    assert offered in shown.output


class _Slow(BaseHTTPRequestHandler):
    seconds = 0.0

    def do_GET(self) -> None:
        time.sleep(self.seconds)
        body = json.dumps({"items": [], "unanswered": []}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(("seconds", "told"), [(0.6, True), (0.0, False)])
def test_what_takes_a_while_says_so_on_a_terminal(seconds: float, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(client, "err", screen)
    monkeypatch.setattr(client, "SLOW", 0.05 if told else 60.0)
    monkeypatch.setattr(_Slow, "seconds", seconds)
    server = HTTPServer(("127.0.0.1", 0), _Slow)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        env = {"WAYBILL_URL": f"http://127.0.0.1:{server.server_port}", "WAYBILL_API_KEY": "wb_k"}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        client.call("GET", "/dead-letters")
    finally:
        server.shutdown()
    assert ("works on it" in screen.file.getvalue()) is told  # type: ignore[attr-defined]  # a StringIO, see above
