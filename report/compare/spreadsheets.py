"""The figures of a comparison as CSV: one row per cell, per point of a learning curve, per label."""

import csv
import io
from collections.abc import Iterable, Sequence

from .cells import CellRun, ComparisonRun
from .labels import adaptivity
from .statistics import lines

CELLS = (
    "task", "shots", "variant", "seed", "state", "metric", "seeds_only", "score", "low", "high", "test_texts",
    "tokens", "usd", "paid_tokens", "paid_usd", "paid_calls", "samples", "cycles", "seconds", "champion", "folder",
)  # fmt: skip


def cells_csv(comparison: ComparisonRun) -> str:
    """One row for every cell, finished or not; scores of finished ones only."""
    return _dumped(CELLS, map(_cell, comparison.cells))


def _cell(cell: CellRun) -> list[object]:
    result, cost = cell.result, cell.cost()
    best = result.get("champion score", {})
    return [
        cell.task, cell.shots, cell.variant, cell.seed, cell.state, result.get("metric"),
        result.get("seeds only", {}).get("value"), *(best.get(key) for key in ("value", "low", "high", "n")),
        cost.tokens, cost.usd, cell.paid.tokens, cell.paid.usd, cell.paid.calls, len(cell.learnt),
        max((row["cycle"] for row in cell.run.metrics), default=None), round(cell.seconds, 1),
        result.get("champion"), f"cells/{cell.run.root.name}",
    ]  # fmt: skip


def curves_csv(comparison: ComparisonRun) -> str:
    """The champion after every cycle of every cell: its score against tokens, money and samples up to then."""
    names = ("task", "shots", "variant", "seed", "cycle", "split", "score", "tokens", "usd", "samples")
    rows = (
        [c.task, c.shots, c.variant, c.seed, p.cycle, p.split, p.score, p.cost.tokens, p.cost.usd, p.samples]
        for c in comparison.cells
        for p in c.curve
    )
    return _dumped(names, rows)


def labels_csv(comparison: ComparisonRun) -> str:
    """Every label under every variant, means over seeds."""
    names = ("task", "shots", "variant", "label", "f1_seeds_only", "samples", "f1")
    rows = (
        [task, shots, each.variant, each.label, each.before, each.samples, each.after]
        for task, shots in comparison.groups
        for each in adaptivity(lines(comparison, task, shots))
    )
    return _dumped(names, rows)


def _dumped(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_inert(value) for value in row] for row in rows)
    return out.getvalue()


def _inert(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as a text, as OWASP advises."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
