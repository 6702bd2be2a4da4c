"""Charts of a comparison: score against what it cost, and samples of a label against what its score gained."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..charts import COLOURS, chart
from ..document import Picture
from .cells import Cost
from .labels import LabelLine
from .statistics import Line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Of = Callable[[Cost, int], float | None]
"""Cost and number of samples -> where a point stands."""


def curves_plots(table: Sequence[Line]) -> list[Picture]:
    """Score against teacher tokens, against money and against samples: a line for every cell, a mark for its test."""
    cells = [cell for line in table for cell in line.cells]
    if not cells:
        return []
    axes: dict[str, Of] = {"teacher tokens": lambda cost, _: cost.tokens, "samples learnt": lambda _, samples: samples}
    if any(cell.cost().usd for cell in cells):  # else free or of unknown price: nothing to see
        axes["USD"] = lambda cost, _: cost.usd
    return [
        Picture(
            partial(chart, partial(_draw_all, table, of), name, "score, %", legend=True),
            f"Score against {name}: dev or gate (lines), test (diamonds)",
        )
        for name, of in axes.items()
    ]


def _draw_all(table: Sequence[Line], of: Of, panel: "Axes") -> None:
    for number, line in enumerate(table):
        _draw(panel, line, of, COLOURS[number % len(COLOURS)])


def _draw(panel: "Axes", line: Line, of: Of, colour: str) -> None:
    label: str | None = line.variant
    for cell in line.cells:
        found = [(of(point.cost, point.samples), 100 * point.score) for point in cell.curve]
        curve = [(x, y) for x, y in found if x is not None]
        panel.plot([x for x, _ in curve], [y for _, y in curve], color=colour, lw=1.1, marker=".", label=label)
        label = None  # one line of a variant stands for all in the legend
        last = of(cell.cost(), len(cell.learnt))
        if last is not None:
            panel.plot([last], [100 * cell.score], "D", color=colour, ms=6, mfc="none", zorder=3)


def adaptivity_plots(found: Sequence[LabelLine]) -> list[Picture]:
    """F1 of every label under the seeds alone against the texts learnt of it, and those against what F1 gained."""
    shown = [each for each in found if each.before is not None and each.after is not None]
    if not shown:
        return []

    def adapted(each: LabelLine) -> tuple[float, float]:
        return 100 * (each.before or 0), each.samples

    def helped(each: LabelLine) -> tuple[float, float]:
        return each.samples, 100 * (each.after or 0) - 100 * (each.before or 0)

    return [
        Picture(
            partial(_scatter, shown, adapted, "F1 of the label, seeds only, %", "samples learnt of the label"),
            "Does the teacher write more where the student was weak?",
        ),
        Picture(
            partial(_scatter, shown, helped, "samples learnt of the label", "F1 gained, points"),
            "Does a label gain where more was written?",
        ),
    ]


def _scatter(shown: Sequence[LabelLine], place: Callable[[LabelLine], tuple[float, float]], x: str, y: str) -> str:
    variants = list(dict.fromkeys(each.variant for each in shown))

    def draw(panel: "Axes") -> None:
        for number, variant in enumerate(variants):
            points = [place(each) for each in shown if each.variant == variant]
            colour = COLOURS[number % len(COLOURS)]
            panel.scatter([p for p, _ in points], [p for _, p in points], color=colour, label=variant, s=28, alpha=0.8)

    return chart(draw, x, y, legend=True)
