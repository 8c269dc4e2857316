"""OP-7: whatever a page of the console asks for is a documented call that any program can make."""

import re
from importlib import resources
from typing import Any

import pytest

PAGES = {
    page.name: page.read_text()
    for page in (resources.files("console") / "pages").iterdir()
    if page.name[-5:] == ".html"
}
_CALL = re.compile(r"fetch\(\s*[\"'`]([^\"'`?]+)[^)]*?\)", re.S)
_METHOD = re.compile(r"method:\s*[\"'](\w+)[\"']")
_FORM = re.compile(r"<form[^>]*action=\"([^\"]+)\"")


@pytest.mark.parametrize("name", sorted(PAGES))
async def test_every_call_of_a_page_is_in_the_openapi_document(empty_console: Any, name: str) -> None:
    document = (await empty_console.http.get("/api/openapi.json")).json()
    for call in _CALL.finditer(PAGES[name]):
        method = _METHOD.search(call[0])
        path = call[1].removeprefix("/api")
        assert (method[1].lower() if method else "get") in document["paths"].get(path, {}), f"{name}: {call[0]}"


def test_pages_act_by_documented_calls_alone_but_for_signing_in_and_out() -> None:
    forms = {action for text in PAGES.values() for action in _FORM.findall(text)}
    calls = [call for text in PAGES.values() for call in _CALL.finditer(text)]

    assert forms <= {"/sign-in", "/sign-out"}
    assert calls, "no call was found: the pattern no longer fits the pages"
    assert len(calls) == sum(text.count("fetch(") for text in PAGES.values()), "a call that this test cannot read"
