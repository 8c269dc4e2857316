"""A whole HTTP source for Waybill in one file: what a supplier implements so that Waybill can ask it to ship.

    python sandbox/reference_source.py --port 9100 --token change-me --sku E-100 --sku E-200

It keeps every rule of `docs/http-source.openapi.yaml` with Python's standard library and SQLite alone. Read it from top
to bottom and write the same in your own language. Then see what Waybill says of yours:

    waybill sources certify https://your.example/waybill --token … --sku YOUR-TEST-SKU

Four things are easy to get wrong; each is marked RULE below.
1. A reference names one request for ever, also when two calls with it arrive at the same moment.
2. What was answered with 2xx is found by its reference at once: nothing is answered before it is committed.
3. Content is compared as a set of lines: their order says nothing, everything else about them does.
4. `updated_at` of a shipment is never older than the moment at which a list shows it.

It is no warehouse: `--ship-after 5` ships each request whole after 5 seconds, which is enough to try things out.
"""

from __future__ import annotations

import argparse
import hmac
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TABLES = """
create table if not exists requests (
    id integer primary key,
    reference text not null unique,   -- RULE 1: the database decides, not an if
    content text not null,            -- what a second post must repeat
    state text not null,              -- received, acknowledged, shipped, canceled
    lines text not null,              -- JSON: line_ref, sku, quantity, canceled
    created_at text not null,
    updated_at text not null
);
create table if not exists shipments (
    id text primary key,
    request_id integer not null references requests (id),
    status text not null,             -- shipped, canceled
    lines text not null,
    tracking_number text not null,
    shipped_at text not null,
    updated_at text not null
);
create index if not exists shipments_changed on shipments (updated_at, id);
"""
LONGEST_REFERENCE = 255
LONGEST_BODY = 1 << 20
LARGEST_PAGE = 500


class Problem(Exception):
    """An answer that is not the one hoped for, as RFC 9457 wants it, with the `code` that Waybill reads."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def malformed(field: str, detail: str) -> Problem:
    return Problem(400, "malformed", f"{field}: {detail}")


# ---- what is asked -------------------------------------------------------------------------------------------------


def read_request(body: bytes) -> dict[str, Any]:
    """A NewRequest of the document; unknown fields are ignored. Raises Problem 400 that names the field."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise malformed("body", f"no JSON in UTF-8 ({error})") from error
    if not isinstance(given, dict):
        raise malformed("body", "an object is wanted")
    for field in ("reference", "order_number", "currency"):
        if not isinstance(given.get(field), str) or not given[field]:
            raise malformed(field, "a text is wanted")
    if len(given["reference"]) > LONGEST_REFERENCE:
        raise malformed("reference", f"at most {LONGEST_REFERENCE} characters")
    address = given.get("ship_to")
    if not isinstance(address, dict) or not re.fullmatch("[A-Z]{2}", str(address.get("country", ""))):
        raise malformed("ship_to.country", "an ISO 3166-1 alpha-2 code is wanted, e.g. US")
    given["lines"] = read_lines(given.get("lines"))
    return given


def read_lines(given: object) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        raise malformed("lines", "at least one is wanted")
    lines = []
    for place, line in enumerate(given):
        if not isinstance(line, dict):
            raise malformed(f"lines[{place}]", "an object is wanted")
        for field in ("line_ref", "sku"):
            if not isinstance(line.get(field), str) or not line[field]:
                raise malformed(f"lines[{place}].{field}", "a text is wanted")
        quantity = line.get("quantity")
        if type(quantity) is not int or quantity < 1:
            raise malformed(f"lines[{place}].quantity", "a whole number of at least 1 is wanted")
        lines.append({"line_ref": line["line_ref"], "sku": line["sku"], "quantity": quantity, "canceled": 0})
    if len({line["line_ref"] for line in lines}) != len(lines):
        raise malformed("lines", "each needs a line_ref of its own")
    return lines


def content_of(request: dict[str, Any]) -> str:
    """RULE 3: what makes two requests the same. Sorted, so that neither lines nor fields have an order."""
    lines = sorted([line["line_ref"], line["sku"], line["quantity"]] for line in request["lines"])
    ship_to = {field: value for field, value in request["ship_to"].items() if value}  # left out is as good as empty
    return json.dumps([lines, ship_to, request.get("shipping_method") or None], sort_keys=True)


# ---- what we keep --------------------------------------------------------------------------------------------------


