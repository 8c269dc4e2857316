"""One due order with what is stored about its routing, and the FRs that it has."""

from dataclasses import dataclass, field

from router.killed import Killed
from router.ledger import Allocation
from waybill_contracts.values import ByHand, FulfillmentRequest, Order


@dataclass(slots=True)
class LiveFr:
    """One FR of the order, whatever its state, with its allocations. `wish` is a person's (`by_hand`)."""

    fr_id: str
    source: str
    number: str
    sequence: int
    state: str
    order_version: int
    body: FulfillmentRequest
    wish: str | None = None
    allocations: list[Allocation] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(allocation.open for allocation in self.allocations)

    @property
    def stays(self) -> bool:
        """Whether its open units count as asked for."""
        return self.state != "void_requested" and self.wish != "overridden"


@dataclass(slots=True)
class Case:
    """One due order with all that is stored about its routing."""

    order: Order
    revision: int
    answered: int
    decisions: int
    frs_made: int
    generate: bool
    standing: str
    reason: str | None
    traceparent: str | None
    asked_by: ByHand | None = None
    frs: list[LiveFr] = field(default_factory=list)
    killed: dict[str, Killed] = field(default_factory=dict)
    """By line, as it was told last."""
    told: int = 0
    """The newest version of the order that a decision answered."""

    @property
    def more_to_come(self) -> bool:
        """Whether a person wants units planned again that their FR has not given back yet."""
        return any(fr.wish == "again" and fr.state == "void_requested" for fr in self.frs)
