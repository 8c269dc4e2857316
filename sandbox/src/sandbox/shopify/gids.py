"""Shopify's global ids: `gid://shopify/Order/123` and back."""


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(kind: str, text: object) -> int | None:
    """The number in a gid of that kind; None for anything else (the platform then finds nothing)."""
    head, _, tail = str(text).rpartition("/")
    return int(tail) if head == f"gid://shopify/{kind}" and tail.isdigit() else None
