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

from console.cli import client, program
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


ROWS = [["01a21ee7-1367-77a3-9fd4-4b3ec0ef0999", "acme-shop", "[red] is no colour here"], ["2", "", None]]


def _printed(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, columns: str | None) -> str:
    file = io.StringIO()
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(client, "out", Console(file=file, force_terminal=terminal))
    client.print_table("Things", ["id", "channel", "why"], ROWS, "None.")
    return file.getvalue()


def test_a_table_in_a_narrow_terminal_becomes_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _printed(monkeypatch, terminal=True, columns="60")

    assert (
        "id       01a21ee7-1367-77a3-9fd4-4b3ec0ef0999\nchannel  acme-shop\nwhy      [red] is no colour here" in shown
    )
    assert "channel  \n" not in shown, "what is empty is left out"


def test_a_table_for_another_program_has_a_line_for_each_row_and_no_control_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = _printed(monkeypatch, terminal=False, columns=None)

    [line] = [line for line in shown.splitlines() if "acme-shop" in line]
    assert "01a21ee7-1367-77a3-9fd4-4b3ec0ef0999" in line
    assert "[red] is no colour here" in line
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown)


def test_no_colour_is_shown_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr(client, "err", coloured)
    with pytest.raises(typer.Exit):
        client.fail("why", "what would work")

    assert "\x1b[31m" not in coloured.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, see above


@pytest.mark.parametrize("words", [["orders", "list", "--stage", "hold"], ["frs", "list", "--state", "SENT"],
                                   ["keys", "create", "x", "--role", "king"]])  # fmt: skip
def test_a_word_that_is_none_of_those_there_are_is_exit_code_2_and_names_them(words: list[str]) -> None:
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "200", "TERM": "dumb"})

    assert shown.exit_code == 2
    assert "is not one of" in shown.output


def test_what_nobody_thought_of_is_a_sentence_and_its_stack_is_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("by nothing")

    said = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(program, "app", broken)
    monkeypatch.setattr(client, "err", said)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        program.main()

    text = said.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, see above
    assert ended.value.code == 1
    assert text.startswith("a fault of waybill's own (ZeroDivisionError): by nothing\nTry: report it with ")
    assert "Traceback" not in text
    [kept] = tmp_path.glob("waybill-fault-*.txt")
    assert "ZeroDivisionError: by nothing" in kept.read_text()


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        client.save(tmp_path / "no" / "config.yaml", "stores: []")

    assert "Try: name a file in a directory" in capsys.readouterr().err
