"""What happened in a run, as text tables for a terminal."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...tasks.errors import ConfigError
from ..labels import labels_table
from ..run_files import Row, Run
from ..wording import batch_stats, bounds, calibration_line, harmless, interval, percent
from .costs import by_role

COLUMNS = (
    ("cycle", 5), ("batch", 8), ("kept", 7), ("texts", 5), ("refused", 7), ("quarant.", 8), ("fresh before>after", 18),
    ("gate", 17), ("dev", 17), ("tokens", 8), ("seconds", 7),
)  # fmt: skip
"""Heading and width of the row that is printed for every cycle."""

FEW, ENOUGH = 0.25, 40
"""Share of usable texts below which a run of so many is warned about: with one in ten, one of four lost points."""


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
    """Cycles, decisions, lessons, costs, the champion and what the test set said."""
    console = Console(highlight=False)
    console.print(Text.assemble((run.root.name, "bold"), f"  {run.root}"), soft_wrap=True)
    if not run.metrics:
        console.print("No cycle is finished yet.")
        return
    console.print(header_line(), soft_wrap=True)
    for row in run.metrics:
        console.print(cycle_line(row), soft_wrap=True, markup=False)
    console.print("\nDecisions", style="bold")
    for row in run.metrics:
        chosen = f"{row['batch_kind']}: {row['chosen']} " if row.get("chosen") else ""
        console.print(
            f"  cycle {row['cycle']}: {chosen}{'kept' if row['kept'] else 'shelved'}: {row['why']}",
            soft_wrap=True,
            markup=False,
        )
    console.print("\nBatches", style="bold")
    for row in run.metrics:
        console.print(harmless(f"  cycle {row['cycle']}: {batch_stats(row['stats'])}"), soft_wrap=True, markup=False)
    _print_lessons(console, run)
    _print_guidelines(console, run)
    _print_samples(console, run)
    console.print()
    console.print(by_role(run))
    if labels := labels_table(run):
        console.print()
        console.print(labels)
    console.print(f"\nChampion: {run.root / 'best'} (students/{run.best})", soft_wrap=True, markup=False)
    print_result(run)


def print_result(run: Run) -> None:
    """What the gate and the test set said of the seed-only student and the champion, and what would help more."""
    console = Console(highlight=False)
    for said in (held_out(run), run.outlook):
        if said:
            console.print(said, soft_wrap=True, markup=False)
    if guessed := len(run.guidelines.assumed):
        console.print(
            f"{guessed} of {len(run.guidelines.guideline)} guidelines are only assumed. `evokd show` lists them; "
            f"correct them in {run.root / 'guidelines.toml'}, and your version counts from then on.",
            soft_wrap=True,
            markup=False,
        )
    if warning := _few_usable(run):
        console.print(warning, soft_wrap=True, markup=False)
    result = run.result
    if result is None:
        return
    difference = result["difference"]
    if result["champion"] != run.best:
        console.print(
            f"The run went on after its test set was scored. The figures below are of students/{result['champion']}, "
            f"not of the best student now, {run.best}.",
            soft_wrap=True,
            markup=False,
        )
    console.print(
        f"Test set ({result['seeds only']['n']:.0f} texts, opened at the end), {result['metric']}: "
        f"seeds only {interval(result['seeds only'])}, "
        f"champion {interval(result['champion score'])}, "
        + (
            "the same on every text."
            if not difference["value"] and difference["low"] is None
            else f"difference {100 * difference['value']:+.1f} points {bounds(difference, '+.1f')}."
        ),
        soft_wrap=True,
        markup=False,
    )
    if result["champion"].startswith("final"):
        console.print(
            f"The champion is the last student, which learnt the gate's texts too; without them it had "
            f"{interval(result['before the last training'])}.",
            soft_wrap=True,
            markup=False,
        )
    if calibration := result.get("calibration"):
        console.print(calibration_line(calibration), soft_wrap=True, markup=False)
    overlap = result["training texts that stand in the test set"]
    if overlap:
        without = interval(result["champion score without those"])
        console.print(
            f"{overlap} training texts are also in the test set; without those the champion has {without}.",
            markup=False,
        )


def held_out(run: Run) -> str:
    """The gate's score as what it is; empty where nothing is held out."""
    score = run.metrics[-1]["scores"].get("gate") if run.metrics else None
    if not score:
        return ""
    rows = [row for row in run.rows("samples.jsonl") if row["split"] == "gate"]
    real = bool(rows) and all(row["origin"]["source"] == "pool" for row in rows)
    whose = "of your own texts, drawn at random" if real else "texts that it wrote itself"
    hides = "where the teacher is wrong" + ("" if real else ", and how your texts differ from its own")
    return (
        f"Agreement with the teacher on {score['n']:.0f} {whose}, before the last training: {interval(score)}. "
        f"It does not show {hides}."
    )


def _few_usable(run: Run) -> str:
    """A warning where hardly any text got a label that was learnt; empty where enough did."""
    stats = [row["stats"] for row in run.metrics]
    written = sum(each.get("drafted", 0) for each in stats)
    usable = sum(each.get("accepted", 0) + each.get("held_out", 0) for each in stats)
    if written < ENOUGH or usable >= FEW * written:
        return ""
    return (
        f"Only {usable} of {written} texts got a usable label. So few texts teach little, and may teach the wrong "
        "thing. `evokd plan` shows whether the teacher labels your own examples as you do, and with a dev file the run "
        "can reject what does harm."
    )


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


def _print_lessons(console: Console, run: Run) -> None:
    lessons = run.rows("lessons.jsonl")
    if not lessons:
        return
    table = Table(title="Lessons", title_justify="left", box=None, pad_edge=False)
    for name in ("cycle", "lesson", "pattern", "texts", "before", "after", "kept"):
        table.add_column(name, overflow="fold")
    for lesson in lessons:
        effect = lesson["effect"]
        known = (
            [
                f"{effect['samples']:.0f}",
                *(f"{100 * effect[k]:.0f} %" for k in ("before", "after")),
                "yes" if effect["kept"] else "no",
            ]
            if effect
            else ["-"] * 4
        )
        table.add_row(str(lesson["cycle"]), *(Text(harmless(lesson[key])) for key in ("name", "pattern")), *known)
    console.print()
    console.print(table)


def _print_guidelines(console: Console, run: Run) -> None:
    if not run.guidelines.guideline:
        return
    console.print("\nGuidelines (guidelines.toml; those marked assumed are yours to decide)", style="bold")
    for each in run.guidelines.guideline:
        console.print(
            harmless(f"  {each.status}: {each.pattern}: {each.text} => {each.answer}"), soft_wrap=True, markup=False
        )


def _print_samples(console: Console, run: Run) -> None:
    found = Counter((row["split"], row["status"]) for row in run.rows("samples.jsonl"))
    console.print("\nTexts", style="bold")
    for (split, status), count in sorted(found.items()):
        console.print(f"  {split}, {status}: {count}")
