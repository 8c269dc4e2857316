"""What a source is asked to ship, and what it says to that."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from waybill_contracts.values import Address


@dataclass(frozen=True, slots=True)
class SourceRequestLine:
    line_ref: str
    """Unique within the request; the source gives it back in acknowledgements and shipments (FP-6)."""
    sku: str
    quantity: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What one source is asked to ship, in its own names."""

    reference: str
    """The FR's number. The same reference always means the same request."""
    order_number: str
    lines: tuple[SourceRequestLine, ...]
    ship_to: Address
    shipping_method: str | None
    currency: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request as the source has it."""

    platform_id: str
    reference: str
    acknowledged: bool
    lines: tuple[tuple[str, str, int], ...] | None
    """(line_ref, sku, quantity asked); None where the platform does not give them back. Where it keeps no line_refs
    they are empty, and lines of one SKU may be one."""
    canceled: bool = False
    canceled_lines: tuple[tuple[str, int], ...] = ()
    """(line_ref, pieces that the source will not ship)."""

    def is_for(self, request: SourceRequest) -> bool:
        """May be adopted as the outcome of `request`: same reference, lines and quantities (DESIGN section 5).

        A source that keeps our line_refs may spell SKUs its own way; where it keeps none, the SKU is all there is.
        """
        if self.reference != request.reference:
            return False
        if self.lines is None:
            return True
        asked = [(line.line_ref, line.sku, line.quantity) for line in request.lines]
        if all(not line_ref for line_ref, _, _ in self.lines):
            return _pieces(self.lines) == _pieces(asked)
        have, want = ([(ref, pieces) for ref, _, pieces in lines] for lines in (self.lines, asked))
        return sorted(have) == sorted(want)


def _pieces(lines: Iterable[tuple[str, str, int]]) -> Counter[str]:
    """Pieces by SKU."""
    total: Counter[str] = Counter()
    for _, sku, quantity in lines:
        total[sku] += quantity
    return total


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What a source says to being asked to drop a request (FP-7)."""

    result: Literal["accepted", "refused", "pending"]
    message: str = ""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that may still ship; for platforms that list shipments by request."""

    reference: str
    platform_id: str | None
