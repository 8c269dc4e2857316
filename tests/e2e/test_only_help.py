"""A user who has nothing but `--help` does a day's work with the command line (issue 8; OP-4 to OP-8, OP-12).

Each command is typed as its help teaches it; what the next one needs is read from what the last one printed. The
sandbox's shop and source are the user's own systems.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from console.cli.program import app
from waybill_contracts.envelope import encode
from waybill_contracts.orders_inbound import OrderSubmitted

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ORDERS = "InvoiceNo,StockCode,Quantity,Country\nF-1,NEW-1,2,US\nF-2,NEW-1,1,US\nF-3,SHOP-1,1,US\nF-4,NEW-1,1,US\n"


class Terminal:
    """A shell in a directory: `waybill` is the only program, and `> FILE` is known."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory, self.environment = directory, environment

    def __call__(self, line: str, code: int = 0, **environment: str) -> str:
        words, _, file = line.partition(" > ")
        result = CliRunner().invoke(
            app, shlex.split(words)[1:], env={"COLUMNS": "160", "TERM": "dumb", **self.environment, **environment}
        )
        assert result.exit_code == code, f"$ {line}\n{result.output}\n{result.exception!r}"
        if file:
            (self.directory / file).write_text(result.output)
        return result.output

    def until(self, line: str, so: Callable[[str], bool], seconds: float = 90.0) -> str:
        """As a person who types it again until it is so."""
        deadline = time.monotonic() + seconds
        while not so(shown := self(line)):
            assert time.monotonic() < deadline, f"$ {line}\n{shown}"
            time.sleep(0.5)
        return shown

    def edit(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        document = yaml.safe_load((self.directory / name).read_text())
        change(document)
        (self.directory / name).write_text(yaml.safe_dump(document, sort_keys=False))


def test_a_day_of_work_with_only_the_help(
    make_hub: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hub = make_hub(orders=6)
    hub.world.start(sandbox_orders=6)
    own = yaml.safe_load(hub.world.sandbox("config.yaml").text)
    shop, east = own["stores"][0]["channels"][0], own["sources"][0]
    waybill = Terminal(
        tmp_path,
        {
            "WAYBILL_URL": hub.world.console_url,
            "WAYBILL_API_KEY": hub.world.admin_key,
            "ACME_TOKEN": shop["credentials"]["access_token"],
            "EAST_TOKEN": east["credentials"]["token"],
        },
    )

    add_channels_and_sources(waybill, own)
    import_a_file_and_mend_what_holds_it(waybill)
    preview_and_create_an_fr(waybill)
    resync_what_failed(waybill, shop["couriers"]["map"])
    read_an_exchange(waybill)
    replay_a_dead_letter(waybill, hub.world.kafka)
    revoke_a_key(waybill)


def add_channels_and_sources(waybill: Terminal, own: dict[str, Any]) -> None:
    assert "waybill apply --example" in waybill("waybill --help")
    waybill("waybill apply --example > config.yaml")

    def fill_in(document: dict[str, Any]) -> None:
        channel, shop = document["stores"][0]["channels"][0], own["stores"][0]["channels"][0]
        channel |= {name: shop[name] for name in ("url", "starts_at", "poll_every", "import", "shipping_methods")}
        channel["skus"]["map"] |= shop["skus"]["map"]
        channel["skus"]["services"] = shop["skus"]["services"]
        channel["couriers"]["map"] = {}  # forgotten: what leaves cannot be told to the shop
        source, east = document["sources"][0], own["sources"][0]
        source |= {name: value for name, value in east.items() if name not in ("id", "credentials", "stock")}
        levels = {level["sku"]: {**level, "source": "east", "on_hand": 100} for level in own["stock"]}
        sku = next(iter(levels))
        document["stock"] = [*levels.values(), {**levels[sku], "source": "west", "on_hand": 5}]
        for one in document["stores"][0]["channels"]:
            one["skus"]["map"]["SHOP-1"] = sku

    waybill.edit("config.yaml", fill_in)
    shown = waybill("waybill apply -f config.yaml --dry-run")
    assert all(f"+ {entity}" in shown for entity in ("channel/acme-shop", "source/east", "source/west"))
    assert "Applied as version 1" in waybill("waybill apply -f config.yaml --yes")
    waybill.until("waybill channels list", lambda text: "acme-files" in text and "acme-shop" in text)
    assert "west" in waybill("waybill sources list")


def import_a_file_and_mend_what_holds_it(waybill: Terminal) -> None:
    (waybill.directory / "orders.csv").write_text(ORDERS)
    line = (
        "waybill orders import orders.csv --channel acme-files "
        "--map number=InvoiceNo,sku=StockCode,quantity=Quantity,country=Country"
    )
    assert "nothing changed (dry run)" in waybill(f"{line} --dry-run")
    assert re.search(r"held\W+3\b", waybill(line))

    shown = waybill.until("waybill failures", lambda text: "3 orders: unmapped_sku (NEW-1) at acme-files" in text)
    assert "waybill apply -f config.yaml" in shown
    assert "unmapped_sku" in waybill("waybill orders show F-1")

    waybill("waybill export -f config.yaml")
    waybill.edit("config.yaml", _map_new_1)
    assert "releases 3 held orders" in waybill("waybill apply -f config.yaml --dry-run")
    waybill("waybill apply -f config.yaml --yes")
    waybill.until("waybill failures", lambda text: "NEW-1" not in text)


def preview_and_create_an_fr(waybill: Terminal) -> None:
    waybill.until("waybill orders show F-1", lambda text: "awaiting_generate" in text)
    assert "to be asked for" in waybill("waybill frs preview F-1")

    waybill('waybill frs create F-1 --source west --reason "west promised it by phone"')

    waybill.until("waybill orders show F-1", lambda text: "west" in text and "No FR yet" not in text)
    assert "F-2" in waybill('waybill frs generate F-2 --reason "stock is in"')
    waybill.until("waybill frs list", lambda text: "F-2" in text)


def resync_what_failed(waybill: Terminal, couriers: dict[str, str]) -> None:
    assert "waybill frs generate NUMBER" in waybill("waybill failures")
    shown = waybill.until("waybill failures", lambda text: "COURIER_NOT_MAPPED" in text, 120)
    assert "By: waybill export -f config.yaml, change it, then waybill apply -f config.yaml" in shown
    assert "COURIER_NOT_MAPPED" in waybill("waybill shipments resync --channel acme-shop", code=1)

    waybill("waybill export -f config.yaml")
    waybill.edit("config.yaml", lambda document: _map(document, "acme-shop", "couriers", couriers))
    waybill("waybill apply -f config.yaml --yes")
    waybill("waybill shipments resync --channel acme-shop")
    waybill.until("waybill failures", lambda text: "COURIER_NOT_MAPPED" not in text)
    waybill.until("waybill orders list --stage settled", lambda text: "acme-shop" in text)


def read_an_exchange(waybill: Terminal) -> None:
    listed = waybill("waybill records list --log-type submit_fulfillment --limit 5")
    record = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed)
    assert record, listed

    shown = waybill(f"waybill records show {record[0]}")

    assert "submit_fulfillment of acme-shop by shipment-poller" in shown
    assert "> POST http" in shown
    assert waybill.environment["ACME_TOKEN"] not in shown


def replay_a_dead_letter(waybill: Terminal, kafka: str) -> None:
    asyncio.run(_submit(kafka, channel="phone", number="P-17"))  # upstream is early: that channel comes later
    listed = waybill.until("waybill dead-letters list", lambda text: "phone" in text)
    replay = re.search(r"waybill dead-letters replay order-ingest \d+", listed)
    assert replay, listed
    assert "not configured" in waybill(replay[0], code=1)

    waybill("waybill export -f config.yaml")
    waybill.edit("config.yaml", _add_phone)
    waybill("waybill apply -f config.yaml --yes")
    waybill(replay[0])

    waybill.until("waybill orders list P-17", lambda text: "phone" in text)
    waybill.until("waybill dead-letters list", lambda text: "No dead letter is open" in text)


def revoke_a_key(waybill: Terminal) -> None:
    key = waybill("waybill keys create erp --role operator").strip().splitlines()[-1]
    waybill("waybill stats", WAYBILL_API_KEY=key)
    named = re.search(r"([0-9a-f]{8}-[0-9a-f-]{27})\W+erp\b", waybill("waybill keys list"))
    assert named

    waybill(f"waybill keys revoke {named[1]}")

    assert "Who are you?" in waybill("waybill stats", code=1, WAYBILL_API_KEY=key)


def _map(document: dict[str, Any], channel: str, what: str, more: dict[str, str]) -> None:
    [found] = [one for store in document["stores"] for one in store["channels"] if one["id"] == channel]
    settings = found.setdefault(what, {})
    settings["map"] = {**settings.get("map", {}), **more}


def _map_new_1(document: dict[str, Any]) -> None:
    files = next(one for one in document["stores"][0]["channels"] if one["id"] == "acme-files")
    files["skus"]["map"]["NEW-1"] = files["skus"]["map"]["SHOP-1"]


def _add_phone(document: dict[str, Any]) -> None:
    files = next(one for one in document["stores"][0]["channels"] if one["id"] == "acme-files")
    document["stores"][0]["channels"].append({**files, "id": "phone"})


async def _submit(kafka: str, channel: str, number: str) -> None:
    placed = datetime.now(UTC) + timedelta(
        minutes=5
    )  # its channel starts when it is configured, and takes no older one
    event = OrderSubmitted.model_validate(
        {
            "at": placed, "channel": channel, "number": number, "placed_at": placed,
            "currency": "USD", "payment": "paid", "ship_to": {"name": "Zoë", "country": "US"},
            "lines": [{"sku": "SHOP-1", "quantity": 1}],
        }
    )  # fmt: skip
    message = encode(event, source="erp")
    headers = [(name, text.encode()) for name, text in message.headers.items()]
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        await producer.send_and_wait(message.topic, message.value, key=message.key.encode(), headers=headers)
    finally:
        await producer.stop()
