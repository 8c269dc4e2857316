"""What a configuration file lets go on among the orders that wait: said before, and checked after (IN-11)."""

import time
from typing import Any

from console.cli.client import ask, out

_SETTLES = 20.0  # seconds within which waiting orders are judged anew, unless there are very many


def promised(document: dict[str, Any], changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The counts of each channel that changes; none where nobody can count now: that must not keep a change back."""
    changed = {change["entity"] for change in changes if change["action"] == "changed"}
    channels = [channel for store in document.get("stores") or [] for channel in store.get("channels") or []]
    counts = [
        ask("POST", f"/channels/{channel['id']}/releases", json=channel)
        for channel in channels
        if f"channel/{channel['id']}" in changed
    ]
    return [count for count in counts if count is not None]


def show_promised(counts: list[dict[str, Any]]) -> None:
    for count in counts:
        if count["releases"] or count["imports"]:
            named = ", ".join(count["numbers"][:5])
            out.print(
                f"{count['channel']}: releases {count['releases']} held orders, lets in {count['imports']} others "
                f"({named}); {count['still_waiting']} go on waiting",
                highlight=False, soft_wrap=True,
            )  # fmt: skip


def show_outcome(counts: list[dict[str, Any]]) -> None:
    """Waits a moment until the promised orders are judged, then says what became of them."""
    for count in counts:
        if not (count["releases"] or count["imports"]):
            continue
        deadline = time.monotonic() + _SETTLES
        while (now := ask("GET", f"/releases/{count['token']}")) and time.monotonic() < deadline:
            if now["saved"] and not now["waiting"]:
                break
            time.sleep(0.3)
        if now is None:
            continue
        out.print(f"{now['channel']}: {now['gone_on']} of {now['promised']} go on, {now['waiting']} are being judged")
        for left in now["no_longer"]:
            out.print(f"  {left['number']} does not: {left['why']}", markup=False, highlight=False, soft_wrap=True)
