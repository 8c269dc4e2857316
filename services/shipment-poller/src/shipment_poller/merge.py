"""What a source says now against what it said before: the newest word counts, whatever order words arrive in (SP-5).

Pure. Promises: the result does not depend on the order or the number of times that pages are read. It cannot tell two
different words with the same `updated_at` apart in time; then a cancellation wins, because nobody takes one back.
"""

from collections.abc import Iterable

from shipment_poller.model import Said, SaidStatus


def newer(stored: Said | None, seen: Said) -> Said | None:
    """`seen` when it says something that `stored` does not say already, else none."""
    if stored is None:
        return seen
    if seen.status is SaidStatus.UNKNOWN or _rank(seen) < _rank(stored):
        return None
    return None if _content(seen) == _content(stored) else seen


def fold(seen: Iterable[Said]) -> dict[str, Said]:
    """One word for each shipment id: lists move while they are paged, so the same one may come twice."""
    words: dict[str, Said] = {}
    for said in seen:
        words[said.id] = newer(words.get(said.id), said) or words[said.id]
    return words


def _rank(said: Said) -> tuple[object, ...]:
    return (said.updated_at, said.status is SaidStatus.CANCELED)


def _content(said: Said) -> Said:
    # when it was touched at the source is no content: shops touch what they never change
    return said.model_copy(update={"updated_at": said.shipped_at})
