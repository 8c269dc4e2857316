"""Certification of HTTP sources from the document alone (OP-15, FP-4): our emulated source and the reference keep every
rule, and for each rule there is a source that breaks it and is told so.

The defects show that each rule can fail; they cannot show that it fails for every way of breaking it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.certify import RULES, Verdict, Wish, certify, rules_of_shipments, supplier
from console.certify.document import PATH
from console.cli.program import app

ROOT = Path(__file__).parents[2]
TOKEN = "reference-token"
IN_TIME = 3.0
"""Seconds after which a source ships that must first be asked to give requests back: a busy machine takes its time."""
NEVER = 3600.0


def load_reference() -> Any:
    """A fresh copy of the one-file source; it is no package, so that a supplier can take it as it is."""
    spec = importlib.util.spec_from_file_location("reference_source", ROOT / "sandbox" / "reference_source.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(module: Any, database: Path, *, ship_after: float = 0.1) -> Iterator[str]:
    warehouse = module.Warehouse(str(database), frozenset({"E-100"}), ship_after)
    server = ThreadingHTTPServer(("127.0.0.1", 0), module.make_handler(warehouse, TOKEN))
    over = threading.Event()

    def ship() -> None:
        while not over.wait(0.05):
            warehouse.ship_due()

    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)), threading.Thread(target=ship)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    over.set()
    server.shutdown()
    for thread in threads:
        thread.join()
    server.server_close()
    warehouse.db.close()


async def verdicts(url: str, *only: str, token: str = TOKEN, sku: str = "E-100") -> dict[str, Verdict]:
    wish = Wish(url, token, sku, ship_wait=60.0, only=frozenset(only))
    return {verdict.rule.id: verdict async for verdict in certify(wish)}


def test_the_document_that_is_certified_by_is_the_published_one() -> None:
    published = (ROOT / "docs" / "http-source.openapi.yaml").read_bytes()
    assert published == PATH.read_bytes(), "copy docs/http-source.openapi.yaml to services/console/src/console/certify/"


def test_the_reference_knows_nothing_but_the_standard_library() -> None:
    text = (ROOT / "sandbox" / "reference_source.py").read_text()
    imports = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imports <= {
        "__future__", "argparse", "collections", "datetime", "hmac", "http", "json", "re", "sqlite3", "threading",
        "time", "typing", "urllib",
    }  # fmt: skip


async def test_the_reference_keeps_every_rule(tmp_path: Path) -> None:
    with running(load_reference(), tmp_path / "requests.db", ship_after=IN_TIME) as url:
        found = await verdicts(url)
    assert list(found) == list(RULES)
    assert {name: v.found for name, v in found.items() if v.result == "fail"} == {}
    assert {name for name, v in found.items() if v.result == "not tried"} == {"ERR-1"}  # it turns nobody away


async def test_the_emulated_source_keeps_every_rule(stage: Any) -> None:
    east = stage.world.sources["east"]
    east.settings.ship_after = IN_TIME
    stage.misbehave("429", "east:submit", retry_after=0.1)
    sku = stage.world.goods[0].source_sku("east")
    found = await verdicts(f"{stage.origin}/sources/east", token="demo-east-token", sku=sku)
    assert {name: v.found for name, v in found.items() if v.result != "pass"} == {}
    for _ in range(600):  # what was not given back ships by and by
        if all(request.state in ("canceled", "shipped") for request in east.requests.values()):
            break
        await asyncio.sleep(0.1)
    assert {request.state for request in east.requests.values()} == {"canceled", "shipped"}


# -- for each rule a source that breaks it

Defect = Callable[[Any, pytest.MonkeyPatch], None]


def patched(name: str, make: Callable[[Any], Any]) -> Defect:
    """Replaces a method of the warehouse by what `make` makes of the right one."""

    def apply(module: Any, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(module.Warehouse, name, make(getattr(module.Warehouse, name)))

    return apply


def function(name: str, make: Callable[[Any], Any]) -> Defect:
    def apply(module: Any, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(module, name, make(getattr(module, name)))

    return apply


def changed(name: str, change: Callable[[int, dict[str, Any]], tuple[int, dict[str, Any]]]) -> Defect:
    """The right answer, changed on its way out."""
    return patched(name, lambda right: lambda *given: change(*right(*given)))


def no_token_wanted(module: Any, patch: pytest.MonkeyPatch) -> None:
    make = module.make_handler
    patch.setattr(module, "make_handler", lambda warehouse, token: make(warehouse, ""))


def merges_lines(right: Any) -> Any:
    def submit(warehouse: Any, given: dict[str, Any]) -> Any:
        status, request = right(warehouse, given)
        total = sum(line["quantity"] for line in request["lines"])
        return status, request | {"lines": [request["lines"][0] | {"quantity": total}]}

    return submit


def another_each_time(right: Any) -> Any:
    def submit(warehouse: Any, given: dict[str, Any]) -> Any:
        status, request = right(warehouse, given)
        return status, request | {"id": f"req_{time.monotonic_ns()}"}

    return submit


def keeps_the_order_of_lines(right: Any) -> Any:
    return lambda request: json.dumps([request["lines"], request["ship_to"], request.get("shipping_method")])


def forgets_canceled(right: Any) -> Any:
    def cancel(warehouse: Any, wanted: str) -> Any:
        answer = right(warehouse, wanted)
        with warehouse.lock, warehouse.db:
            warehouse.db.execute("delete from requests where 'req_' || id = ?", (wanted,))
        return answer

    return cancel


def refuses_new_fields(module: Any, patch: pytest.MonkeyPatch) -> None:
    right = module.read_request

    def read(body: bytes) -> Any:
        given = right(body)
        if "gift_note" in given:
            raise module.malformed("gift_note", "unknown field")
        return given

    patch.setattr(module, "read_request", read)


def takes_nothing_for_a_quantity(right: Any) -> Any:
    def read(given: Any) -> Any:
        return right(
            [line | {"quantity": line["quantity"] or 1} if "quantity" in line else line for line in given or ()]
        )

    return read


def another_code(module: Any, patch: pytest.MonkeyPatch) -> None:
    def refuse(warehouse: Any, given: Any) -> None:
        if any(line["sku"] not in warehouse.skus for line in given["lines"]):
            raise module.Problem(422, "bad_item", "no")

    patch.setattr(module.Warehouse, "refuse_what_we_do_not_sell", refuse)


def cuts_references(right: Any) -> Any:
    def submit(warehouse: Any, given: dict[str, Any]) -> Any:
        return right(warehouse, given | {"reference": given["reference"][:64]})

    return submit


def shows_it_later(right: Any) -> Any:
    asked: set[str] = set()

    def find(warehouse: Any, reference: str) -> Any:
        hidden = reference not in asked
        asked.add(reference)
        return (200, {"requests": []}) if hidden else right(warehouse, reference)

    return find


def takes_unknown_back(module: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(module.Warehouse, "cancel", lambda warehouse, wanted: (200, {"result": "accepted"}))


def takes_shipped_back(right: Any) -> Any:
    def cancel(warehouse: Any, wanted: str) -> Any:
        right(warehouse, wanted)
        return 200, {"result": "accepted", "message": ""}

    return cancel


def stores_and_turns_away(module: Any, patch: pytest.MonkeyPatch) -> None:
    right, turned = module.Warehouse.submit, []

    def submit(warehouse: Any, given: dict[str, Any]) -> Any:
        answer = right(warehouse, given)
        if not turned:
            turned.append(given)
            raise module.Problem(429, "too_many", "later")
        return answer

    patch.setattr(module.Warehouse, "submit", submit)


def other_line_refs(status: int, page: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    for shipment in page["shipments"]:
        shipment["lines"] = [line | {"line_ref": f"box-{place}"} for place, line in enumerate(shipment["lines"])]
    return status, page


def too_slow(module: Any, patch: pytest.MonkeyPatch) -> None:
    right = module.Warehouse.submit

    def submit(warehouse: Any, given: dict[str, Any]) -> Any:
        time.sleep(0.5)
        return right(warehouse, given)

    patch.setattr(module.Warehouse, "submit", submit)
    patch.setattr(supplier, "TIMEOUT", 0.2)
    patch.setattr(rules_of_shipments, "TIMEOUT", 0.2)


DEFECTS: dict[str, Defect] = {
    "AUTH-1": no_token_wanted,
    "REQ-1": changed("submit", lambda status, request: (200, request)),
    "REQ-2": patched("submit", merges_lines),
    "REQ-3": patched("submit", another_each_time),
    "REQ-4": function("content_of", keeps_the_order_of_lines),
    "REQ-5": function("content_of", lambda right: lambda request: right(request | {"shipping_method": None})),
    "REQ-6": patched("submit", another_each_time),
    "REQ-7": changed("find", lambda status, found: (200, {"requests": []})),
    "REQ-8": refuses_new_fields,
    "REQ-9": function("read_lines", takes_nothing_for_a_quantity),
    "REQ-10": another_code,
    "REQ-11": patched("submit", cuts_references),
    "FIND-1": patched("find", shows_it_later),
    "FIND-2": changed("find", lambda status, found: (status if found["requests"] else 404, found)),
    "CAN-1": changed("cancel", lambda status, answer: (status, {"result": "ok"})),
    "CAN-2": patched("cancel", forgets_canceled),
    "CAN-3": patched("cancel", forgets_canceled),
    "CAN-4": takes_unknown_back,
    "SHP-1": changed("list_shipments", lambda status, page: (status, page | {"shipments": page["shipments"][::-1]})),
    "SHP-2": patched("list_shipments", lambda right: lambda self, since, page, limit: right(self, since, page, 99)),
    "SHP-3": patched(
        "list_shipments", lambda right: lambda self, since, page, n: right(self, since, page or f"{since}~z", n)
    ),
    "SHP-4": function("since_of", lambda right: lambda query: query.get("since", "")),
    "SHP-5": changed("list_shipments", other_line_refs),
    "SHP-6": patched("cancel", takes_shipped_back),
    "ERR-1": stores_and_turns_away,
    "TIME-1": too_slow,
}  # fmt: skip
NEEDS_SHIPMENTS = {"SHP-1", "SHP-2", "SHP-3"}
NEEDS_CALLS = {"ERR-1", "TIME-1"}


def test_each_rule_has_a_source_that_breaks_it() -> None:
    assert set(DEFECTS) == set(RULES)


@pytest.mark.parametrize("rule", sorted(DEFECTS))
async def test_a_source_that_breaks_a_rule_is_told_so_with_the_fix(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_reference()
    DEFECTS[rule](module, monkeypatch)
    shipping = rule in {*NEEDS_SHIPMENTS, "SHP-5", "SHP-6"}
    with running(module, tmp_path / "requests.db", ship_after=0.1 if shipping else NEVER) as url:
        if rule in NEEDS_SHIPMENTS:
            await _ship_three(url)
        found = await verdicts(url, rule, *(["REQ-1"] if rule in NEEDS_CALLS else ()))
    assert found[rule].result == "fail", found[rule]
    assert found[rule].found
    assert found[rule].rule.fix


async def _ship_three(url: str) -> None:
    """`SHP-5` and `SHP-6` each wait for a shipment of their own."""
    await verdicts(url, "SHP-5", "SHP-6")
    await verdicts(url, "SHP-5")


# -- the command


def invoked(*words: str) -> Any:
    return CliRunner().invoke(app, ["sources", "certify", *words])


def test_the_command_prints_pass_or_fail_by_rule_and_answers_by_its_exit_code(tmp_path: Path) -> None:
    with running(load_reference(), tmp_path / "requests.db", ship_after=3600.0) as url:
        good = invoked(url, "--token", TOKEN, "--sku", "E-100")
        told = json.loads(invoked(url, "--token", TOKEN, "--sku", "E-100", "--rule", "REQ-3", "--json").stdout)
        unsold = invoked(url, "--token", TOKEN)
    assert (good.exit_code, "certified: " in good.stdout) == (0, True), good.output
    assert all(name in good.stdout for name in RULES)
    assert (told["ok"], [rule["rule"] for rule in told["rules"]]) == (True, ["REQ-3"])
    assert (unsold.exit_code, "--sku" in unsold.stdout) == (1, True)


def test_an_address_where_nobody_answers_is_said_so(unused_port: int) -> None:
    assert invoked(f"http://127.0.0.1:{unused_port}").exit_code == 2
    assert invoked("ftp://no").exit_code == 2
