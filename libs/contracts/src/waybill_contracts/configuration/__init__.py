"""The configuration file of `waybill apply -f`, as models (DESIGN section 7).

These are also what `config.changed` carries. Unknown keys are refused here (a typing mistake must not be a silent
default), unlike in events. Durations are written as `3m`, `15m`, `0s`, `1h`, `30d`. `credentials` hold sealed text
on the wire; only the client that calls the platform opens them.
"""

from waybill_contracts.configuration.channels import (
    Channel,
    Duplicates,
    FileField,
    FileMapping,
    HoldRule,
    HoldWhen,
    ImportFilter,
    Store,
    now_or,
)
from waybill_contracts.configuration.document import Configuration
from waybill_contracts.configuration.routing import Group, Priority, Routing, Rule, SingleFr, When
from waybill_contracts.configuration.setting import (
    CHANNEL_PLATFORMS,
    SOURCE_PLATFORMS,
    Duration,
    KitPart,
    NameMapping,
    PassingMapping,
    Platform,
    Setting,
    SkuMapping,
    format_duration,
)
from waybill_contracts.configuration.sources import (
    Capabilities,
    Costs,
    FrNumber,
    Serves,
    ShippingPrice,
    Source,
    StockLevel,
    StockSetting,
)

__all__ = [
    "CHANNEL_PLATFORMS",
    "SOURCE_PLATFORMS",
    "Capabilities",
    "Channel",
    "Configuration",
    "Costs",
    "Duplicates",
    "Duration",
    "FileField",
    "FileMapping",
    "FrNumber",
    "Group",
    "HoldRule",
    "HoldWhen",
    "ImportFilter",
    "KitPart",
    "NameMapping",
    "PassingMapping",
    "Platform",
    "Priority",
    "Routing",
    "Rule",
    "Serves",
    "Setting",
    "ShippingPrice",
    "SingleFr",
    "SkuMapping",
    "Source",
    "StockLevel",
    "StockSetting",
    "Store",
    "When",
    "format_duration",
    "now_or",
]
