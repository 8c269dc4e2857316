"""OP-6: what `export` gives is what `apply` takes, whatever settings a file uses; a secret never comes back. Pure."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.configure.entities import entities_of
from console.configure.export import export
from console.configure.reading import read_configuration
from waybill_contracts.configuration import Configuration, Setting

SECRET = "shpat_never_to_be_seen"
_NAMES = {"map": {"ups": "UPS"}, "unmapped": "pass"}
_FIXED = {"id", "platform", "url", "credentials", "channels"}
"""What the strategy gives each part itself, so that parts fit together."""
VALUES: dict[str, dict[str, list[Any]]] = {
    "Channel": {
        "starts_at": ["now", "2026-01-01T00:00:00Z"],
        "poll_every": ["3m", "60m", "90s"],
        "import": [{"payment": ["paid"]}, {"fulfillment": ["partial", "on_hold"], "deferred": ["authorized"]}],
        "auto_generate": [True, False],
        "notify_buyer": [True, False],
        "skus": [{"map": {"A": "B", "PACK-6": [{"sku": "B", "quantity": 6}]}, "services": ["GIFT"],
                  "unmapped": "hold"}],
        "shipping_methods": [{"map": {"Standard": "ground"}}, {"unmapped": "pass"}],
        "couriers": [_NAMES, {"map": {"dhl/express": "DHL X"}}],
        "courier_services": [{"map": {"ups/ground": "UPS Ground"}}],
        "hold_rules": [[{"name": "big", "when": {"country": ["GB"], "tag": ["b2b"], "value_over": "100.00"}}],
                       [{"name": "odd", "when": {"sku": ["X"], "shipping_method": ["Drone"]}, "fix": "call them"}]],
        "duplicates": [{"within": "0s"}, {"within": "2h"}],
        "file": [{"columns": {"number": "InvoiceNo"}, "countries": {"UK": "GB"}, "currency": "GBP",
                  "payment": "authorized", "timezone": "Europe/London"}],
    },
    "Source": {
        "capabilities": [{"acknowledges": False, "cancels": True, "reports_shipments": True,
                          "dedupes_by_reference": False}],
        "poll_every": ["15m", "1h"],
        "send_every": ["0s", "1m"],
        "auto_process": [True, False],
        "serves": [{"countries": ["US", "CA"], "skus": "all"}, {"countries": "all", "skus": ["B"]}],
        "skus": [{"map": {"B": "E-100"}}],
        "shipping_methods": [{"map": {"ground": "FedEx Ground"}, "unmapped": "hold"}],
        "couriers": [_NAMES],
        "fr_number": [{"from": "order_id", "prefix": "E-", "max_length": 20, "forbid": "x"}],
        "costs": [{"currency": "USD", "fee": "1.50",
                   "shipping": [{"zone": ["US", "*"], "base": "4.00", "per_kg": "0.80"}]}],
        "stock": [{"from": "feed", "safety": 2}, {"from": "platform", "every": "10m"}, {"from": "untracked"}],
        "on_source_cancel": ["fill", "kill"],
        "suppress_tracking": [True, False],
        "lead": ["24h", "2h"],
    },
    "Group": {
        "default": [True],
        "sources": [["east", "west"], ["west"]],
        "priorities": [[{"single_fr": "preferred"}, "lowest_cost"], ["source_priority"], [{"single_fr": "required"}]],
        "max_frs": [1, 3],
        "split_lines": [True, False],
        "partial": [True, False],
        "unroutable": ["hold", "cancel"],
    },
    "StockLevel": {
        "source": ["east"], "sku": ["B"], "on_hand": [0, 40], "unit_cost": ["3.10"], "weight_g": [250],
        "counted_at": ["2026-11-01T00:00:00Z"],
    },
}  # fmt: skip
ALWAYS = {"costs", "sources", "source", "sku", "on_hand", "default"}
RULES = [
    {"when": {"country": ["GB"], "channel": ["shop"]}, "group": "all"},
    {"when": {"tag": ["b2b"], "value_over": "100.00"}, "group": "all"},
]


@st.composite
def parts(draw: st.DrawFn, kind: str, **fixed: Any) -> dict[str, Any]:
    """Some of the settings of one part of the file."""
    found = dict(fixed)
    for name, values in VALUES[kind].items():
        if name in ALWAYS or draw(st.booleans()):
            found[name] = draw(st.sampled_from(values))
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    given_as = draw(st.sampled_from([SECRET, "env:SHOP_TOKEN"]))
    credentials = {"access_token": given_as, "store_hash": SECRET}
    shop = draw(parts("Channel", id="shop", platform="bigcommerce", url="https://a.example", credentials=credentials))
    east = draw(parts("Source", id="east", platform="http", url="https://e.example", credentials={"token": SECRET}))
    west = draw(parts("Source", id="west", platform="manual"))
    rules = draw(st.lists(st.sampled_from(RULES), max_size=2))
    stock = draw(st.one_of(st.none(), parts("StockLevel")))
    group = draw(parts("Group", id="all"))
    return {
        "stores": [{"id": "acme", "channels": [shop]}, {"id": "empty", "channels": []}],
        "sources": [east, west],
        "routing": {"groups": [group], **({"rules": rules} if rules else {})},
        **({"stock": [stock]} if stock else {}),
    }


def stored(configuration: Configuration, document: dict[str, Any]) -> dict[str, Any]:
    """The export of what applying the configuration stores: credentials sealed, with the names they came by."""
    rows = [
        {
            "entity": entity.name,
            "body": entity.body,
            "credentials": dict.fromkeys(entity.credentials, "sealed:AAAA"),
            "credential_names": {k: v for k, v in entity.credentials.items() if v.startswith("env:")},
        }
        for entity in entities_of(configuration)
    ]
    return export(rows, [{"level": level} for level in document.get("stock", [])])


@settings(max_examples=100, deadline=None)
@given(documents())
def test_what_is_exported_is_what_was_applied_whatever_it_uses(document: dict[str, Any]) -> None:
    applied = read_configuration(document)
    exported = stored(applied, document)
    again = read_configuration(json.loads(json.dumps(exported)))

    assert SECRET not in json.dumps(exported)
    assert "sealed" not in json.dumps(exported)
    assert [(one.name, one.body) for one in entities_of(again)] == [
        (one.name, one.body) for one in entities_of(applied)
    ]
    assert again.stock == applied.stock
    assert stored(again, exported) == exported, "and so on for ever"
    token = document["stores"][0]["channels"][0]["credentials"]["access_token"]
    said = exported["stores"][0]["channels"][0]["credentials"]
    assert said == {"access_token": token if token.startswith("env:") else "kept", "store_hash": "kept"}


def test_no_setting_is_left_out_of_the_round_trip() -> None:
    """A setting that is added to the contract has to be added to the table above."""
    kinds = {kind.__name__: kind for kind in _settings(Setting)}
    for name, table in VALUES.items():
        known = {field.alias or key for key, field in kinds[name].model_fields.items()}
        assert known - set(table) - _FIXED == set(), name
        assert set(table) <= known, name


def _settings(kind: type[Setting]) -> list[type[Setting]]:
    return [found for below in kind.__subclasses__() for found in (below, *_settings(below))]
