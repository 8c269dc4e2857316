"""Draws the life cycle into a page of the documentation, from the table itself.

`python -m fulfillment_push.drawing PAGE [--check]`: between its two marks the page holds the table in words and as a
diagram; `--check` changes nothing, and ends with 1 where the page says otherwise than the code.
"""

import sys
from pathlib import Path

from fulfillment_push.lifecycle import FINAL, MOVES, Condition
from waybill_contracts.fulfillment_submitted import FrState

BEGIN, END = "<!-- drawn from lifecycle.py:MOVES -->", "<!-- end of what is drawn -->"


def table() -> str:
    """Each state with what it may become, and under which condition."""
    rows = ["| state | may become |", "|---|---|"]
    for state, following in MOVES.items():
        cells = [f"`{to.value}`{_when(how)}" for to, how in following.items()]
        rows.append(f"| `{state.value}` | {', '.join(cells) or '–'} |")
    return "\n".join(rows)


def diagram() -> str:
    """The same as a picture (Mermaid)."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {FrState.UNPROCESSED.value}"]
    for state, following in MOVES.items():
        lines += [f"    {state.value} --> {to.value}{_label(how)}" for to, how in following.items()]
    lines += [f"    {state.value} --> [*]" for state in MOVES if state in FINAL]
    return "\n".join([*lines, "```"])


def drawn(page: str) -> str:
    """`page` with what stands between the marks drawn anew. Raises ValueError when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no place for the life cycle: put {BEGIN} and {END} into it")
    return f"{before}{BEGIN}\n\n{table()}\n\n{diagram()}\n\n{END}{after}"


def _when(how: Condition) -> str:
    return "" if how is Condition.ALWAYS else f" ({how.value})"


def _label(how: Condition) -> str:
    return "" if how is Condition.ALWAYS else f": {how.value}"


def main(page: str, *options: str) -> int:
    """Writes the page, or with `--check` only looks; the exit code."""
    path = Path(page)
    was = path.read_text("utf-8")
    now = drawn(was)
    if "--check" in options:
        if was != now:
            sys.stderr.write(f"{page} does not show the life cycle as it is: run `make docs`\n")
        return int(was != now)
    path.write_text(now, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
