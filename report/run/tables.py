"""What happened in a run, as text tables for a terminal."""

from rich.console import Console
from rich.text import Text

from ...tasks.errors import ConfigError
from ..document import Document
from ..formats.terminal import print_document
from ..run_files import Row, Run
from ..wording import harmless, interval, percent
from .page import document
from .summary import summary

COLUMNS = (
    ("cycle", 5), ("batch", 8), ("kept", 7), ("texts", 5), ("refused", 7), ("quarant.", 8), ("fresh before>after", 18),
    ("gate", 17), ("dev", 17), ("tokens", 8), ("seconds", 7),
)  # fmt: skip
"""Heading and width of the row that is printed for every cycle."""


def header_line() -> str:
    """The headings above the cycles' rows."""
    return "  ".join(f"{name:>{width}}" for name, width in COLUMNS)


def cycle_line(row: Row) -> str:
    """One finished cycle.

    `gate` and `dev` are the champion's main score after the decision, with its 95 % interval; `fresh` is
    the batch under the student that had never seen it, then under the one that has.
    """
    stats, scores = row["stats"], row["scores"]
    refused, quarantined = (sum(stats.get(field, {}).values()) for field in ("refused", "quarantined"))
    tokens = row["teacher"].get("input", 0) + row["teacher"].get("output", 0)
    cells = (
        str(row["cycle"]), row["batch_kind"], "kept" if row["kept"] else "shelved", str(stats.get("accepted", 0)),
        str(refused), str(quarantined), f"{percent(row['fresh_before'])} > {percent(row['fresh_after'])}",
        interval(scores.get("gate")), interval(scores.get("dev")), f"{tokens:,.0f}",
        f"{sum(row['seconds'].values()):.0f}",
    )  # fmt: skip
    return "  ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))


def print_run(run: Run) -> None:
    """All sections of the report that are meant for the screen, and where the best student and the page are."""
    print_document(document(run))
    if run.metrics:
        best, page = run.root / "best", run.root / "report.html"
        where = f"\nChampion: {best} (students/{run.best})" + (f"\nPage: {page}" if page.exists() else "")
        Console(highlight=False).print(where, soft_wrap=True, markup=False)


def print_result(run: Run) -> None:
    """The first screen alone: before, after, how sure, what it cost."""
    print_document(Document(run.root.name, [summary(run)]))
    if (page := run.root / "report.html").exists():
        Console(highlight=False).print(f"\nPage: {page}", soft_wrap=True, markup=False)


def print_prompts(run: Run, role: str | None) -> None:
    """Every request exactly as it was sent, with its answer, oldest first."""
    console = Console(highlight=False)
    rows = run.rows("transcripts.jsonl")
    if lost := run.lacking("transcripts.jsonl"):
        console.print(f"transcripts.jsonl lacks {lost} answers that were there; these are the others.", style="bold")
    roles = {row["role"] for row in rows}
    if role is not None and rows and role not in roles:
        raise ConfigError.unknown("--role", role, roles)
    for row in rows:
        if role not in (None, row["role"]):
            continue
        console.rule(Text(f"{row['role']}, cycle {row['cycle']}, {row['prompt']}"))
        for message in row["messages"]:
            console.print(f"[{message['role']}]", style="bold", markup=False)
            console.print(harmless(message["content"]), markup=False, soft_wrap=True)
        console.print("[answer]", style="bold", markup=False)
        console.print(harmless(row["answer"]), markup=False, soft_wrap=True)
