"""What a run looks like in the terminal: live counts by stage, and the closing table."""

from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

STAGES = ("held", "imported", "routed", "submitted", "shipped", "settled", "canceled")
_DONE = ("settled", "held", "canceled")


def accounted(stats: dict[str, Any]) -> int:
    """Orders that are where they stay: settled, held with a reason, canceled, excluded."""
    orders = stats["orders"]
    return int(sum(orders["by_stage"].get(stage, 0) for stage in _DONE) + sum(orders["excluded"].values()))


def live(stats: dict[str, Any], expected: int, console_url: str) -> RenderableType:
    orders = stats["orders"]
    table = Table(box=None, show_header=False, padding=(0, 1))
    for stage in STAGES:
        n = orders["by_stage"].get(stage, 0)
        table.add_row(stage, str(n), ProgressBar(total=max(expected, 1), completed=n, width=40))
    excluded = sum(orders["excluded"].values())
    table.add_row("excluded", str(excluded), ProgressBar(total=max(expected, 1), completed=excluded, width=40))
    done = accounted(stats)
    return Group(Text(f"{done} of {expected} orders are where they stay   {console_url}", style="bold"), table)


def line(stats: dict[str, Any], expected: int) -> str:
    """The same for a terminal that is none (a log)."""
    by_stage = stats["orders"]["by_stage"]
    counts = ", ".join(f"{stage} {by_stage[stage]}" for stage in STAGES if by_stage.get(stage))
    excluded = sum(stats["orders"]["excluded"].values())
    return f"{accounted(stats)}/{expected}: {counts or 'nothing yet'}, excluded {excluded}"


def closing(stats: dict[str, Any], check: dict[str, Any] | None, seconds: float) -> list[RenderableType]:
    """Orders by stage, held ones with reasons, p50/p95 per stage, retries, and the exact check against the shop."""
    orders = stats["orders"]
    parts: list[RenderableType] = [_counts(f"Orders after {seconds:.0f} s", orders["by_stage"])]
    for title, counts in (("Held, by reason", orders["held"]), ("Not imported, by reason", orders["excluded"])):
        if counts:
            parts.append(_counts(title, counts))
    if orders["unroutable"]:
        parts.append(_counts("Waiting for a source, by reason", orders["unroutable"]))
    parts += [_seconds(stats["stage_seconds"]), _counts("Retries, by call", stats["retries"] or {"none": 0})]
    if check is not None:
        parts.append(_verdict(check))
    return parts


def _counts(title: str, counts: dict[str, int]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("")
    table.add_column("orders" if "Retries" not in title else "calls", justify="right")
    for name, n in counts.items():
        table.add_row(name, str(n))
    return table


def _seconds(stage_seconds: dict[str, Any]) -> Table:
    table = Table(title="Seconds from stage to stage", title_justify="left", header_style="bold")
    for name in ("to", "p50", "p95"):
        table.add_column(name, justify="left" if name == "to" else "right")
    for stage, values in stage_seconds.items():
        if values and values[0] is not None:
            table.add_row("settled, in all" if stage == "whole" else stage, f"{values[0]:.2f}", f"{values[1]:.2f}")
    return table


def _verdict(check: dict[str, Any]) -> Text:
    if check["ok"]:
        return Text("The shops' own books agree: every line and quantity fulfilled once, as the sources said.", "green")
    problems = [str(problem) for problem in check["problems"]]
    shown = "\n".join(f"  {problem}" for problem in problems[:20])
    return Text(f"The shops' own books disagree ({len(problems)}):\n{shown}", "red")
