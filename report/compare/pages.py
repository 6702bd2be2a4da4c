"""The results of a comparison as files: `report.md`, `report.html` (one page that needs no other), and CSV."""

import os
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ..document import Section, sections
from .cells import ComparisonRun
from .spreadsheets import cells_csv, curves_csv, labels_csv

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dae1; padding-bottom: .3rem }
.wide { overflow-x: auto } table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #e4e8ed; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 9rem }
th { background: #f4f6f8; font-weight: 600 }
p { color: #55606e; max-width: 60rem } svg { max-width: 100%; height: auto }
"""

NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'"
"""The page needs nothing from elsewhere; a browser holds it to that."""


def write_report(root: Path) -> str:
    """Read all cells and write the files; returns a sentence that says where, below the main tables.

    Raises:
        ConfigError: a file of the comparison is broken.
    """
    comparison = ComparisonRun.read(root)
    said = sections(comparison)
    _write(root / "report.md", markdown(comparison.name, said))
    _write(root / "report.html", html(comparison.name, said))
    for name, content in (("cells", cells_csv), ("curves", curves_csv), ("labels", labels_csv)):
        _write(root / f"{name}.csv", content(comparison))
    shown = "\n\n".join(f"{each.title}\n{_plain(each.tables[0])}" for each in said if each.on_screen)
    return f"{shown}\n\nAll of it: {root / 'report.html'}, report.md, cells.csv, curves.csv, labels.csv"


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def markdown(name: str, said: Iterable[Section]) -> str:
    """The report as Markdown; the pictures are left to the page."""
    parts = [f"# Comparison {_inert(name)}"]
    for section in said:
        parts += [f"## {_inert(section.title)}", *map(_inert, section.notes), *map(_pipes, section.tables)]
    return "\n\n".join(parts) + "\n"


def _inert(text: str) -> str:
    """A text in which Markdown finds neither markup nor HTML nor the end of a table's cell."""
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def _pipes(table: Sequence[Sequence[str]]) -> str:
    header, *rows = [[_inert(value) for value in row] for row in table]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _plain(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() for row in table)


def html(name: str, said: Iterable[Section]) -> str:
    """The report as one page; every text is escaped."""
    title = escape(f"Comparison {name}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{NO_SCRIPTS}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n" + "\n".join(map(_html_section, said)) + "\n</body></html>\n"
    )


def _html_section(section: Section) -> str:
    notes = [f"<p>{escape(note)}</p>" for note in section.notes]
    first, others = map(_html_table, section.tables[:1]), map(_html_table, section.tables[1:])
    head = f"<section><h2>{escape(section.title)}</h2>"
    return "\n".join([head, *first, *notes, *section.pictures, *others, "</section>"])


def _html_table(table: Sequence[Sequence[str]]) -> str:
    header, *rows = [[escape(value) for value in row] for row in table]
    head = "".join(f"<th>{value}</th>" for value in header)
    body = "\n".join(f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