class Warehouse:
    """Requests and shipments in SQLite. `skus` are those that we sell; none given means all."""

    def __init__(self, database: str, skus: frozenset[str] = frozenset(), ship_after: float | None = None) -> None:
        self.skus = skus
        self.ship_after = ship_after
        self.lock = threading.Lock()  # one at a time: simple, and what is shown is shown in the order of its clock
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.executescript("pragma journal_mode = wal; pragma synchronous = full;" + TABLES)
        self.last = ""

    def now(self) -> str:
        """RFC 3339 in UTC. RULE 4: taken under the lock and always later than the one before."""
        moment = time.time()
        text = iso(moment)
        while text <= self.last:
            moment += 0.000_001
            text = iso(moment)
        self.last = text
        return text

    def submit(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """201 and the new request, or 200 and the known one: nothing is changed, nothing ships twice."""
        with self.lock, self.db:
            self.db.execute("begin immediate")
            known = self.by_reference(given["reference"])
            if known is None:
                self.refuse_what_we_do_not_sell(given)
                now = self.now()
                self.db.execute(
                    "insert into requests (reference, content, state, lines, created_at, updated_at) "
                    "values (?, ?, 'acknowledged', ?, ?, ?)",
                    (given["reference"], content_of(given), json.dumps(given["lines"]), now, now),
                )
                return 201, told(self.by_reference(given["reference"]))
            if known["content"] != content_of(given):
                raise Problem(409, "reference_conflict", f"{given['reference']} names a request with other content")
            return 200, told(known)
        # RULE 2: leaving `with self.db` commits; only then is anything answered.

    def refuse_what_we_do_not_sell(self, given: dict[str, Any]) -> None:
        for place, line in enumerate(given["lines"]):
            if self.skus and line["sku"] not in self.skus:
                raise Problem(422, "unknown_sku", f"lines[{place}].sku: {line['sku']} is not in our catalogue")

    def find(self, reference: str) -> tuple[int, dict[str, Any]]:
        """200 with the one request of this reference, or with none. Canceled ones are found too."""
        with self.lock:
            known = self.by_reference(reference)
        return 200, {"requests": [] if known is None else [told(known)]}

    def cancel(self, wanted: str) -> tuple[int, dict[str, Any]]:
        """Accepted while nothing has shipped; asked again, it says what holds now."""
        with self.lock, self.db:
            self.db.execute("begin immediate")
            request = self.db.execute("select * from requests where 'req_' || id = ?", (wanted,)).fetchone()
            if request is None:
                raise Problem(404, "not_found", f"there is no request {wanted}")
            if request["state"] == "shipped":
                return 200, {"result": "refused", "message": "It has left already."}
            if request["state"] != "canceled":
                lines = [line | {"canceled": line["quantity"]} for line in json.loads(request["lines"])]
                self.db.execute(
                    "update requests set state = 'canceled', lines = ?, updated_at = ? where id = ?",
                    (json.dumps(lines), self.now(), request["id"]),
                )
            return 200, {"result": "accepted", "message": ""}

    def list_shipments(self, since: str, page: str, limit: int) -> tuple[int, dict[str, Any]]:
        """Changed at or after `since`, in pages by (updated_at, id): what is added meanwhile moves nothing."""
        after_at, _, after_id = page.partition("~")
        with self.lock:
            found = self.db.execute(
                "select s.*, r.reference from shipments s join requests r on r.id = s.request_id "
                "where s.updated_at >= ? and (s.updated_at, s.id) > (?, ?) order by s.updated_at, s.id limit ?",
                (since, after_at, after_id, limit + 1),
            ).fetchall()
        shown = found[:limit]
        more = f"{shown[-1]['updated_at']}~{shown[-1]['id']}" if len(found) > limit else None
        return 200, {"shipments": [shipment_told(row) for row in shown], "next": more}

    def ship_due(self) -> None:
        """Ships whatever is older than `ship_after`, whole. A real warehouse does this with its hands."""
        if self.ship_after is None:
            return
        with self.lock, self.db:
            self.db.execute("begin immediate")
            old = self.db.execute(
                "select * from requests where state = 'acknowledged' and created_at <= ?",
                (iso(time.time() - self.ship_after),),
            ).fetchall()
            for request in old:
                now, name = self.now(), f"shp_{request['id']}"
                self.db.execute(
                    "insert into shipments values (?, ?, 'shipped', ?, ?, ?, ?)",
                    (name, request["id"], request["lines"], f"TRACK{request['id']:08d}", now, now),
                )
                self.db.execute(
                    "update requests set state = 'shipped', updated_at = ? where id = ?", (now, request["id"])
                )

    def by_reference(self, reference: str) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.db.execute(
            "select * from requests where reference = ?", (reference,)
        ).fetchone()
        return found


def told(row: sqlite3.Row | None) -> dict[str, Any]:
    """A Request of the document."""
    assert row is not None
    return {
        "id": f"req_{row['id']}",
        "reference": row["reference"],
        "state": row["state"],
        "lines": json.loads(row["lines"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def shipment_told(row: sqlite3.Row) -> dict[str, Any]:
    """A Shipment of the document."""
    lines = [{name: line[name] for name in ("line_ref", "sku", "quantity")} for line in json.loads(row["lines"])]
    return {
        "id": row["id"],
        "request_id": f"req_{row['request_id']}",
        "reference": row["reference"],
        "status": row["status"],
        "lines": lines,
        "carrier": "UPS Ground",
        "tracking_numbers": [row["tracking_number"]],
        "tracking_url": f"https://track.example/{row['tracking_number']}",
        "shipped_at": row["shipped_at"],
        "updated_at": row["updated_at"],
    }


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- the door ------------------------------------------------------------------------------------------------------


def make_handler(warehouse: Warehouse, token: str) -> type[BaseHTTPRequestHandler]:
    """Maps the document's four operations to the warehouse."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, LONGEST_BODY))
            path = urlsplit(self.path).path
            canceled = re.fullmatch(r"/requests/([^/]+)/cancel", path)
            if path == "/requests":
                self.answer(lambda: warehouse.submit(read_request(body)))
            elif canceled:
                self.answer(lambda: warehouse.cancel(unquote(canceled[1])))
            else:
                self.answer(no_such_path)

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(split.query, encoding="utf-8").items()}
            if split.path == "/requests":
                self.answer(lambda: warehouse.find(wanted_reference(query)))
            elif split.path == "/shipments":
                self.answer(lambda: warehouse.list_shipments(since_of(query), query.get("page", ""), limit_of(query)))
            else:
                self.answer(no_such_path)

        def answer(self, act: Callable[[], tuple[int, dict[str, Any]]]) -> None:
            try:
                self.check_token()
                status, body = act()
                kind = "application/json"
            except Problem as problem:
                status, kind = problem.status, "application/problem+json"
                body = {"title": problem.code, "status": status, "code": problem.code, "detail": problem.detail}
            raw = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def check_token(self) -> None:
            given = self.headers.get("Authorization", "").encode()
            if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
                raise Problem(401, "unauthorized", "the token is missing, wrong or expired")

        def log_message(self, *args: object) -> None:
            """Silent: headers hold the token, and paths references."""

    return Handler


def no_such_path() -> tuple[int, dict[str, Any]]:
    raise Problem(404, "not_found", "there is no such path")


def wanted_reference(query: dict[str, str]) -> str:
    if not query.get("reference"):
        raise malformed("reference", "missing")
    return query["reference"]


def since_of(query: dict[str, str]) -> str:
    """As our own times are written, so that texts can be compared; empty means from the beginning."""
    if not query.get("since"):
        return ""
    try:
        moment = datetime.fromisoformat(query["since"])
    except ValueError as error:
        raise malformed("since", f"{query['since']!r} is no RFC 3339 time") from error
    if moment.tzinfo is None:
        raise malformed("since", f"{query['since']!r} has no zone; write e.g. 2026-11-22T09:00:00Z")
    return iso(moment.timestamp())


def limit_of(query: dict[str, str]) -> int:
    text = query.get("limit", "100")
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise malformed("limit", f"{text!r}; 1 to {LARGEST_PAGE} are taken")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="A reference HTTP source for Waybill.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--database", default="reference_source.db", help="SQLite file; it outlives the process")
    parser.add_argument("--token", default="", help="what Waybill sends as bearer token; empty asks for none")
    parser.add_argument("--sku", action="append", default=[], help="a SKU that we sell; none given means all")
    parser.add_argument("--ship-after", type=float, default=None, help="seconds; without it nothing ships")
    given = parser.parse_args()
    warehouse = Warehouse(given.database, frozenset(given.sku), given.ship_after)
    server = ThreadingHTTPServer((given.host, given.port), make_handler(warehouse, given.token))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        while True:
            warehouse.ship_due()
            time.sleep(0.2)
    except KeyboardInterrupt:
        server.shutdown()


if __name__ == "__main__":
    main()
