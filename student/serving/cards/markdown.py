"""Foreign words in Markdown: whatever a config or a model says stands there as text and steers nothing."""

import html
import re
from collections.abc import Iterable

from ....tasks.wording import harmless, one_line

STEERING = re.compile(r"([`*_\[\]|~])")
"""What Markdown reads inside a line; marks that count at its beginning alone never stand there."""


def plain(text: str) -> str:
    """A text as part of a line of Markdown: no break, no HTML, no markup, no mathematics, no hidden character."""
    shown = html.escape(harmless(one_line(text)), quote=False)
    return STEERING.sub(r"\\\1", shown.replace("\\", "&#92;").replace("$", "&#36;"))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table whose cells are Markdown; foreign ones have been through `plain`."""
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
