"""What a report is made of, whatever it is shown as: sections with sentences, figures, tables and pictures.

The page, Markdown and the terminal (`formats/`) each show all of it in their own way.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Query = Mapping[str, str]
"""Field of the browser of texts -> what it is set to: a cell of a table opens the texts it counts."""


@dataclass(frozen=True)
class Table:
    """A header and its rows, as text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    opens: Mapping[tuple[int, int], Query] = field(default_factory=dict)
    """(row, column) of a cell -> the texts it stands for."""
    shades: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """(row, column) of a cell -> how much of its row it has, 0 to 5."""

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds figures, which stand at its right."""
        return column > 0 and all(re.match(r"[-+\[]*\d|-?$|unknown$", row[column]) for row in self.rows)

    def first(self, most: int) -> "tuple[Table, int]":
        """The table with at most so many rows, and how many that leaves out."""
        cut = max(0, len(self.rows) - most)
        return (Table(self.header, self.rows[:most], self.title, self.opens, self.shades) if cut else self), cut


@dataclass(frozen=True)
class Figure:
    """A number that stands out: `After: 87.5 %`, and what it means."""

    name: str
    value: str
    remark: str


@dataclass(frozen=True)
class Picture:
    """A chart that the page draws, and the words below it."""

    draw: Callable[[], str]
    """Gives an SVG element of our own making."""
    caption: str

    @cached_property
    def svg(self) -> str:
        """The chart, drawn once however often the page is put together."""
        return self.draw()


@dataclass
class Section:
    """A heading and what stands below it."""

    title: str
    notes: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    """Names and what is said under them; a name may come several times."""
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    parts: "list[Section]" = field(default_factory=list)
    widget: Literal["", "browser", "map"] = ""
    """What the page's script puts here."""
    listing: str = ""
    """Text that is shown as it stands, line by line."""
    on_screen: bool = True
    """Whether the terminal shows it, too."""


@dataclass
class Document:
    """A whole report; its first section is what a reader sees first."""

    title: str
    sections: list[Section]
    texts: Mapping[str, Any] = field(default_factory=dict)
    """What the page's script has to show: see `run/texts.py`."""
