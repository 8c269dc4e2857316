"""`waybill sources certify URL`: does a supplier's implementation keep the rules of the HTTP source? (OP-15)"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, NoReturn

import typer

from console.certify import RULES, Unreachable, Verdict, Wish, certify
from console.cli.client import err, misused, out, print_json, print_table
from console.cli.options import Json

_COLOUR = {"pass": "green", "fail": "red", "not tried": "yellow"}


def source(
    url: Annotated[str, typer.Argument(help="the API root; /requests and /shipments are appended")],
    token: Annotated[
        str, typer.Option(envvar="WAYBILL_SOURCE_TOKEN", help="the bearer token; none where the source asks for none")
    ] = "",
    sku: Annotated[str, typer.Option(help="a SKU that the source sells; a few pieces are asked for")] = "CERTIFY-1",
    ship_wait: Annotated[
        float, typer.Option(min=0, max=3600, help="wait so many seconds for shipments of two test requests")
    ] = 0.0,
    rules: Annotated[list[str] | None, typer.Option("--rule", help="try this rule alone; may be repeated")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="a rule that could not be tried counts as failed")] = False,
    as_json: Json = False,
) -> None:
    """Try every rule of the HTTP source at an address; prints pass or fail by rule, with the fix.

    Makes about 30 small requests whose references begin with CERTIFY-, and asks for all of them back at the end: use a
    test system. Needs no running Waybill. Exit code 0: no rule is broken; 1: one is; 2: nobody answers there.

    Example: waybill sources certify http://127.0.0.1:9100 --token change-me --sku E-100 --ship-wait 10
    """
    if not url.startswith(("http://", "https://")):
        misused(f"URL: {url!r} is no address that can be called", "http://… or https://…")
    if unknown := set(rules or ()) - set(RULES):
        misused(f"--rule: {', '.join(sorted(unknown))} is no rule", f"one of {', '.join(RULES)}")
    try:
        verdicts = asyncio.run(
            collect(certify(Wish(url, token or None, sku, ship_wait, frozenset(rules or ()))), quiet=as_json)
        )
    except Unreachable as error:
        err.print(f"{error}: is it running, and is this its API root?", style="red", markup=False, highlight=False)
        raise typer.Exit(2) from None
    conclude(verdicts, url, strict=strict, as_json=as_json)


def conclude(verdicts: list[Verdict], url: str, *, strict: bool, as_json: bool) -> NoReturn:
    """Says what is not passed, and ends the program: with 0 when no rule is broken."""
    broken = [v for v in verdicts if v.result == "fail" or (strict and v.result == "not tried")]
    if as_json:
        print_json({"url": url, "ok": not broken, "rules": [_told(verdict) for verdict in verdicts]})
    else:
        _close(verdicts, broken)
    raise typer.Exit(1 if broken else 0)


async def collect(trying: AsyncIterator[Verdict], *, quiet: bool) -> list[Verdict]:
    """The verdicts, each told as it comes."""
    verdicts = []
    async for verdict in trying:
        verdicts.append(verdict)
        if not quiet:
            result = f"[{_COLOUR[verdict.result]}]{verdict.result:>9}[/]"
            out.print(f"{result}  {verdict.rule.id:7} {verdict.rule.says}", highlight=False, soft_wrap=True)
    return verdicts


def _close(verdicts: list[Verdict], broken: list[Verdict]) -> None:
    rows = [[v.rule.id, v.found, v.rule.fix if v.result == "fail" else ""] for v in verdicts if v.result != "pass"]
    if rows:
        print_table("\nWhat is not passed", ["rule", "what was found", "the fix"], rows, "")
    counts = {name: sum(verdict.result == name for verdict in verdicts) for name in _COLOUR}
    ending = "not certified" if broken else "certified"
    out.print(f"{ending}: " + ", ".join(f"{count} {name}" for name, count in counts.items()), highlight=False)


def _told(verdict: Verdict) -> dict[str, str]:
    rule = verdict.rule
    return {"rule": rule.id, "says": rule.says, "result": verdict.result, "found": verdict.found, "fix": rule.fix}
