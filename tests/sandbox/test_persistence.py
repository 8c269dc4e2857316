"""A sandbox that is killed and started again knows everything that it answered."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from sandbox.journal import Journal


async def started(directory: Path, port: int) -> Any:
    arguments = (
        "-m",
        "sandbox",
        "--port",
        str(port),
        "--data",
        str(directory),
        "--orders",
        "40",
        "--ship-after",
        "0.4",
    )
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    assert b"sandbox: 40 orders" in line
    return process


async def test_killed_in_the_middle_and_started_again_it_has_all_that_it_answered(
    tmp_path: Path, unused_port: int, submission: Callable[..., Any]
) -> None:
    headers = {"Authorization": "Bearer demo-east-token"}
    url, control = f"http://127.0.0.1:{unused_port}/sources/east", f"http://127.0.0.1:{unused_port}/_sandbox"
    process = await started(tmp_path, unused_port)
    bodies = [submission(f"#{number}") for number in range(20)]
    async with aiohttp.ClientSession(headers=headers) as http:
        for body in bodies:
            assert (await http.post(f"{url}/requests", json=body)).status == 201
        await http.post(f"{control}/shops/acme/orders/1004/pay")
        entries = (await (await http.get(f"{control}/ledger")).text()).splitlines()
    process.kill()
    await process.wait()
    process = await started(tmp_path, unused_port)
    async with aiohttp.ClientSession(headers=headers) as http:
        for body in bodies:
            assert (await http.post(f"{url}/requests", json=body)).status == 200
        order = await (await http.get(f"{control}/shops/acme/orders/1004")).json()
        assert order["display_financial_status"] == "PAID"
        again = (await (await http.get(f"{control}/ledger")).text()).splitlines()
        assert again[: len(entries)] == entries
        assert [orjson.loads(entry)["seq"] for entry in again] == list(range(1, len(again) + 1))
        await asyncio.sleep(1.0)
        shipped = (await (await http.get(f"{url}/shipments?limit=500")).json())["shipments"]
        assert {one["reference"] for one in shipped} == {body["reference"] for body in bodies}
        assert sum(line["quantity"] for one in shipped for line in one["lines"]) == 40
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0


def test_the_last_document_of_a_key_counts_and_the_one_before_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for value in (1, 2, 3):
        journal.save("order", "a", {"value": value})
    assert journal.before("order", "a") == {"value": 2}
    assert journal.before("order", "b") is None
    journal.close()
    again = Journal(tmp_path)
    assert list(again.documents()) == [("order", "a", {"value": 3})]
    again.close()


@pytest.mark.parametrize("cut", [1, 9, 20])
def test_a_line_cut_by_a_kill_is_passed_over_and_the_next_one_is_whole(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path)
    journal.save("order", "a", {"value": 1})
    journal.save("order", "b", {"value": 2})
    journal.close()
    state = tmp_path / "state.jsonl"
    state.write_bytes(state.read_bytes()[:-cut])
    journal = Journal(tmp_path)
    found = {key: document for _, key, document in journal.documents()}
    assert found["a"] == {"value": 1}
    journal.save("order", "c", {"value": 3})
    journal.close()
    again = Journal(tmp_path)
    assert "c" in {key for _, key, _ in again.documents()}
    again.close()


def test_a_state_file_that_grew_is_rewritten_without_losing_anything(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(5_000):
        journal.save("order", str(number % 3), {"value": number})
    journal.close()
    size = (tmp_path / "state.jsonl").stat().st_size
    again = Journal(tmp_path)
    assert {key: document["value"] for _, key, document in again.documents()} == {"0": 4998, "1": 4999, "2": 4997}
    again.close()
    assert (tmp_path / "state.jsonl").stat().st_size < size / 100
