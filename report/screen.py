"""The screen while something is at work: a title, live lines, and sentences above them."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class Screen:
    """Shows its live lines between entering and leaving; where the output is not a terminal there are none."""

    def __init__(self, name: str, folder: str, *first: ProgressColumn) -> None:
        """Prepare the screen for what is called `name` and lives in `folder`; lines begin with the columns `first`."""
        self.console = Console(highlight=False)
        self._title = Text.assemble((name, "bold"), f"  {folder}")
        self._progress = Progress(
            *first,
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.console.print(self._title, soft_wrap=True)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a sentence."""
        self.console.print(text, soft_wrap=True, markup=False)
