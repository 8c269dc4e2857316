"""Whether an amount or a currency fits our values (pure)."""

import re
from decimal import Decimal

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DECIMALS = 6
_LIMIT = Decimal(10) ** 12


def amount_fits(amount: Decimal) -> bool:
    """At most 18 digits, of which at most 6 after the point; trailing zeros don't count."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):  # NaN, infinity
        return False
    if exponent < -_DECIMALS:
        exponent = int(amount.normalize().as_tuple().exponent)
    return exponent >= -_DECIMALS and -_LIMIT < amount < _LIMIT


def amount_or_zero(amount: Decimal) -> Decimal:
    """The amount without needless zeros where they are too many; 0 for one that does not fit (a hold says so)."""
    if not amount_fits(amount):
        return Decimal(0)
    exponent = amount.as_tuple().exponent
    return amount.normalize() if isinstance(exponent, int) and exponent < -_DECIMALS else amount


def currency_or_none(currency: str) -> str | None:
    """The ISO 4217 code, or none when it does not look like one."""
    return currency if _CURRENCY.match(currency) else None
