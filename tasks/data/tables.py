"""Tables in CSV and TSV, with the separator, quotes and line ends that spreadsheets and other programs write."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ConfigError
from .problems import Problems, Row, shown

LONGEST_CELL = 1_000_000

BRAT = re.compile(r"T\d+\t\S+ \d+ \d+(;\d+ \d+)*\t")
"""How a file of brat's annotations begins."""

Record = tuple[str, list[str]]
"""Place and cells of a row, the header too."""


def read_table(text: str, suffix: str, problems: Problems) -> Iterator[Row]:
    """The rows of a table, by the names in its header.

    A CSV may have semicolons or tabs in place of commas, if its header has. A TSV that cannot be read with quotes is
    read without: there a quote is a character like any other.

    Args:
        text: of the file.
        suffix: `.csv` or `.tsv`.
        problems: collects broken rows.

    Raises:
        ConfigError: the header has a name twice, or the table is WebAnno's TSV or brat's.
    """
    if BRAT.match(text):
        raise ConfigError(
            f"{problems.source}: is brat's. Convert it with brat's tools/anntoconll.py and name it .conll."
        )
    if text.startswith("#FORMAT=WebAnno"):
        raise ConfigError(
            f"{problems.source}: is WebAnno TSV (INCEpTION). Export as CoNLL 2002 and name the file .conll."
        )
    text, separator = _separator(text, suffix)
    records: Sequence[Record] | None = None
    if separator == "\t":
        records = _unquoted(text) if _quotes_fail(text) else None
    yield from _named(records if records is not None else _quoted(text, separator, problems), problems)


def _separator(text: str, suffix: str) -> tuple[str, str]:
    """The text without Excel's `sep=` line, and what separates its cells."""
    first, _, rest = text.lstrip().partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
        return "\n" + rest, first.strip()[-1]  # an empty line in its place, so that lines keep their numbers
    if suffix == ".tsv":
        return text, "\t"
    return text, next((char for char in ",;\t" if char in first), ",")


def _quotes_fail(text: str) -> bool:
    """Whether some quote of a TSV is no quote: it is not closed, or only lines further down."""
    try:
        return any("\t" in cell and "\n" in cell for cells in _reader(text, "\t") for cell in cells)
    except csv.Error:
        return True


def _unquoted(text: str) -> list[Record] | None:
    """The rows where no quote means anything; None if one of them has not the header's number of cells."""
    lines = [(number, line.split("\t")) for number, line in enumerate(io.StringIO(text, newline=None), start=1)]
    rows = [(f"line {n}", [cell.rstrip("\n") for cell in cells]) for n, cells in lines if "".join(cells).strip()]
    return rows if len({len(cells) for _, cells in rows}) == 1 else None


def _quoted(text: str, separator: str, problems: Problems) -> Iterator[Record]:
    reader, line = _reader(text, separator), 1
    try:
        for cells in reader:
            if separator == "\t" and any("\t" in cell and "\n" in cell for cell in cells):
                last = reader.line_num
                problems.add(f"lines {line} to {last}", "one cell goes on over tabs and lines: a quote is not closed")
            elif any(cell.strip() for cell in cells):  # else a blank line, or the row of commas a spreadsheet leaves
                yield f"line {line}", cells
            line = reader.line_num + 1
    except csv.Error as error:
        # Quoting is lost from here on, so the rest would be named wrongly.
        problems.add(f"line {line}", f"broken CSV ({error}); the rest of the file was not read")


def _named(records: Iterator[Record] | Sequence[Record], problems: Problems) -> Iterator[Row]:
    header: list[str] | None = None
    for place, cells in records:
        if header is None:
            header = [cell.strip() for cell in cells]
            if twice := [name for name, count in Counter(header).items() if count > 1 and name]:
                raise ConfigError(f"{problems.source}: the header has {shown(twice[0])} twice. Rename one of them.")
            continue
        spare = cells[len(header) :]
        if len(cells) < len(header) or any(cell.strip() for cell in spare):
            problems.add(place, f"{len(cells)} columns, but the header has {len(header)}: {shown(cells)}")
        else:
            yield place, dict(zip(header, cells, strict=False))


def _reader(text: str, separator: str) -> Any:  # the type of a reader has no public name
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
