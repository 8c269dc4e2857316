"""The tour and the pages of mechanisms lead to code that exists: each `path:function` is opened, each link followed.

It cannot tell whether a sentence is still true, only that what it points at is still there.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs/life-of-an-order.md"
MECHANISMS = sorted((ROOT / "docs/mechanisms").glob("*.md"))
LINKING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

LEAST_IN_THE_TOUR = 60
_STOP = re.compile(r"`([\w./-]+\.py)(?::([A-Za-z_][\w.]*))?`")
_BASE = re.compile(r"[Pp]aths\s+are\s+below\s+`([\w./-]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Stop(NamedTuple):
    """A place that a page points at; `name` None means the file as a whole."""

    page: str
    path: str
    name: str | None


def stops(page: str, text: str) -> list[Stop]:
    """All stops of a page. Shortened paths lie below the folder that the page names: "Paths are below `folder/`"."""
    base = _BASE.search(text)
    folder = base[1].rstrip("/") + "/" if base else ""
    return [Stop(page, _placed(path, folder), name or None) for path, name in _STOP.findall(text)]


def _placed(path: str, folder: str) -> str:
    """From the root, or below the page's folder; a bare name may be anywhere below it, if there is only one."""
    if not folder or (ROOT / path).exists():
        return path
    if (ROOT / folder / path).exists():
        return folder + path
    deeper = [found.relative_to(ROOT) for found in (ROOT / folder).rglob(path)]
    return str(deeper[0]) if len(deeper) == 1 else folder + path


def problem(stop: Stop) -> str | None:
    """What is wrong with a stop; None when it leads somewhere."""
    path = ROOT / stop.path
    if not path.is_file():
        return f"{stop.page}: there is no file {stop.path}"
    if stop.name is not None and stop.name not in defined(path):
        return f"{stop.page}: {stop.path} defines no {stop.name}"
    return None


@cache
def defined(path: Path) -> frozenset[str]:
    """Functions, classes, `Class.method`s and constants of a module."""
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body))


def _names(body: Iterable[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{prefix}{node.name}.")
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield prefix + node.target.id
        if isinstance(node, ast.Assign):
            yield from (prefix + target.id for target in node.targets if isinstance(target, ast.Name))


def broken_links(page: Path) -> list[str]:
    """Relative links of a page that lead to no file or folder."""
    targets = [target.partition("#")[0] for target in _LINK.findall(page.read_text(encoding="utf-8"))]
    relative = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
    return [f"{page.relative_to(ROOT)}: {target}" for target in relative if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", [TOUR, *MECHANISMS], ids=lambda page: page.stem)
def test_every_stop_of_a_page_is_there(page: Path) -> None:
    found = stops(page.name, page.read_text(encoding="utf-8"))

    assert [wrong for stop in found if (wrong := problem(stop))] == []
    assert found, f"{page.name} leads nowhere: a page names the code that it is about"


def test_the_tour_goes_through_every_service_and_what_lies_between() -> None:
    found = [stop for stop in stops(TOUR.name, TOUR.read_text(encoding="utf-8")) if stop.name]

    assert len(found) >= LEAST_IN_THE_TOUR
    for folder in (*(ROOT / "services").iterdir(), ROOT / "sandbox", ROOT / "libs/common", ROOT / "libs/platforms"):
        if folder.is_dir():
            assert any(stop.path.startswith(f"{folder.relative_to(ROOT)}/") for stop in found), folder.name


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("`libs/common/src/waybill_common/outbox.py:prepend`", "defines no prepend"),
        ("`libs/common/src/waybill_common/relay.py:Relay.walk`", "defines no Relay.walk"),
        ("`libs/common/src/waybill_common/inbox.py:append`", "there is no file"),
        ("Paths are below `libs/common/src/waybill_common/`. See `inbox.py`.", "there is no file"),
    ],
)
def test_a_planted_wrong_stop_is_seen(planted: str, complaint: str) -> None:
    [stop] = stops("planted.md", f"A sentence with {planted} in it.")

    assert complaint in (problem(stop) or "")


def test_shortened_paths_lie_below_the_folder_that_the_page_names() -> None:
    [stop] = stops("page.md", "Paths are below\n`libs/common/src/waybill_common/`. See `outbox.py:append`.")

    assert stop == Stop("page.md", "libs/common/src/waybill_common/outbox.py", "append")
    assert problem(stop) is None


def test_links_between_pages_lead_to_files() -> None:
    assert [wrong for page in LINKING for wrong in broken_links(page)] == []


def test_a_planted_broken_link_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("[here](page.md#part) [there](https://example.com/x) [nowhere](gone.md)")

    assert broken_links(page) == ["page.md: gone.md"]
