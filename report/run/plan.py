"""What `plan` prints: needs by role, the run as a whole, the start, doubts, and a verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..wording import harmless, interval

SHOWN = ("calls", "tokens in", "tokens out", "usd")


def print_plan(plan: Mapping[str, Any]) -> None:
    """The tables and the verdict; `plan` is what `Estimate.told` of `planning/estimate.py` gives."""
    console = Console(highlight=False)
    for title, roles in (("The first cycle", plan["first"]), ("A later cycle", plan["later"])):
        console.print(_needs(title, "role", roles))
        console.print()
    console.print(_needs(f"All {plan['cycles']} cycles", "", plan["whole"]))
    for line in plan["notes"]:
        console.print(harmless(line), soft_wrap=True, markup=False)
    score = plan["seeds_only"]
    if score:
        line = f"The student of the seeds alone, dev set ({score['n']:.0f} texts), {plan['metric']}: {interval(score)}."
    elif plan["has_test"]:
        line = "There is no dev file: only the test file will tell what the seeds alone give and what the run adds."
    else:
        line = (
            "There is neither a dev nor a test file, so only the teacher's labels can tell how good the student is. "
            "Fifty labelled texts of yours under data.test would tell it better."
        )
    console.print(line, soft_wrap=True, markup=False)
    console.print(Text(f"Verdict: {plan['verdict']}", style="bold"))
    for doubt in plan["doubts"]:
        console.print(f"  - {harmless(doubt)}", soft_wrap=True, markup=False)


def print_planned_prompts(prompts: Sequence[tuple[str, str]]) -> None:
    """The first prompt of every kind, whole: (role and form, text)."""
    console = Console(highlight=False)
    for title, text in prompts:
        console.rule(Text(title))
        console.print(harmless(text), soft_wrap=True, markup=False)


def _needs(title: str, first: str, rows: Mapping[str, Mapping[str, float | None]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in (first, *SHOWN):
        table.add_column(name, justify="left" if name == first else "right", no_wrap=True)
    for name, need in rows.items():
        usd = need["usd"]
        money = "unknown" if usd is None else f"{usd:.4f}"
        table.add_row(Text(name), *(f"{need[k]:,.0f}" for k in ("calls", "tokens_in", "tokens_out")), money)
    return table
