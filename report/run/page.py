"""The report of a run: its sections, and the page in its folder that is written anew after every cycle."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...tasks.errors import ConfigError
from ...tasks.files import write_text
from ..document import Document, Section
from ..formats.html import MADE, html
from ..run_files import Run
from .classes import classes
from .costs import costs
from .learning import learning
from .lessons import lessons
from .progress import Note
from .reliability import reliability
from .setting import config, guidelines, versions
from .summary import summary
from .texts import packed, text_map, texts

MOST = 1_000_000
"""Bytes of a page."""

log = logging.getLogger(__name__)

Event = dict[str, Any]


def document(run: Run) -> Document:
    """All there is to say of a run, but for its texts."""
    if not run.metrics:
        return Document(run.root.name, [summary(run), *_setting(run)])
    sections = [
        summary(run), learning(run), *classes(run), lessons(run), texts(run), text_map(run), reliability(run),
        costs(run), *_setting(run),
    ]  # fmt: skip
    return Document(run.root.name, [each for each in sections if each is not None])


def _setting(run: Run) -> list[Section]:
    return [each for each in (guidelines(run), config(run), versions(run)) if each is not None]


def page(run: Run, token: str = "") -> str:
    """The page of a run; its texts take what room the rest has left.

    Args:
        run: on disk.
        token: what the button to stop sends, where the page is served live; "" has no button.
    """
    made = document(run)
    made.texts, left_out = packed(run, MOST - len(html(made, token).encode()) - 1000)
    for section in made.sections:
        if section.widget == "browser" and left_out:
            section.notes.append(left_out)
    return html(made, token)


def write_page(path: Path, content: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        ConfigError: there is a file that EvoKD did not make.
    """
    if path.exists() and MADE not in path.read_text(encoding="utf-8", errors="replace")[:1000]:
        raise ConfigError(f"{path} is not a report that EvoKD made, and is left as it is. Move it, or use --out.")
    write_text(path, content)


def write_run_page(root: Path) -> Path:
    """Write `report.html` into a run folder."""
    path = root / "report.html"
    write_page(path, page(Run(root)))
    return path


@contextmanager
def page_kept(root: Path, show: Callable[[Event], None]) -> Iterator[Callable[[Event], None]]:
    """Show a run's events, note them for who watches, and write its page after each cycle and at the end.

    What goes wrong with that is only told.

    Args:
        root: the run folder.
        show: called with every event.
    """
    note = Note(root / "progress.json")

    def shown(event: Event) -> None:
        show(event)
        note.take(event)
        if "row" in event:
            write_or_tell(root)

    try:
        yield shown
    finally:
        note.remove()
    write_or_tell(root)


def write_or_tell(root: Path) -> None:
    """Write the page of a run; what goes wrong is logged, and nothing is raised."""
    try:
        write_run_page(root)
    except Exception as error:  # no picture is worth a run: whatever it is, the run goes on
        log.warning(
            "%s could not be written (%s: %s). The run goes on.", root / "report.html", type(error).__name__, error
        )
