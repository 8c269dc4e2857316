"""Identifiers: time-ordered ones for new things, deterministic ones for things that must be the same on every try.

`new_id` sorts by creation time (UUIDv7), so that indexes grow at one end. It promises uniqueness, not a strict order
between processes. `stable_id` is a pure function: the same parts give the same id in every process, for ever.
"""

import uuid

import uuid_utils

_NAMESPACE = uuid.UUID("6f1d4d0e-6a57-5a3c-9d5e-3f6f0c2a9b11")
_SEPARATOR = "\x1f"  # unit separator: cannot be typed into an id by accident, so ("a", "bc") and ("ab", "c") differ


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 as a standard library UUID."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def stable_id(*parts: str) -> uuid.UUID:
    """The UUIDv5 that belongs to these parts, in this order."""
    if not parts:
        raise ValueError("stable_id needs at least one part: pass what makes the thing unique")
    return uuid.uuid5(_NAMESPACE, _SEPARATOR.join(parts))
