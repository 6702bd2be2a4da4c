"""The screen while a run is at work: one live line for the step, one row for each finished cycle."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from .tables import cycle_line, header_line


class Live:
    """Shows the events of a run; a plain log where the output is not a terminal."""

    def __init__(self, name: str, folder: str) -> None:
        """Prepare the screen for the run `name`, which lives in `folder`."""
        self.console = Console(highlight=False)
        self._title = Text.assemble((name, "bold"), f"  {folder}")
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._headed = False

    def __enter__(self) -> Self:
        self.console.print(self._title, soft_wrap=True)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, event: dict[str, Any]) -> None:
        """Show one event: the progress of a step, or the row of a finished cycle."""
        if "row" in event:
            if not self._headed:
                self.console.print(header_line(), soft_wrap=True, markup=False)
                self._headed = True
            self.console.print(cycle_line(event["row"]), soft_wrap=True, markup=False)
            return
        what = f"cycle {event['cycle']}  {event['step']}  {event['what']}"
        if not event["done"]:
            self._progress.reset(self._task)
        self._progress.update(self._task, description=what, completed=event["done"], total=event["total"] or None)

    def say(self, text: str) -> None:
        """Print a sentence."""
        self.console.print(text, soft_wrap=True, markup=False)
