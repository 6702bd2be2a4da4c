"""Charts as small SVG elements that take the page's colours: drawn by matplotlib, which is imported late.

Without matplotlib there are none, and the tables say the same.
"""

import importlib.util
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")
"""Okabe and Ito's, which colour-blind readers can tell apart, and which can be seen on white and on black."""

INK = "#010203"
"""Stands for the colour of the page's text while matplotlib draws."""

LONGEST = 24
"""Characters of a name in a legend."""

MISSING = "The charts are missing: `pip install 'evokd[plots]'` brings matplotlib; then write the report again."

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def is_there() -> bool:
    """Whether charts can be drawn."""
    return importlib.util.find_spec("matplotlib") is not None


@dataclass(frozen=True)
class Curve:
    """Points of one thing: where, how much, and between which bounds (None: too few to tell)."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    alone: bool = False
    """A mark of its own, not a line."""


def curves_chart(curves: Sequence[Curve], x: str, y: str, *, whole: bool = False) -> str:
    """Lines with the band of their intervals, and marks that stand alone.

    Args:
        curves: in the order of their colours.
        x: what the horizontal axis shows.
        y: what the vertical axis shows.
        whole: whether only whole numbers stand on the horizontal axis.

    Returns:
        An SVG element.
    """

    def draw(axes: "Axes") -> None:
        for number, curve in enumerate(curves):
            _curve(axes, curve, COLOURS[number % len(COLOURS)])

    return chart(draw, x, y, legend=len(curves) > 1, whole=whole)


def _curve(axes: "Axes", curve: Curve, colour: str) -> None:
    sure = [
        (x, low, high)
        for x, low, high in zip(curve.x, curve.low, curve.high, strict=False)
        if low is not None and high is not None
    ]
    if curve.alone:
        axes.plot(curve.x, curve.y, "D", color=colour, ms=6, mfc="none", mew=1.6, label=curve.name)
        axes.vlines([x for x, *_ in sure], [low for _, low, _ in sure], [high for *_, high in sure], colors=colour)
        return
    axes.plot(curve.x, curve.y, color=colour, lw=1.8, marker="o", ms=3.5, label=curve.name)
    if sure:
        x, low, high = zip(*sure, strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=0.16, lw=0)


def chart(draw: Callable[["Axes"], None], x: str, y: str, *, legend: bool, whole: bool = False) -> str:
    """One chart: axes that `draw` fills, with their names and a legend where there is more than one thing."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # A label may hold dollars and backslashes: it is no formula.
    look: Any = {
        "svg.fonttype": "none", "svg.hashsalt": x + y, "text.parse_math": False, "font.family": "sans-serif",
        **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
        "grid.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    }  # fmt: skip
    out = io.StringIO()
    with matplotlib.rc_context(look):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained", facecolor="none")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set_facecolor("none")
        axes.grid(alpha=0.15)
        draw(axes)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
        axes.xaxis.set_major_formatter("{x:,.6g}")
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        if legend:
            lines, names = axes.get_legend_handles_labels()
            short = [name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in names]
            axes.legend(lines, short, frameon=False, fontsize="small")
        figure.savefig(out, format="svg", metadata={"Date": None})
    return _for_the_page(out.getvalue(), f"{y} by {x}")


def _for_the_page(drawn: str, name: str) -> str:
    """The drawing without inline styles, which the page's policy forbids, without a size, in the colour of its text."""
    ElementTree.register_namespace("", SVG[1:-1])
    root = ElementTree.fromstring(drawn)
    for each in [each for each in root if each.tag.endswith("metadata")]:
        root.remove(each)
    for parent in root.iter():
        for style in parent.findall(f"{SVG}style"):  # the page has it
            parent.remove(style)
    used = {said for each in root.iter() for said in each.attrib.values() if "#" in said}
    for each in root.iter():
        _plain(each, used)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "img", "aria-label": name}
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _plain(element: ElementTree.Element, used: set[str]) -> None:
    """One element: style as attributes, links without a namespace, no name that nothing refers to, no blanks."""
    element.tail = None
    element.text = element.text if element.tag == f"{SVG}text" else None
    for rule in element.attrib.pop("style", "").split(";"):
        key, _, value = rule.partition(":")
        if key.strip() == "font":  # "10px 'DejaVu Sans', ...": the family is the page's
            element.set("font-size", value.split("px")[0].strip().split()[-1])
        elif key.strip() and key.strip() != "font-family":
            element.set(key.strip(), value.strip().replace(INK, "currentColor"))
    if LINK in element.attrib:
        element.set("href", element.attrib.pop(LINK))
    name = element.get("id")
    if name is not None and not any(f"#{name}" in said for said in used):
        del element.attrib["id"]
    for key, value in element.attrib.items():
        if key in ("fill", "stroke") and value == INK:
            element.set(key, "currentColor")
