"""Words that lists are narrowed by, at the API and on the command line: another one is refused, not matched by nothing.

Those of a hold, an FR's state and its outcome are enums of the contracts.
"""

from typing import Literal

Role = Literal["viewer", "operator", "admin"]
Stage = Literal["held", "imported", "routed", "submitted", "shipped", "settled", "canceled"]
Fulfillment = Literal["unfulfilled", "partial", "shipped", "canceled"]
Sync = Literal["not_needed", "pending", "failed", "synced"]
ShipmentStatus = Literal["recorded", "refused", "conflicted", "set_aside", "synced", "sync_failed", "withdrawn"]
CommandState = Literal["stored", "sent", "done", "refused"]
RecordOutcome = Literal["ok", "later", "refused", "unauthorized", "unreadable", "unknown"]
