"""Many FRs at once: the list of what waits, and one action on all of a list."""

from typing import Any

import typer

from console.cli.acting import act
from console.cli.client import call, fail, listed, out, print_json, print_table

AT_ONCE = 1000
EVERYTHING = 1_000_000


def list_waiting(source: str | None, waits_for: str | None, limit: int, *, as_json: bool) -> None:
    """What waits, for what, since when, until when, and who takes the next step."""
    items = listed("/frs:waiting", source=source, reason=waits_for, limit=limit)
    if as_json:
        print_json(items)
        return
    rows = [
        [fr["number"], fr["source"], fr["state"], fr["reason"], fr["detail"], fr["since"][:16], fr["by_whom"]]
        for fr in items
    ]
    names = ["number", "source", "state", "waits for", "in words", "since", "by whom"]
    print_table("FRs that wait", names, rows, "No FR waits.")


def waiting_ids(source: str, waits_for: str) -> list[str]:
    """Ids of all FRs of a source that wait for this; ends the program when there is none."""
    items = listed("/frs:waiting", source=source, reason=waits_for, limit=EVERYTHING)
    if not items:
        out.print(f"No FR of {source} waits for that.")
        raise typer.Exit(0)
    return [fr["fr_id"] for fr in items]


def act_on(action: str, fr_ids: list[str], body: dict[str, Any], *, wait: str | None = None, as_json: bool) -> None:
    """Does it to all of them, each on its own; exit code 1 when one is refused."""
    results: list[dict[str, Any]] = []
    for start in range(0, len(fr_ids), AT_ONCE):
        part = fr_ids[start : start + AT_ONCE]
        results += act(f"/frs:{action}", body | {"fr_ids": part}, wait)["frs"]
    refused = [result for result in results if result["refused"]]
    if as_json:
        print_json(results)
    else:
        for result in refused:
            out.print(f"{result['fr_id']}: {result['refused']}", markup=False, highlight=False, soft_wrap=True)
            out.print(f"  Try: {result['remedy']}", markup=False, highlight=False, soft_wrap=True)
        out.print(f"{action}: {len(results) - len(refused)} done, {len(refused)} refused")
    if refused:
        raise typer.Exit(1)


def find(fr: str) -> str:
    """Our id of an FR named by number or id."""
    found = call("GET", "/frs", params={"number": fr, "limit": 3})["items"]
    if len(found) > 1:
        fail(f"{fr!r} is the number of several FRs", f"name one by its id: {', '.join(f['fr_id'] for f in found)}")
    return str(found[0]["fr_id"]) if found else fr
