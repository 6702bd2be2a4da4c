"""The screen while a run is at work: one live line for the step, one row for each finished cycle."""

from typing import Any

from rich.progress import SpinnerColumn

from ..screen import Screen
from .tables import cycle_line, header_line


class Live(Screen):
    """Shows the events of a run; a plain log where the output is not a terminal."""

    def __init__(self, name: str, folder: str) -> None:
        """Prepare the screen for the run `name`, which lives in `folder`."""
        super().__init__(name, folder, SpinnerColumn())
        self._task = self._progress.add_task("starting", total=None)
        self._headed = False

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
