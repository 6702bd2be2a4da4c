"""A report as Markdown. The pictures, the browser of texts and the map are left to the page."""

import re
from collections.abc import Iterator, Sequence

from ..document import Document, Section, Table


def markdown(document: Document) -> str:
    """The whole report."""
    parts = [f"# {_inert(document.title)}"]
    for section in document.sections:
        parts += _section(section, "##")
    return "\n\n".join(parts) + "\n"


def _section(section: Section, level: str) -> Iterator[str]:
    yield f"{level} {_inert(section.title)}"
    if section.figures:
        yield _pipes(["", "", ""], [[each.name, each.value, each.remark] for each in section.figures])
    yield from map(_inert, section.notes)
    if section.facts:
        yield "\n".join(f"- **{_inert(name)}**: {_inert(said)}" for name, said in section.facts)
    for table in section.tables:
        yield from _table(table)
    if section.listing:
        # Indented, not fenced: no line of it can end the block.
        yield "\n".join(f"    {line}" for line in section.listing.splitlines())
    for part in section.parts:
        yield from _section(part, f"{level}#")


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"**{_inert(table.title)}**"
    yield _pipes(table.header, table.rows)


def _pipes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        [_inert(value) for value in header],
        ["---", *["---:"] * (len(header) - 1)],
        *([_inert(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _inert(text: str) -> str:
    """A text in which Markdown finds neither markup nor HTML nor the end of a table's cell."""
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split())).replace("&", "&amp;")
