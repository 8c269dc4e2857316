"""What every command that acts shares: it waits if asked to, and says under which id it can be looked at.

Exit code 3: the command is stored, and the service that has to do it has not answered yet.
"""

from typing import Annotated, Any

import typer

from console.cli.client import call, err, print_json

NOT_YET = 3
Wait = Annotated[
    str | None,
    typer.Option("--wait", metavar="10s", help="wait so long (at most 60s) until all that it led to can be read back"),
]


def act(path: str, body: Any = None, wait: str | None = None, **options: Any) -> Any:
    """The answer of an action. Where it stands is said on stderr, so that --json stays what it is."""
    answer = call("POST", path, json=body, params={"wait": wait} if wait else {}, **options)
    command = answer["command"]
    named = f"waybill commands show {answer['command_id']}"
    if command["state"] != "done":
        _say(f"Not answered yet; it is sent until it is: {named}")
        _say(command["trouble"])
        raise typer.Exit(NOT_YET)
    if wait and not command["in_read_model"]:
        _say(f"Done, but not all that it led to can be read yet: {named}")
    else:
        _say(f"command {answer['command_id']}")
    return answer


def show(answer: Any) -> None:
    """The owner's words, with the command's id."""
    print_json({name: value for name, value in answer.items() if name != "command"})


def _say(text: str) -> None:
    if text:
        err.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)
