"""Plots of a comparison as SVG elements for a page. Matplotlib is imported late; without it there are no plots."""

import importlib.util
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..labels import LabelLine
from .cells import Cost
from .statistics import Line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31", "#7f7f7f")
"""Okabe and Ito's, which colour-blind readers can tell apart."""

Of = Callable[[Cost, int], float | None]
"""Cost and number of samples -> where a point stands."""


def is_there() -> bool:
    """Whether plots can be drawn."""
    return importlib.util.find_spec("matplotlib") is not None


def curves_plot(table: Sequence[Line]) -> list[str]:
    """Score against teacher tokens, against money and against samples: a line for every cell, a mark for its test."""
    cells = [cell for line in table for cell in line.cells]
    if not cells or not is_there():
        return []
    axes: dict[str, Of] = {"teacher tokens": lambda cost, _: cost.tokens, "samples learnt": lambda _, samples: samples}
    if any(cell.cost().usd for cell in cells):  # else free or of unknown price: nothing to see
        axes["USD"] = lambda cost, _: cost.usd
    figure, panels = _figure(len(axes))
    for panel, (name, of) in zip(panels, axes.items(), strict=True):
        for line, colour in _coloured(table):
            _draw(panel, line, of, colour)
        panel.set_xlabel(name)
    panels[0].set_ylabel("score, %: dev or gate (lines), test (diamonds)")
    panels[0].legend(frameon=False, fontsize="small")
    return [_svg(figure)]


def _draw(panel: "Axes", line: Line, of: Of, colour: str) -> None:
    label: str | None = line.variant
    for cell in line.cells:
        found = [(of(point.cost, point.samples), 100 * point.score) for point in cell.curve]
        curve = [(x, y) for x, y in found if x is not None]
        panel.plot([x for x, _ in curve], [y for _, y in curve], color=colour, lw=1.1, marker=".", label=label)
        label = None  # one line of a variant stands for all in the legend
        last = of(cell.cost(), len(cell.learnt))
        if last is not None:
            panel.scatter([last], [100 * cell.score], marker="D", s=34, facecolors="white", edgecolors=colour, zorder=3)


def adaptivity_plot(found: Sequence[LabelLine]) -> list[str]:
    """F1 of every label under the seeds alone against the texts learnt of it, and those against what F1 gained."""
    shown = [each for each in found if each.before is not None and each.after is not None]
    if not shown or not is_there():
        return []
    figure, [adapted, helped] = _figure(2)
    for variant, colour in _coloured(list(dict.fromkeys(each.variant for each in shown))):
        own = [each for each in shown if each.variant == variant]
        before, samples = [100 * (each.before or 0) for each in own], [each.samples for each in own]
        gained = [100 * (each.after or 0) - was for each, was in zip(own, before, strict=True)]
        adapted.scatter(before, samples, color=colour, label=variant, s=28, alpha=0.8)
        helped.scatter(samples, gained, color=colour, s=28, alpha=0.8)
    adapted.set_xlabel("F1 of the label, seeds only, %")
    adapted.set_ylabel("samples learnt of the label")
    helped.set_xlabel("samples learnt of the label")
    helped.set_ylabel("F1 gained, points")
    adapted.legend(frameon=False, fontsize="small")
    return [_svg(figure)]


def _coloured(things: Sequence[Any]) -> list[tuple[Any, str]]:
    return [(each, COLOURS[number % len(COLOURS)]) for number, each in enumerate(things)]


def _figure(panels: int) -> tuple[Any, list["Axes"]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.8 + 4.2 * panels, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    for each in axes:
        each.grid(alpha=0.25)
    return figure, axes


def _svg(figure: Any) -> str:
    """The figure as an element of an HTML page."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "evokd"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    drawn = out.getvalue()
    return drawn[drawn.index("<svg") :]
