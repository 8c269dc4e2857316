"""What a platform can do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Find = Literal["consistent", "indexed", "none"]


@dataclass(frozen=True, slots=True)
class Features:
    """What a platform can do (FP-4); what it cannot is declared here, never faked."""

    acknowledges: bool = False
    cancels: bool = False
    updates_tracking: bool = False
    cancels_fulfillments: bool = False
    forgets_canceled: bool = False
    """A fulfillment that was canceled is not shown any more, instead of being shown as canceled."""
    several_numbers: bool = False
    reports_shipments: bool = False
    lists_changed_shipments: bool = False
    dedupes_by_reference: bool = False
    prepares: bool = False
    """Requests are placed in two steps (`RequestPlacer`): the handle of the first is stored before the second."""
    notifies_buyer: bool = False
    tells_service: bool = False
    """A fulfillment names the courier's service (`ups` and "Ground") apart from the courier."""
    stock_is_available: bool = False
    """The figures of `StockReader` are what is left to sell: what we asked for and has not left is gone from them."""
    find: Find = "none"
    index_lag: timedelta = timedelta(0)
    """How long after its creation a thing may still be missing from a search."""
    call_timeout: float = 20.0
    """Seconds after which one call is given up; a lease must outlive it."""
