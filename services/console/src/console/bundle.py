"""A support bundle: one file with an order's whole story, to hand to somebody else (OP-14). Pure.

Secrets are not in it, because none is in what it is made of: exchanges were stored without them. It does hold the
buyer's name and address; its first page says so.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

_READ_ME = """Waybill support bundle: order {number} of {channel}, made {made}.

order.json       the order now: lines, holds, FRs, shipments, what it waits for
timeline.json    everything that happened to it, in order
versions.json    our copy of it after each change
decisions.json   every routing decision with its inputs
exchanges/       each exchange with a platform about it: request and response, secrets removed, long bodies cut
trace.txt        the id of its trace

It holds personal data of the buyer (name, address, e-mail): treat it so, and delete it when the case is closed.
"""


def bundle(
    order: Mapping[str, Any],
    activities: Sequence[Any],
    versions: Sequence[Any],
    decisions: Any,
    exchanges: Sequence[Mapping[str, Any]],
    made: datetime,
) -> bytes:
    """The zip file's bytes; the same story gives the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        words = _READ_ME.format(number=order["number"], channel=order["channel"], made=made.isoformat())
        _add(file, made, "README.txt", words.encode())
        _add(file, made, "order.json", _json(order))
        _add(file, made, "timeline.json", _json(activities))
        _add(file, made, "versions.json", _json(versions))
        _add(file, made, "decisions.json", _json(decisions))
        _add(file, made, "trace.txt", f"{order['trace'] or 'none'}\n".encode())
        for place, exchange in enumerate(exchanges, start=1):
            _add(file, made, f"exchanges/{place:04}-{exchange['log_type']}.json", _json(exchange))
    return whole.getvalue()


def _add(file: zipfile.ZipFile, made: datetime, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=made.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, content)


def _json(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str)
