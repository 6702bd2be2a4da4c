"""The screen while a comparison is at work: a count of finished cells, and one line for each cell at work."""

from collections.abc import Mapping
from typing import Any, Protocol

from rich.progress import TaskID

from ..screen import Screen
from ..wording import harmless


class Standing(Protocol):
    """What is shown: `comparison.scheduler.Now`, which the report does not import."""

    @property
    def finished(self) -> int:
        """Cells that need not be run again."""

    @property
    def total(self) -> int:
        """All cells."""

    @property
    def at_work(self) -> Mapping[str, Mapping[str, Any]]:
        """Name of a cell -> its latest event; empty before the first."""

    @property
    def news(self) -> tuple[str, ...]:
        """Sentences to print."""


class LiveComparison(Screen):
    """Shows how a comparison stands; a plain log of starts and ends where the output is not a terminal."""

    def __init__(self, name: str, folder: str) -> None:
        """Prepare the screen for the comparison `name`, which lives in `folder`."""
        super().__init__(name, folder)
        self._whole = self._progress.add_task("cells finished", total=None)
        self._lines: dict[str, TaskID] = {}

    def show(self, now: Standing) -> None:
        """Bring the screen up to date."""
        for sentence in now.news:
            self.say(harmless(sentence))  # it may quote what a server answered
        self._progress.update(self._whole, completed=now.finished, total=now.total)
        for name in [name for name in self._lines if name not in now.at_work]:
            self._progress.remove_task(self._lines.pop(name))
            self._log(f"ended    {name} ({now.finished} of {now.total} finished)")
        for name, event in now.at_work.items():
            if name not in self._lines:
                self._lines[name] = self._progress.add_task(name, total=None)
                self._log(f"started  {name}")
            if event:
                what = f"{name}  cycle {event['cycle']}  {event['step']}  {event['what']}"
                self._progress.update(
                    self._lines[name], description=what, completed=event["done"], total=event["total"] or None
                )

    def _log(self, text: str) -> None:
        if not self.console.is_terminal:
            self.say(text)
