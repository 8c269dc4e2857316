"""Every call that the connector makes, held against Adobe's own contract (`make contracts SPECS=DIR`).

The file is not ours to pass on, so this is skipped where it is not. What it checks: the path and the method exist, path
parameters have their type, a body has the form of its schema and no name that the schema does not know (Magento ignores
those without a word), and the emulated shop's answers invent no names either. Where the file contradicts its own
documentation stands in `CONTRADICTIONS`.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from httpx import URL
from jsonschema import Draft4Validator

from waybill_contracts.values import Address
from waybill_platforms.magento.client import open_channel, open_source
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.recording import REDACTED, Exchange, recording

SPEC = Path(os.environ.get("SPECS", "")) / "magento" / "admin-schema-2.4.9.yaml"
pytestmark = [
    pytest.mark.specs,
    pytest.mark.skipif(not os.environ.get("SPECS") or not SPEC.exists(), reason="SPECS names no folder of specs"),
]

CONTRADICTIONS = {
    r"searchCriteria\[filterGroups\]\[\d+\]\[filters\]\[\d+\]\[(field|value|conditionType)\]":
        "the file lists the first filter of the first group alone; its documentation has as many as one likes",
    r"searchCriteria\[sortOrders\]\[\d+\]\[(field|direction)\]": "as the filters: the file lists the first one alone",
    r"fields": "every GET takes it (Retrieve filtered responses for REST APIs); the file lists it nowhere",
}  # fmt: skip
"""Query parameters that the documentation has and the file has not."""
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(SPEC.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for schema in loaded["definitions"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return loaded


@pytest.fixture
async def made(stage: Any, ledger: Any) -> list[Exchange]:
    """One of each call that there is."""
    maison, mill = stage.world.shops["maison"], stage.world.shops["mill"]
    mill.products["SKU-101"].on_hand = {"default": 50}
    given, theirs = maison.connection(stage.origin), mill.connection(stage.origin)
    shop = open_channel("m", MagentoSettings.of("m", given["url"], given["credentials"]), ledger)
    admin = dict(zip(("username", "password"), mill.admin, strict=True))
    source = open_source("s", MagentoSettings.of("s", theirs["url"], {**theirs["credentials"], **admin}), ledger)
    with recording() as exchanges:
        await _as_channel(shop, maison)
        await _as_source(source)
        mill.configure({"inventory": False})
        await source.stock.levels(["SKU-101"])
    await shop.aclose()
    await source.aclose()
    return exchanges


async def _as_channel(shop: Any, maison: Any) -> None:
    await shop.reader.list_changed(EVER)
    order = await shop.reader.find_by_number(maison.place({"lines": [{"sku": "A", "quantity": 2}]}))
    await shop.reader.get_order(order.id)
    state = await shop.writer.read(order.id)
    lines = ((order.lines[0].line_id, 2),)
    draft = FulfillmentDraft(order.id, lines, "UPS", ("1Z1", "1Z2"), "https://t.example/1", notify=True)
    record = await shop.writer.create(shop.writer.calls_for(state, draft)[0])
    details = {"carrier": "FedEx", "tracking_numbers": ("77",), "tracking_url": "https://t.example/77"}
    await shop.writer.update_tracking(record.id, **details, notify=True)
    await shop.catalogue.products()
    await shop.catalogue.shipping_methods()
    await shop.prober.probe()


async def _as_source(source: Any) -> None:
    lines = (SourceRequestLine("a", "SKU-101", 2, "Lamp"),)
    for country, region, method in (("DE", "", "Flat Rate - Fixed"), ("US", "IL", "flatrate/flatrate")):
        ship_to = Address(name="Zoë Müller", line1="5 High St", city="X", region=region, country=country,
                          email="zoe@mail.example")  # fmt: skip
        request = SourceRequest(f"M-{country}", "#7", lines, ship_to, method, "USD")
        handle = await source.placer.prepare(request)
        placed = await source.placer.place(request, handle)
        assert await source.placer.find_placed(request, handle) is not None
    await source.shipments.list_shipments(None, [OpenRequest("M-US", placed.platform_id)])
    await source.sink.cancel(placed.platform_id, "M-US")
    await source.stock.levels(["SKU-101"])
    await source.stock.levels([])
    await source.prober.probe()
    await source.renewer.renew()


def _operation(contract: dict[str, Any], exchange: Exchange) -> tuple[str, dict[str, str], dict[str, Any]]:
    path = "/V1" + exchange.url.partition("?")[0].partition("/V1")[2]
    for template, methods in contract["paths"].items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        match = re.fullmatch(pattern, path)
        if match and exchange.method.lower() in methods:
            return template, match.groupdict(), methods[exchange.method.lower()]
    raise AssertionError(f"{exchange.method} {path} is in no contract")


def _calls(made: list[Exchange]) -> list[Exchange]:
    return [one for one in made if "/V1/" in one.url]


def _told(made: list[Exchange]) -> list[Exchange]:
    """Without the admin's sign-in, of which no body is recorded; the sandbox checks that one as it comes in."""
    return [one for one in _calls(made) if REDACTED not in (one.request_body, one.response_body)]


