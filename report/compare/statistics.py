"""From cells to the lines of a table: means over seeds, differences paired over seeds and over test texts."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...tasks.metrics import CONFIDENCE, Score, pooled_difference
from ...tasks.task import Points
from .cells import CellRun, ComparisonRun

Pair = tuple[CellRun, CellRun]
"""A variant and the baseline, of the same seed, both finished."""


@dataclass(frozen=True)
class Line:
    """One variant on one task with one number of shots; only its finished cells count."""

    variant: str
    cells: tuple[CellRun, ...]
    """Finished."""
    planned: int
    pairs: tuple[Pair, ...]
    """None for the baseline itself."""

    @property
    def mean(self) -> float | None:
        """Of the test scores."""
        return statistics.fmean(cell.score for cell in self.cells) if self.cells else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation over seeds (n - 1); None for fewer than two."""
        return statistics.stdev(cell.score for cell in self.cells) if len(self.cells) > 1 else None

    @cached_property
    def difference(self) -> Score | None:
        """Mean difference to the baseline over the common seeds, Student's t interval."""
        return over_seeds([_difference(pair) for pair in self.pairs]) if self.pairs else None

    @cached_property
    def difference_over_texts(self) -> Score | None:
        """Difference to the baseline over the test texts, all common seeds together, bootstrap interval."""
        return over_texts(self.pairs) if self.pairs else None

    @cached_property
    def by_seed(self) -> list[tuple[int, Score]]:
        """Seed -> difference to the baseline, paired over the test texts."""
        return [(pair[0].seed, over_texts([pair])) for pair in self.pairs]

    @property
    def record(self) -> tuple[int, int, int]:
        """Seeds won, tied and lost against the baseline."""
        found = [_difference(pair) for pair in self.pairs]
        return sum(d > 0 for d in found), sum(d == 0 for d in found), sum(d < 0 for d in found)

    @property
    def clear(self) -> tuple[int, int]:
        """Seeds won and lost whose interval over the test texts leaves zero out."""
        found = [score.value for _, score in self.by_seed if score.differs_from(0.0)]
        return sum(value > 0 for value in found), sum(value < 0 for value in found)

    @property
    def tokens(self) -> float:
        """Mean teacher tokens that a cell would have cost by itself."""
        return statistics.fmean(cell.cost().tokens for cell in self.cells)

    @property
    def usd(self) -> float | None:
        """Mean money likewise; None where a price is unknown."""
        each = [cell.cost().usd for cell in self.cells]
        known = [usd for usd in each if usd is not None]
        return statistics.fmean(known) if len(known) == len(each) else None

    @property
    def samples(self) -> float:
        """Mean number of texts that the best student learnt."""
        return statistics.fmean(len(cell.learnt) for cell in self.cells)


FEWEST_SEEDS = 3
"""Below which seeds tell nothing of other seeds: the interval of two is twelve times as wide as their distance."""


def _difference(pair: Pair) -> float:
    return round(pair[0].score - pair[1].score, 12)


def over_seeds(differences: Sequence[float]) -> Score:
    """The mean with Student's t interval over seeds; fewer than `FEWEST_SEEDS`, or all equal: too few to tell."""
    n, value = len(differences), statistics.fmean(differences)
    spread = statistics.stdev(differences) if n >= FEWEST_SEEDS else 0.0
    if spread == 0.0:
        return Score(value=value, low=None, high=None, n=n)
    from scipy.stats import t

    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread / math.sqrt(n)
    return Score(value=value, low=value - half, high=value + half, n=n)


def over_texts(pairs: Sequence[Pair]) -> Score:
    """The difference over the same test texts, what the seeds add to the score of a text summed up.

    The test texts of two cells that were not scored on the same ones can't be paired: too few to tell.
    """
    cells = [cell for pair in pairs for cell in pair]
    ids = [row["id"] for row in cells[0].texts]
    if not ids or any([row["id"] for row in cell.texts] != ids for cell in cells):
        return Score(value=statistics.fmean(map(_difference, pairs)), low=None, high=None, n=0)
    points = ([[row["points"] for row in cell.texts] for cell in side] for side in zip(*pairs, strict=True))
    return pooled_difference(*map(summed, points))


def summed(sides: Iterable[Sequence[Points]]) -> list[Points]:
    """What every test text adds to the score, its two sides, summed over students."""
    columns = zip(*sides, strict=True)
    return [(sum(top for top, _ in column), sum(bottom for _, bottom in column)) for column in columns]


def lines(comparison: ComparisonRun, task: str, shots: str) -> list[Line]:
    """The lines of one table, in the order of the comparison."""
    variants = comparison.variants(task, shots)
    finished = {variant: tuple(cell for cell in cells if cell.result) for variant, cells in variants.items()}
    base = {cell.seed: cell for cell in finished.get(comparison.baseline, ())}
    table = []
    for variant, cells in finished.items():
        others = cells if variant != comparison.baseline else ()
        pairs = tuple((cell, base[cell.seed]) for cell in others if cell.seed in base)
        table.append(Line(variant, cells, len(variants[variant]), pairs))
    return table


def at_equal_tokens(table: Sequence[Line]) -> tuple[float, dict[str, float], int] | None:
    """Tokens that every variant with a curve reached, each one's mean score (dev or gate) up to there, and of how many.

    Only seeds that all these variants have finished count: others would be compared with nobody. A variant whose first
    batch alone took more is left out: up to there it had learnt nothing.
    """
    curves = {line.variant: {cell.seed: cell.curve for cell in line.cells} for line in table if line.cells}
    curves = {v: each for v, each in curves.items() if all(curve and curve[-1].cost.tokens for curve in each.values())}
    seeds = set.intersection(*map(set, curves.values())) if curves else set()
    if len(curves) < 2 or not seeds:
        return None
    tokens = min(each[seed][-1].cost.tokens for each in curves.values() for seed in seeds)
    reached = {}
    for variant, each in curves.items():
        within = [[point for point in each[seed] if 0 < point.cost.tokens <= tokens] for seed in seeds]
        if all(within):
            reached[variant] = statistics.fmean(points[-1].score for points in within)
    return (float(tokens), reached, len(seeds)) if len(reached) > 1 else None
