"""Single labels: their scores in a run; and of a comparison the paper's adaptivity, and label noise against gold."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from ..tasks.metrics import Score, mean, pooled
from ..tasks.task import Points
from .compare.cells import CellRun
from .compare.statistics import Line
from .run_files import Run
from .wording import harmless, interval


@dataclass(frozen=True)
class LabelLine:
    """One label under one variant, means over seeds; an F1 is None where nothing has the label."""

    label: str
    variant: str
    before: float | None
    """F1 on the test set of a student of the seeds alone."""
    samples: float
    """Learnt texts."""
    after: float | None
    """F1 of the best student."""


def adaptivity(table: Sequence[Line]) -> list[LabelLine]:
    """Does the teacher write more where the student was weak, and does it help? Label by label, as in the paper."""
    found = []
    for line in table:
        before = [_f1(cell, "seeds only") for cell in line.cells]
        after = [_f1(cell, "predicted") for cell in line.cells]
        learnt = [Counter(name for row in cell.learnt for name in names(row["label"])) for cell in line.cells]
        for label in set[str]().union(*before, *after, *learnt):
            samples = statistics.fmean(each[label] for each in learnt)
            found.append(LabelLine(label, line.variant, _mean(before, label), samples, _mean(after, label)))
    order = [line.variant for line in table]
    return sorted(found, key=lambda each: (each.label, order.index(each.variant)))


def trend(found: Sequence[LabelLine]) -> dict[str, tuple[float, int]]:
    """Variant -> Spearman's correlation of F1 before and samples, and over how many labels.

    Below zero: more where it was weak.

    Variants with fewer than four labels, or with nothing but equal values, are left out.
    """
    from scipy.stats import spearmanr

    told = {}
    for variant in dict.fromkeys(each.variant for each in found):
        own = [(each.before, each.samples) for each in found if each.variant == variant and each.before is not None]
        if len(own) >= 4 and all(len(set(side)) > 1 for side in zip(*own, strict=True)):
            told[variant] = (float(spearmanr(*zip(*own, strict=True)).statistic), len(own))
    return told


def noise(line: Line, gold: Mapping[str, Any]) -> Score | None:
    """Share of learnt texts whose label differs from gold, over all cells; None where none of them is in the file."""
    pairs = [(row["label"], gold[row["id"]]) for cell in line.cells for row in cell.learnt if row["id"] in gold]
    return mean([items(said) != items(true) for said, true in pairs]) if pairs else None


def items(label: Any) -> set[tuple[str, Any]]:
    """A label of any kind as (name, place) pairs: one name, several names, or spans."""
    if isinstance(label, str):
        return {(label, None)}
    return {(each, None) if isinstance(each, str) else (each["type"], (each["start"], each["end"])) for each in label}


def names(label: Any) -> set[str]:
    """The names in a label, each once."""
    return {name for name, _ in items(label)}


def label_points(pairs: Iterable[tuple[Any, Any]]) -> dict[str, list[Points]]:
    """What every text that has a label, or got it, adds to its F1, from (gold, predicted); spans by exact places."""
    found: dict[str, list[Points]] = {}
    for gold, predicted in pairs:
        there, said = items(gold), items(predicted)
        right, both = Counter(name for name, _ in there & said), Counter(name for name, _ in [*there, *said])
        for name, count in both.items():
            found.setdefault(name, []).append((2.0 * right[name], float(count)))
    return found


def label_f1(pairs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    """F1 of every label over (gold, predicted) pairs."""
    found = label_points(pairs)
    return {name: sum(top for top, _ in each) / sum(bottom for _, bottom in each) for name, each in found.items()}


def labels_table(run: Run) -> Table | None:
    """F1 of every label on the test set, worst first, beside that of the seeds alone; None where nothing was scored."""
    rows = run.rows("scored.jsonl")
    if not rows:
        return None
    before = label_f1((row["label"], row["seeds only"]) for row in rows)
    after = {
        name: pooled(each) for name, each in label_points((row["label"], row["predicted"]) for row in rows).items()
    }
    texts = Counter(name for row in rows for name in names(row["label"]))
    learnt = Counter(name for row in run.learnt for name in names(row["label"]))
    table = Table(title="F1 of each label on the test set", title_justify="left", box=None, pad_edge=False)
    for heading in ("label", "test texts", "texts learnt", "seeds only", "champion"):
        table.add_column(heading, justify="left" if heading == "label" else "right", overflow="fold")
    for name, score in sorted(after.items(), key=lambda pair: pair[1].value):
        own = "-" if name not in before else f"{100 * before[name]:.0f}"
        table.add_row(Text(harmless(name)), str(texts[name]), str(learnt[name]), own, interval(score.model_dump()))
    return table


def _f1(cell: CellRun, student: str) -> dict[str, float]:
    return label_f1([(row["label"], row[student]) for row in cell.texts])


def _mean(each: Sequence[Mapping[str, float]], label: str) -> float | None:
    values = [scores[label] for scores in each if label in scores]
    return statistics.fmean(values) if values else None
