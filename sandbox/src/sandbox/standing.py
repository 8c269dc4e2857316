"""What every emulated shop is made of: its range of numbers, its settings, its orders kept and found again.

A platform's shop adds what its platform knows: products, shipments, webhooks. It has nothing of a platform's words.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from sandbox.shops import Given, NotPossible, Place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnOrder = TypeVar("AnOrder")
SomeSettings = TypeVar("SomeSettings", bound="DataclassInstance")


def turned(settings: SomeSettings, given: Given) -> SomeSettings:
    """Settings with some of them turned. Raises NotPossible that names those that there are."""
    known = sorted(one.name for one in fields(settings))
    if unknown := sorted(set(given) - set(known)):
        raise NotPossible(f"unknown settings {unknown}; there are {known}")
    return replace(settings, **given)


class StandingShop(ABC, Generic[AnOrder, SomeSettings]):
    """Everything is kept in the journal, and the same after a restart."""

    order_form: TypeAdapter[AnOrder]
    settings_form: TypeAdapter[SomeSettings]

    def __init__(self, place: Place, settings: SomeSettings) -> None:
        self.name = place.name
        self.role = place.role
        self.journal = place.journal
        self.new_id = place.new_id
        self.now = place.now
        self.wake = place.wake
        self.post = place.post
        self.first_number = place.first_number
        self.settings = settings
        self.orders: dict[int, AnOrder] = {}
        self._last_number = place.first_number - 1

    # -- orders

    @abstractmethod
    def key(self, order: AnOrder) -> int:
        """Its id."""

    @abstractmethod
    def order_named(self, number: str) -> AnOrder | None:
        """By the number that buyers see."""

    def next_number(self) -> int:
        return self._last_number + 1

    def next_position(self) -> int:
        return self.next_number() - self.first_number

    def shown(self, number: str) -> AnOrder:
        """KeyError when there is none."""
        order = self.order_named(number)
        if order is None:
            raise KeyError(f"order {number}")
        return order

    def save(self, order: AnOrder) -> None:
        self.journal.save("order", f"{self.name}/{self.key(order)}", order)

    def as_before(self, order: AnOrder) -> AnOrder:
        """The order as a replica that missed the last change would show it."""
        earlier = self.journal.before("order", f"{self.name}/{self.key(order)}")
        return order if earlier is None else self.order_form.validate_python(earlier)

    # -- settings

    def told_settings(self) -> Given:
        return asdict(self.settings)

    def configure(self, given: Given) -> None:
        self._apply(self.settings_form.validate_python(asdict(turned(self.settings, given))))
        self.journal.save("shop", self.name, self.settings)

    def restore_settings(self, document: Any) -> None:
        self._apply(self.settings_form.validate_python(document))

    def _apply(self, settings: SomeSettings) -> None:
        """With what hangs on them."""
        self.settings = settings
