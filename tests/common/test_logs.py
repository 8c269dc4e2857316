"""Log lines: named events, JSON, no secrets, the trace on each."""

import io
import json
import logging
from typing import Any

import pytest

from waybill_common.logs import adopt_standard_logging, make_log, redacted, secret_key
from waybill_common.telemetry import Telemetry


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_event_with_its_facts_and_the_trace_it_belongs_to() -> None:
    out = io.StringIO()
    log = make_log("router", stream=out, instance="r-1")
    with Telemetry.start("router", environ={}).span("work") as span:
        log.info("relay.sent", count=3)
    (line,) = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "relay.sent",
        "level": "info",
        "service": "router",
        "instance": "r-1",
        "count": 3,
        "trace_id": span.traceparent[3:35],
    }


def test_lines_below_the_level_are_not_written() -> None:
    out = io.StringIO()
    log = make_log("router", "WARNING", stream=out)
    log.info("relay.sent")
    log.warning("relay.stopped")
    assert [line["event"] for line in lines(out)] == ["relay.stopped"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"access_token": "x"}, {"access_token": "***"}),
        ({"sent": {"Authorization": "Bearer x", "Accept": "a"}}, {"sent": {"Authorization": "***", "Accept": "a"}}),
        ({"list": [{"api_key": "x"}, {"name": "y"}]}, {"list": [{"api_key": "***"}, {"name": "y"}]}),
        ({"url": "postgresql://waybill:hush@db/x"}, {"url": "postgresql://waybill:***@db/x"}),
        ({"password": None}, {"password": None}),
        ({"Set-Cookie": "a=b"}, {"Set-Cookie": "***"}),
        ({"X-Shopify-Hmac-Signature": "a"}, {"X-Shopify-Hmac-Signature": "***"}),
        ({"credential_version": 4, "sku": "A-1"}, {"credential_version": 4, "sku": "A-1"}),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_not_shown(given: dict[str, Any], shown: dict[str, Any]) -> None:
    assert redacted(given) == shown


@pytest.mark.parametrize(
    "name", ["secret_key", "clientSecret", "consumer_secret", "APIKEY", "refresh_token", "pass_word"]
)
def test_secret_keys(name: str) -> None:
    assert secret_key(name) is (name != "pass_word")


def test_a_secret_is_hidden_on_the_way_out() -> None:
    out = io.StringIO()
    make_log("push", stream=out).info("call.made", request={"client_secret": "hush", "n": 1})
    assert "hush" not in out.getvalue()


def test_an_exception_is_written_with_its_place() -> None:
    out = io.StringIO()
    log = make_log("push", stream=out)
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        log.exception("worker.failed")
    assert "RuntimeError: broken" in lines(out)[0]["exception"]


def test_what_libraries_say_comes_out_in_the_same_form() -> None:
    out = io.StringIO()
    adopt_standard_logging(make_log("push", stream=out))
    try:
        logging.getLogger("aiokafka.conn").warning("broker %s is gone", "b1")
        logging.getLogger("aiokafka.conn").info("not this")
    finally:
        for handler in logging.getLogger().handlers[:]:
            if type(handler).__module__ == "waybill_common.logs":
                logging.getLogger().removeHandler(handler)
    (line,) = lines(out)
    assert (line["event"], line["library"], line["text"]) == ("library.said", "aiokafka.conn", "broker b1 is gone")


def test_a_level_that_does_not_exist_is_named_with_the_fix() -> None:
    with pytest.raises(ValueError, match="log_level='LOUD': use DEBUG, INFO, WARNING or ERROR"):
        make_log("push", "LOUD")


def test_at_a_terminal_lines_are_for_people() -> None:
    out = io.StringIO()
    make_log("push", stream=out, readable=True).info("relay.sent", count=3)
    assert "relay.sent" in out.getvalue()
    assert not out.getvalue().startswith("{")