async def test_every_call_is_one_of_the_contract(contract: dict[str, Any], made: list[Exchange]) -> None:
    seen = set()
    for exchange in _calls(made):
        template, ids, operation = _operation(contract, exchange)
        seen.add(f"{exchange.method} {template}")
        types = {one["name"]: one["type"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert all(value.isdigit() for name, value in ids.items() if types[name] == "integer"), exchange.url
    assert len(seen) >= 23, sorted(seen)  # none of the connector's calls was forgotten here


async def test_every_parameter_is_in_the_contract_or_its_documentation(
    contract: dict[str, Any], made: list[Exchange]
) -> None:
    for exchange in _calls(made):
        _, _, operation = _operation(contract, exchange)
        known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        for name in URL(exchange.url).params:
            assert name in known or any(re.fullmatch(one, name) for one in CONTRADICTIONS), f"{exchange.url}: {name}"


async def test_every_body_has_the_contracts_form_and_no_other_name(
    contract: dict[str, Any], made: list[Exchange]
) -> None:
    checked = 0
    for exchange in _told(made):
        _, _, operation = _operation(contract, exchange)
        body = next((one for one in operation.get("parameters", ()) if one["in"] == "body"), None)
        sent = orjson.loads(exchange.request_body) if exchange.request_body else {}
        if body is None:
            assert sent == {}, exchange.url
            continue
        schema = {**body["schema"], "additionalProperties": False, "definitions": contract["definitions"]}
        problems = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft4Validator(schema).iter_errors(sent)]
        assert problems == [], f"{exchange.method} {exchange.url}"
        checked += 1
    assert checked >= 10
    assert len(_calls(made)) - len(_told(made)) == 1, "the sign-in alone is left out"


async def test_the_emulated_shops_answers_invent_no_names(contract: dict[str, Any], made: list[Exchange]) -> None:
    for exchange in _told(made):
        if exchange.status != 200:
            continue
        _, _, operation = _operation(contract, exchange)
        schema = operation["responses"]["200"].get("schema", {})
        unknown = sorted(set(_invented(contract, schema, orjson.loads(exchange.response_body), "")))
        assert unknown == [], f"{exchange.method} {exchange.url}"


def _invented(contract: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> list[str]:
    if "$ref" in schema:
        schema = contract["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [name for one in value for name in _invented(contract, schema.get("items", {}), one, at)]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = [f"{at}.{name}" for name in value if name not in schema["properties"]]
    for name, inner in value.items():
        if name in schema["properties"]:
            found += _invented(contract, schema["properties"][name], inner, f"{at}.{name}")
    return found
