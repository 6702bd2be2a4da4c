"""Single labels over a comparison: the paper's adaptivity, and label noise against gold."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...tasks.metrics import Score, mean
from ..labels import items, label_f1, names
from .cells import CellRun
from .statistics import Line


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


def _f1(cell: CellRun, student: str) -> dict[str, float]:
    return label_f1([(row["label"], row[student]) for row in cell.texts])


def _mean(each: Sequence[Mapping[str, float]], label: str) -> float | None:
    values = [scores[label] for scores in each if label in scores]
    return statistics.fmean(values) if values else None
