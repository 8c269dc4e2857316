"""The few functions of librdkafka's public C API (`rdkafka_mock.h`) that confluent-kafka does not offer in Python."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

PRODUCER = 0


class KafkaFailed(RuntimeError):
    """The embedded broker could not do what was asked; the message names what and why."""


@cache
def library() -> ctypes.CDLL:
    """The librdkafka inside the wheel of confluent-kafka."""
    wheel = importlib.util.find_spec("confluent_kafka")
    for folder in wheel.submodule_search_locations or [] if wheel is not None else []:
        package = Path(folder)
        for pattern in ("../confluent_kafka.libs/librdkafka*.so*", ".dylibs/librdkafka*.dylib"):
            for path in sorted(package.glob(pattern)):
                return _declared(ctypes.CDLL(str(path)))
    raise KafkaFailed("no librdkafka in the package confluent-kafka: run `make setup`")


def _declared(lib: ctypes.CDLL) -> ctypes.CDLL:
    handle, text, number, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (handle, []),
        "rd_kafka_conf_set_log_cb": (None, [handle, handle]),
        "rd_kafka_new": (handle, [number, handle, text, size]),
        "rd_kafka_destroy": (None, [handle]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (handle, [handle, number]),
        "rd_kafka_mock_cluster_destroy": (None, [handle]),
        "rd_kafka_mock_cluster_bootstraps": (text, [handle]),
        "rd_kafka_mock_topic_create": (number, [handle, text, number, number]),
        "rd_kafka_mock_topic_set_error": (None, [handle, text, number]),
        "rd_kafka_mock_push_request_errors_array": (None, [handle, ctypes.c_int16, size, handle]),
        "rd_kafka_mock_broker_set_host_port": (None, [handle, ctypes.c_int32, text, number]),
        "rd_kafka_mock_broker_set_rtt": (number, [handle, ctypes.c_int32, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [handle, ctypes.c_int32]),
    }
    for name, (returned, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype = returned
        function.argtypes = arguments
    return lib
