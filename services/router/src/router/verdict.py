"""What is to be done about one due order: the answer of `decide`, or of a person who makes an FR by hand."""

from dataclasses import dataclass, field
from typing import Literal

from router.case import Case, LiveFr
from router.killed import Killed
from router.missing import killed_now
from router.routing.plan import Answer
from router.routing.task import Offer, Task
from waybill_contracts.values import ByHand


@dataclass(slots=True)
class Verdict:
    """What is to be done. `waits_for` are the keys that wake the order again; `plan` is what FRs are made of."""

    case: Case
    standing: Literal["routed", "waiting"]
    reason: str = ""
    detail: str = ""
    confirm: list[LiveFr] = field(default_factory=list)
    ask_back: list[tuple[LiveFr, str]] = field(default_factory=list)
    task: Task | None = None
    plan: Answer | None = None
    seen: dict[tuple[str, str], Offer] = field(default_factory=dict)
    """The stock that the plan was made from: what earlier orders of the batch use is off it already (RT-12)."""
    waits_for: list[str] = field(default_factory=list)
    cancel: bool = False
    """The group has orders canceled that cannot be routed."""
    needs: dict[str, int] = field(default_factory=dict)
    """Units of the SKU of a key in `waits_for` without which nothing goes; 1 where it is not named."""
    numbers: list[str] = field(default_factory=list)
    by_hand: ByHand | None = None
    """The person who chose source and lines; None = the rules did."""
    shipping_method: str | None = None
    """Of the FRs to be made, where a person chose another one than the order's."""

    @property
    def killed(self) -> dict[str, Killed]:
        """By line, as it is now (FP-6)."""
        return killed_now(self.case)

    @property
    def makes_frs(self) -> bool:
        return self.plan is not None and self.plan.draft is not None

    @property
    def says_something(self) -> bool:
        """False when it would only repeat the last decision."""
        case = self.case
        return bool(
            case.order.sequence > case.answered
            or self.confirm
            or self.ask_back
            or self.makes_frs
            or self.killed != case.killed
            or (self.standing, self.reason or None) != (case.standing, case.reason)
        )
