"""What every event has: its type, its topic, its aggregate and sequence.

`ce_id` is a function of owner, aggregate and sequence, so the same fact sent twice carries the same id
(DESIGN section 1).
"""

from typing import ClassVar

from pydantic import Field

from waybill_contracts.values import UtcTime, Value


class Event(Value):
    """One fact. Subclasses name their type and topic, and say what they are about."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]

    sequence: int = Field(default=1, ge=1, description="grows with each fact of this owner about this aggregate")
    at: UtcTime = Field(description="when it happened")
    caused_by: str | None = Field(default=None, description="id of the command or event that led to it")

    @property
    def aggregate(self) -> str:
        """`kind/id` of what this fact is about; with owner and sequence it makes the event's id."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The Kafka key: facts with the same key stay in order."""
        raise NotImplementedError
