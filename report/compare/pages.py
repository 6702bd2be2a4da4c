"""The results of a comparison as files: `report.md`, `report.html` (one page that needs no other), and CSV."""

from collections.abc import Sequence
from pathlib import Path

from ...tasks.files import write_text
from ..document import Section
from ..formats.html import html
from ..formats.markdown import markdown
from .cells import ComparisonRun
from .sections import document
from .spreadsheets import cells_csv, curves_csv, labels_csv


def write_report(root: Path) -> str:
    """Read all cells and write the files; returns a sentence that says where, below the main tables.

    Raises:
        ConfigError: a file of the comparison is broken.
    """
    comparison = ComparisonRun.read(root)
    made = document(comparison)
    write_text(root / "report.md", markdown(made))
    write_text(root / "report.html", html(made))
    for name, content in (("cells", cells_csv), ("curves", curves_csv), ("labels", labels_csv)):
        write_text(root / f"{name}.csv", content(comparison))
    shown = "\n\n".join(_plain(each) for each in made.sections if each.on_screen)
    return f"{shown}\n\nAll of it: {root / 'report.html'}, report.md, cells.csv, curves.csv, labels.csv"


def _plain(section: Section) -> str:
    """The title and the main table of a section."""
    table = section.tables[0]
    return f"{section.title}\n{_columns([table.header, *table.rows])}"


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() for row in rows)
