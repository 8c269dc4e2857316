"""`waybill up`: the whole of Waybill on this machine, with demonstration shops unless told otherwise."""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.live import Live

from console.cli.client import err, out
from console.cli.config import load, secrets_of
from console.up.children import ChildDied
from console.up.report import accounted, closing, line, live
from console.up.world import World
from waybill_common.embedded.postgres import PostgresFailed

_DEMO_ORDERS = 200
_STUCK_SECONDS = 120.0


class _Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def up(
    config: Annotated[Path | None, typer.Option(help="apply this configuration instead of the sandbox's")] = None,
    orders: Annotated[int | None, typer.Option(min=1, help="end by itself when this many orders are settled")] = None,
    no_sandbox: Annotated[bool, typer.Option("--no-sandbox", help="without the demonstration shops")] = False,
    data: Annotated[Path, typer.Option(help="where database, keys, logs and the sandbox's state are kept")] = Path(
        ".waybill/run"
    ),
) -> None:
    """Run everything on this machine: PostgreSQL, a broker, the sandbox shops, the five services.

    Ctrl-C ends it cleanly; started again it goes on where it was. The line that begins with `Shell` is for another
    terminal: after it, every other command finds this console.

    Example: waybill up --no-sandbox --data ./waybill-data
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    world = World(data, lambda text: out.print(f"[dim]·[/dim] {text}", highlight=False))
    code = 0
    try:
        if world.resumed:
            out.print(f"[dim]·[/dim] going on in {world.directory}; remove it to begin anew", highlight=False)
        world.start(sandbox_orders=None if no_sandbox else orders or _DEMO_ORDERS, shops="all")
        _apply(world, config, no_sandbox)
        _tell_where(world, no_sandbox)
        code = _watch(world, None if no_sandbox else orders or _DEMO_ORDERS, ends=orders is not None)
    except _Stopped:
        out.print("\nStopping: what is in hand is finished first.")
    except (ChildDied, PostgresFailed, httpx.HTTPError) as error:
        err.print(f"{error}", style="red", markup=False, highlight=False)
        code = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        killed = world.stop()
    if killed:
        err.print(f"had to be killed: {', '.join(killed)}", style="red")
        code = code or 1
    raise typer.Exit(code)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def _apply(world: World, config: Path | None, no_sandbox: bool) -> None:
    if config is not None:
        document: dict[str, Any] = load(config)
        document["secrets"] = secrets_of(document)
    elif not no_sandbox:
        document = yaml.safe_load(world.sandbox("config.yaml").text)
    else:
        return
    answer = world.api("PUT", "/config", params={"wait": 30}, json=document)
    if answer.status_code != 200:
        problem = answer.json()
        lines = [f"  {item['path']}: {item['message']}" for item in problem.get("errors", [])]
        raise ChildDied("\n".join([f"{problem['title']} ({problem['status']})", *lines]))


def _tell_where(world: World, no_sandbox: bool) -> None:
    out.print(f"\nConsole  {world.console_url}\nSign in  {world.admin_key}", highlight=False)
    out.print(
        f"Shell    export WAYBILL_URL={world.console_url} WAYBILL_API_KEY={world.admin_key}",
        highlight=False,
        soft_wrap=True,
    )
    if not no_sandbox:
        out.print(f"Sandbox  {world.sandbox_url}/_sandbox/", highlight=False)
    out.print(
        "Topics on this broker are not durable; upstream systems use the API here, or a real Kafka.\n", highlight=False
    )


def _watch(world: World, expected: int | None, *, ends: bool) -> int:
    """Until all orders are where they stay (when it `ends`), or for ever."""
    started = moved = time.monotonic()
    last = ""
    with Live(console=out, refresh_per_second=4, transient=True, auto_refresh=False) as display:
        while True:
            world.children.check()
            stats = world.api("GET", "/stats").raise_for_status().json()
            known = stats["orders"]["total"] + sum(stats["orders"]["excluded"].values())
            now = line(stats, expected or known)
            if now != last:
                moved, last = time.monotonic(), now
                if not out.is_terminal:
                    out.print(now, highlight=False)
            display.update(live(stats, expected or max(known, 1), world.console_url), refresh=out.is_terminal)
            if ends and expected is not None:
                if accounted(stats) >= expected:
                    break
                if time.monotonic() - moved > _STUCK_SECONDS:
                    err.print(f"nothing moved for {_STUCK_SECONDS:g} s: {now}", style="red")
                    break
            time.sleep(0.5)
    return _close(world, stats, expected, time.monotonic() - started)


def _close(world: World, stats: dict[str, Any], expected: int, seconds: float) -> int:
    check = world.sandbox("report").json()
    for part in closing(stats, check, seconds):
        out.print(part)
    return 0 if check["ok"] and accounted(stats) == expected else 1
