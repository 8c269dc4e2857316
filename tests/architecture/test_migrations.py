"""Every package's migrations fit together: two files of one number would stop its service at the start."""

import pytest

from waybill_common.migrations import KERNEL, migrations_of


@pytest.mark.parametrize(
    "package", [KERNEL, "order_ingest", "router", "fulfillment_push", "shipment_poller", "console"]
)
def test_no_number_is_used_twice(package: str) -> None:
    assert migrations_of(package)
