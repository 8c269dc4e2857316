"""What in our documents is about a person, and the same documents without it (OP-16). Pure.

The shapes are ours: an address is whatever has a `country` and a `line1`. Country and region stay, because counts and
costs are told by them; nobody is found by them. An exchange with a platform is in the platform's words and may hold
more of the person than we ever understood, so its bodies go whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

ERASED = "[erased]"
"""Stands where a person's data stood."""
_OF_ADDRESSES = ("name", "company", "line1", "line2", "city", "postal_code", "phone", "email")
_FREE = ("email", "note")
"""Of orders: the buyer's own words."""
_BODIES = ("request_body", "response_body", "error")
_SHORTEST_WORD = 3


def without_person(document: Any) -> Any:
    """The document with every address, e-mail and note replaced; an exchange without its bodies and its query."""
    if isinstance(document, Mapping):
        return _mapping(document)
    if isinstance(document, list | tuple):
        return [without_person(item) for item in document]
    return document


def _mapping(document: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: without_person(value) for name, value in document.items()}
    if "country" in document and "line1" in document:
        return plain | _erased(plain, _OF_ADDRESSES)
    if "exchange_id" in document and "response_body" in document:
        url = str(plain.get("url", ""))
        query = {"url": url.partition("?")[0] + "?" + ERASED} if urlsplit(url).query else {}
        return plain | _erased(plain, _BODIES) | query
    return plain | _erased(plain, _FREE)


def _erased(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    return {name: ERASED for name in names if isinstance(document.get(name), str) and document[name]}


def words_of(document: Any) -> set[str]:
    """What names the person in a document: texts that are worth looking for elsewhere."""
    return {word for word in _words(document) if len(word) >= _SHORTEST_WORD and word != ERASED}


def marks_of(document: Any) -> set[tuple[str, ...]]:
    """What proves that a text is about this person: an e-mail, a telephone number, or name and street together."""
    return {mark for mark in _marks(document) if ERASED not in mark}


def _words(document: Any) -> Iterator[str]:
    for address in _addresses(document):
        # a city or a postal code alone names nobody, and is part of many other words
        yield from (
            str(address.get(name) or "").strip() for name in _OF_ADDRESSES if name not in ("city", "postal_code")
        )
    yield from (text.strip() for text in _emails(document))


def _marks(document: Any) -> Iterator[tuple[str, ...]]:
    for address in _addresses(document):
        name, street = (str(address.get(part) or "").strip() for part in ("name", "line1"))
        if len(name) >= _SHORTEST_WORD and len(street) >= _SHORTEST_WORD:
            yield name, street
        if len(phone := str(address.get("phone") or "").strip()) >= 7:
            yield (phone,)
    yield from ((text.strip(),) for text in _emails(document) if "@" in text)


def _addresses(document: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, Mapping):
        if "country" in document and "line1" in document:
            yield document
        for value in document.values():
            yield from _addresses(value)
    elif isinstance(document, list | tuple):
        for item in document:
            yield from _addresses(item)


def _emails(document: Any) -> Iterator[str]:
    if isinstance(document, Mapping):
        if isinstance(text := document.get("email"), str) and text:
            yield text
        for value in document.values():
            yield from _emails(value)
    elif isinstance(document, list | tuple):
        for item in document:
            yield from _emails(item)
