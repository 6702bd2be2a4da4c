"""How a run learnt: the champion's score over cycles, tokens and money, and what was decided in every cycle."""

from collections.abc import Sequence
from functools import partial

from ..charts import Curve, curves_chart
from ..document import Picture, Section, Table
from ..run_files import Row, Run
from ..wording import batch_stats, interval, percent
from .costs import until
from .summary import NAMES

HEADER = (
    "cycle", "batch", "fate", "texts", "refused", "quarantined", "fresh before > after", "gate", "dev", "tokens",
    "seconds",
)  # fmt: skip


def learning(run: Run) -> Section:
    """Charts and a row for every cycle."""
    notes = [
        "The champion's score after every cycle, with its 95 % interval. The gate is texts that the teacher labelled "
        "and the student does not learn until the end; the dev file is yours. Both had a say in what was kept.",
        '"Fresh" is how the texts of a cycle were answered by a student that had not seen them, then by one that had.',
    ]
    if run.result is not None:
        notes.insert(1, "The mark that stands alone is the best student on the test file, which had no say.")
    decided = [
        [
            str(row["cycle"]), row.get("chosen", ""), "kept" if row["kept"] else "shelved", row["why"],
            batch_stats(row["stats"]),
        ]
        for row in run.metrics
    ]  # fmt: skip
    tables = [
        Table(HEADER, [_row(row) for row in run.metrics], "The cycles"),
        Table(("cycle", "why this batch", "decision", "why", "what became of its texts"), decided, "What was decided"),
    ]
    return Section("How it learnt", notes, tables=tables, pictures=_pictures(run))


def _row(row: Row) -> list[str]:
    stats, scores = row["stats"], row["scores"]
    refused, quarantined = (sum(stats.get(field, {}).values()) for field in ("refused", "quarantined"))
    tokens = row["teacher"].get("input", 0) + row["teacher"].get("output", 0)
    fresh = f"{percent(row['fresh_before'])} > {percent(row['fresh_after'])}" if row["fresh_before"] else "-"
    return [
        str(row["cycle"]), row["batch_kind"], "kept" if row["kept"] else "shelved", str(stats.get("accepted", 0)),
        str(refused), str(quarantined), fresh,
        interval(scores.get("gate")), interval(scores.get("dev")), f"{tokens:,.0f}",
        f"{sum(row['seconds'].values()):.0f}",
    ]  # fmt: skip


def _pictures(run: Run) -> list[Picture]:
    if not any(row["scores"] for row in run.metrics):
        return []
    cycles = [row["cycle"] for row in run.metrics]
    spent = [until(run, cycle) for cycle in cycles]
    tokens, money = [float(each) for each, _ in spent], [usd for _, usd in spent]
    shown = [("cycle", "Score over cycles", [float(cycle) for cycle in cycles])]
    if tokens[-1]:
        shown.append(("teacher tokens", "Score against tokens", tokens))
    if money[-1] and None not in money:  # else free, or of unknown price: nothing to see
        shown.append(("USD", "Score against money", [float(usd or 0.0) for usd in money]))
    return [
        Picture(partial(curves_chart, _curves(run, places), name, "score, %", whole=name == "cycle"), caption)
        for name, caption, places in shown
    ]


def _curves(run: Run, x: Sequence[float]) -> list[Curve]:
    """The champion on gate and dev file, and the best student on the test file."""
    curves = []
    for split, name in NAMES.items():
        there = [
            (place, row["scores"][split]) for place, row in zip(x, run.metrics, strict=True) if row["scores"].get(split)
        ]
        if there:
            curves.append(_curve(name, there))
    if run.result is not None:
        curves.append(_curve("test file", [(x[-1], run.result["champion score"])], alone=True))
    return curves


def _curve(name: str, points: Sequence[tuple[float, Row]], *, alone: bool = False) -> Curve:
    def percents(key: str) -> list[float | None]:
        return [None if score.get(key) is None else 100 * score[key] for _, score in points]

    return Curve(
        name,
        [place for place, _ in points],
        [100 * score["value"] for _, score in points],
        percents("low"),
        percents("high"),
        alone,
    )
