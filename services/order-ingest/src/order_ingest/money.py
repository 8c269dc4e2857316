"""Whether an amount or a currency fits our values (pure)."""

import re
from decimal import Decimal

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DECIMALS = 6
_DIGITS = 18


def amount_fits(amount: Decimal) -> bool:
    """At most 18 digits, of which at most 6 after the point; trailing zeros don't count."""
    if not amount.is_finite():
        return False
    exponent = amount.normalize().as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return decimals <= _DECIMALS and abs(amount) < Decimal(10) ** (_DIGITS - _DECIMALS)


def amount_or_zero(amount: Decimal) -> Decimal:
    """The amount without needless zeros where they are too many; 0 for one that does not fit (a hold says so)."""
    if not amount_fits(amount):
        return Decimal(0)
    exponent = amount.as_tuple().exponent
    return amount.normalize() if isinstance(exponent, int) and exponent < -_DECIMALS else amount


def currency_or_none(currency: str) -> str | None:
    """The ISO 4217 code, or none when it does not look like one."""
    return currency if _CURRENCY.match(currency) else None
