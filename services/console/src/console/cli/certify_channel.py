"""`waybill channels certify CHANNEL -f FILE`: can Waybill do at this shop what it will do there? (OP-15)"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from console.certify import CHANNELS, ChannelWish, certify_channel
from console.cli.certify import collect, conclude
from console.cli.client import err, fail, misused
from console.cli.config import load, secrets_of
from console.cli.options import Json
from waybill_contracts.configuration import Channel
from waybill_platforms.http import NoBudget
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.registry import CHANNELS as PLATFORMS
from waybill_platforms.registry import channel_refusal, open_channel

_BACK = timedelta(days=30)


def channel(
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="the channel's id in the file")],
    file: Annotated[Path, typer.Option("--file", "-f", help="the configuration that names it, as for `apply`")],
    order: Annotated[
        str | None,
        typer.Option("--order", help="the number of an order to try fulfillments on; none: nothing is written"),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="list changes since, e.g. 2026-11-01; else the last 30 days")
    ] = None,
    courier: Annotated[str, typer.Option(help="a courier in the shop's own words")] = "UPS",
    rules: Annotated[list[str] | None, typer.Option("--rule", help="try this rule alone; may be repeated")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="a rule that could not be tried counts as failed")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask before it writes")] = False,
    as_json: Json = False,
) -> None:
    """Try every rule of a channel at its shop; prints pass or fail by rule, with the fix.

    Without --order it only reads. With --order it says what it will write, asks, makes one fulfillment of one piece on
    that order without telling the buyer, and withdraws it where the platform can: name an order of a test store. Needs
    no running Waybill. Exit code 0: no rule is broken; 1: one is.

    Example: waybill channels certify acme-shop -f config.yaml --order 1001
    """
    if unknown := set(rules or ()) - set(CHANNELS.rules):
        misused(f"--rule: {', '.join(sorted(unknown))} is no rule", f"one of {', '.join(sorted(CHANNELS.rules))}")
    configured, credentials = _of(load(file), name, file)
    if order is not None:
        _confirm(configured, order, yes)
    wish = ChannelWish(
        _opener(configured), credentials, _moment(since), order, courier, frozenset(rules or ())
    )  # fmt: skip
    conclude(
        asyncio.run(collect(certify_channel(wish), quiet=as_json)), str(configured.url), strict=strict, as_json=as_json
    )


def _of(document: dict[str, Any], name: str, file: Path) -> tuple[Channel, dict[str, str]]:
    stores = [store for store in document.get("stores") or [] if isinstance(store, dict)]
    found = [c for store in stores for c in store.get("channels") or [] if isinstance(c, dict) and c.get("id") == name]
    if not found:
        known = [str(c.get("id")) for store in stores for c in store.get("channels") or [] if isinstance(c, dict)]
        fail(f"CHANNEL: {file} has no channel {name!r}", f"it has {', '.join(known) or 'none'}")
    given = {**(found[0].get("credentials") or {}), **secrets_of(document).get(f"channel/{name}", {})}
    if missing := [f"{key} ({value})" for key, value in given.items() if str(value).startswith(("env:", "kept"))]:
        fail(f"credentials: {', '.join(missing)} is not set here", "export it, or write the value into a copy")
    try:
        configured = Channel.model_validate(found[0])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        fail(f"{file}: channel {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}", "mend it in the file")
    credentials = {key: str(value) for key, value in given.items()}
    if configured.platform not in PLATFORMS:
        fail(f"platform: {configured.platform.value} has no shop to try", "certify a channel that is a shop")
    if (refusal := channel_refusal(configured, credentials)) is not None:
        fail(f"{file}: channel {name}: {refusal}", "mend it in the file")
    return configured, credentials


def _opener(configured: Channel) -> Any:
    def open_with(credentials: Mapping[str, str]) -> ChannelConnection:
        connection = open_channel(configured, credentials, budget=NoBudget())
        assert connection is not None  # its platform was looked up
        return connection

    return open_with


def _confirm(configured: Channel, order: str, yes: bool) -> None:
    err.print(
        f"This will write to {configured.url}, order {order}: one fulfillment of one piece, with a tracking number "
        "that begins with CERTIFY, without telling the buyer; its number is corrected once and it is withdrawn again, "
        "where the platform can.",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    if not yes and not typer.confirm("Write?", default=False, err=True):
        fail("Nothing was written.", "leave --order out: then only reading rules are tried")


def _moment(since: str | None) -> datetime:
    if since is None:
        return datetime.now(UTC) - _BACK
    try:
        read = datetime.fromisoformat(since)
    except ValueError:
        misused(f"--since: {since!r} is no time", "2026-11-01 or 2026-11-01T12:00Z")
    return read if read.tzinfo else read.replace(tzinfo=UTC)
