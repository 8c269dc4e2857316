"""Amounts as people read them: to the cent, the difference with its sign. What is exact is there with --json."""

from decimal import ROUND_HALF_EVEN, Decimal


def cents(text: str | None, *, sign: bool = False) -> str:
    """Empty for what is not known."""
    if text is None:
        return ""
    rounded = Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return f"{rounded:+}" if sign else str(rounded)


def exact(text: str | None) -> str:
    """All its decimals, at least two: prices of single units may go below the cent."""
    if text is None:
        return ""
    amount = Decimal(text)
    rounded = amount.quantize(Decimal("0.01"))
    return str(rounded if rounded == amount else amount.normalize())
