"""Looking at a connection when it is added, on every platform and in every role that has a prober. (SP-14)"""

from typing import Any

import pytest

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import ChannelConnection, SourceConnection


@pytest.fixture
def prober(request: Any, either: ChannelConnection | SourceConnection) -> Any:
    return either.prober or pytest.skip("declared: nothing to look at")


async def test_a_connection_with_all_that_it_needs_is_usable(prober: Any) -> None:
    found = await prober.probe()
    assert found.usable, found.findings
    assert found.version


async def test_the_shops_clock_and_currency_are_told(prober: Any) -> None:
    found = await prober.probe()
    assert len(found.currency) == 3
    assert found.timezone


async def test_every_finding_says_what_is_and_what_mends_it(stage: Any, prober: Any) -> None:
    for finding in (await prober.probe()).findings:
        assert finding.code
        assert finding.message
        assert finding.severity == "info" or finding.fix


async def test_wrong_credentials_are_told_as_an_error_or_as_what_is_missing(stage: Any, prober: Any) -> None:
    stage.misbehave("unauthorized", count=50)
    try:
        found = await prober.probe()
    except PlatformError as error:
        assert error.family is Family.UNAUTHORIZED  # noqa: PT017 (either way is right, and both are looked at)
    else:
        assert not found.usable


async def test_a_probe_changes_nothing(stage: Any, prober: Any) -> None:
    before = len(stage.world.journal.entries)
    await prober.probe()
    assert len(stage.world.journal.entries) == before
