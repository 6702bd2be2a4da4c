"""A report in the terminal. No text of a model can drive it: control characters are spelt out."""

from typing import Literal

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ..document import Document, Section, Table
from ..wording import harmless

MOST = 60
"""Rows of a table that are printed."""

SHORT = 20
"""Characters of a cell that is never broken into lines."""


def print_document(document: Document) -> None:
    """Print all sections that are meant for the screen."""
    console = Console(highlight=False)
    console.print(Text(harmless(document.title), style="bold"), soft_wrap=True)
    for section in document.sections:
        if section.on_screen:
            _print(console, section, "")


def _print(console: Console, section: Section, indent: str) -> None:
    console.print(Text(f"\n{indent}{harmless(section.title)}", style="bold"), soft_wrap=True)
    for each in section.figures:
        console.print(harmless(f"{indent}  {each.name}: {each.value} ({each.remark})"), soft_wrap=True, markup=False)
    for note in section.notes:
        console.print(harmless(f"{indent}  {note}"), soft_wrap=True, markup=False)
    for name, said in section.facts:
        console.print(harmless(f"{indent}  {name}: {said}"), soft_wrap=True, markup=False)
    for table in section.tables:
        shown, cut = table.first(MOST)
        _print_table(console, shown)
        if cut:
            console.print(f"{indent}  {cut} more rows are on the page.", soft_wrap=True, markup=False)
    if section.listing:
        console.print(harmless(section.listing), soft_wrap=True, markup=False)
    for part in section.parts:
        _print(console, part, f"{indent}  ")


def _print_table(console: Console, table: Table) -> None:
    """Print a table; one with more short columns than there is room for is wider than the screen, and loses nothing."""
    widths = [_width(table, number) for number in range(len(table.header))]
    fewest = sum(2 + min(width, SHORT) for width in widths)
    Console(highlight=False, width=max(console.width, fewest)).print(_grid(table))


def _width(table: Table, number: int) -> int:
    return max(len(words) for words in (table.header[number], *(row[number] for row in table.rows)))


def _grid(table: Table) -> Grid:
    grid = Grid(title=Text(harmless(table.title)) if table.title else None, title_justify="left", box=None)
    for number, name in enumerate(table.header):
        side: Literal["left", "right"] = "right" if table.is_numeric(number) else "left"
        grid.add_column(Text(harmless(name)), justify=side, overflow="fold", no_wrap=_width(table, number) <= SHORT)
    for row in table.rows:
        grid.add_row(*(Text(harmless(value)) for value in row))
    return grid
