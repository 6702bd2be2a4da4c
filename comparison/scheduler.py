"""Running a comparison: cells that are not finished are started or resumed, so many at once, within one budget."""

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..memory.marker import comparison_marker
from ..memory.run_folder import RunFolder
from ..tasks.errors import ConfigError
from .cells import folder_of, is_finished, made, outcome, prepare
from .executors import Executor, Job
from .shared_budget import Limits, Share, Shares, spent
from .spec import Cell, ComparisonSpec
from .worker import is_at_work

TICK = 0.2
"""Seconds between two looks at the cells at work."""

MOST_FAILURES = 3
"""Cells that may fail one after the other: after so many nothing new is started."""


@dataclass(frozen=True)
class Now:
    """How a comparison stands, for the screen."""

    finished: int
    total: int
    at_work: dict[str, dict[str, Any]]
    """Name of a cell -> its latest event; empty before the first."""
    news: tuple[str, ...] = ()
    """Sentences to print."""


@dataclass
class Ended:
    """How a comparison, or this part of it, ended."""

    interrupted: bool = False
    failed: dict[str, str] = field(default_factory=dict)
    """Name of a cell -> its error."""
    waiting: tuple[str, ...] = ()
    """Cells that were cut short or never started."""
    limit: str = ""
    """The key of `[budget]` that was the reason, if one was."""


Show = Callable[[Now], None]


def compare(spec: ComparisonSpec, root: Path, executor: Executor, jobs: int, show: Show) -> Ended:
    """Run what is not finished yet; started again after whatever end, it goes on where it was.

    Args:
        spec: the cells.
        root: folder of the comparison.
        executor: where cells are at work.
        jobs: how many at once.
        show: called several times a second, from the main thread.

    Raises:
        ConfigError: data of a cell cannot be used, a cell was made with other settings, the folder is not EvoKD's, or
            another process is at work on the comparison; nothing has been asked then.
    """
    comparison_marker(root).claim()  # first of all: a lock empties a file that is called as it is
    try:
        right = FileLock(root / "in-use").acquire(timeout=0)
    except Timeout:
        raise ConfigError(f"another process is at work on the comparison in {root}. Wait for it or stop it.") from None
    with right, _signals() as asked:
        prepare(spec, root)
        return _Comparing(spec, root, executor, jobs, asked).run(show)


class Asked:
    """What signals asked for: once is to end after the current steps, twice is to end at once."""

    def __init__(self) -> None:
        self.times = 0
        self._changed = threading.Event()

    def more(self, number: int, frame: object) -> None:
        """Take one signal."""
        self.times += 1
        self._changed.set()

    def wait(self) -> None:
        """Let a tick pass, or less where a signal comes."""
        if self._changed.wait(TICK):
            self._changed.clear()


@contextlib.contextmanager
def _signals() -> Iterator[Asked]:
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    previous = {number: signal.signal(number, asked.more) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class _AtWork:
    cell: Cell
    job: Job
    share: Share


class _Comparing:
    """The loop: start while there is room, money and no signal; look; book what ended."""

    def __init__(self, spec: ComparisonSpec, root: Path, executor: Executor, jobs: int, asked: Asked) -> None:
        self._plan, self._root, self._executor, self._jobs, self._asked = spec, root, executor, jobs, asked
        self._shares = Shares(spec.settings.budget)
        self._too_little: Limits = {}
        """What the cell that was cut short last had left: not enough for another call."""
        self._waiting: deque[Cell] = deque()
        self._at_work: dict[str, _AtWork] = {}
        self._finished = 0
        self._failures = 0
        """In a row."""
        self._ended = Ended()
        self._news: list[str] = []

    def run(self, show: Show) -> Ended:
        """Go on until every cell has ended, nothing is left, or a signal."""
        self._wait_for_orphans(show)
        planned = {cell.name for cell in self._plan.cells}
        for other in sorted(set(made(self._root)) - planned):  # no longer in the file, but paid for
            self._shares.settle(other, spent(self._root / "cells" / other))
        for cell in self._plan.cells:
            folder = folder_of(cell, self._root)
            self._shares.settle(cell.name, spent(folder.root))
            if is_finished(folder):
                self._finished += 1
            else:
                self._waiting.append(cell)
        told = 0
        try:
            while self._at_work or self._parts():
                while parts := self._parts():
                    self._start(parts)
                told = self._pass_on(told)
                self._look()
                self._show(show)
                if self._at_work:
                    self._asked.wait()
        except BaseException:
            for each in self._at_work.values():
                each.job.kill()
            raise
        self._show(show)
        return self._how_it_ended()

    def _how_it_ended(self) -> Ended:
        self._ended.waiting = tuple(cell.name for cell in self._waiting)
        self._ended.interrupted = self._asked.times > 0 and bool(self._waiting)
        if self._ended.interrupted or self._failures >= MOST_FAILURES or not self._waiting:
            self._ended.limit = ""
        else:
            self._ended.limit = self._ended.limit or self._shares.exhausted()
        return self._ended

    def _parts(self) -> int:
        """How many cells may start now and share what is left; none gets less than was too little before."""
        if self._asked.times or self._failures >= MOST_FAILURES or self._shares.exhausted():
            return 0
        most, left = min(self._jobs - len(self._at_work), len(self._waiting)), self._shares.left
        enough = (n for n in range(most, 0, -1) if all(left[k] / n > had + 1e-9 for k, had in self._too_little.items()))
        return next(enough, 0)

    def _start(self, parts: int) -> None:
        cell = self._next()
        self._waiting.remove(cell)
        folder = folder_of(cell, self._root)
        for stale in ("outcome.json", "progress.json"):
            (folder.root / stale).unlink(missing_ok=True)
        share = self._shares.take(cell.name, cell.config.budget, parts)
        self._at_work[cell.name] = _AtWork(cell, self._executor.start(folder.root, share.limits), share)

    def _next(self) -> Cell:
        """The first in line that would not ask now what a cell at work is asking: answered, it costs nothing."""
        asking = {(each.cell.task, each.cell.config.seed) for each in self._at_work.values()}
        apart = (cell for cell in self._waiting if (cell.task, cell.config.seed) not in asking)
        return next(apart, self._waiting[0])

    def _pass_on(self, told: int) -> int:
        """Hand signals on to the cells at work; returns how many were."""
        if self._asked.times > told:
            for each in self._at_work.values():
                (each.job.kill if told else each.job.stop)()
            gently = f"Stopping {len(self._at_work)} cells after their current step; once more ends them at once."
            self._news.append("Ending at once." if told else gently)
        return self._asked.times

    def _look(self) -> None:
        for name, each in list(self._at_work.items()):
            code = each.job.poll()
            if code is not None:
                del self._at_work[name]
                freed = self._shares.settle(name, spent(folder_of(each.cell, self._root).root))
                self._book(each, code, freed)

    def _book(self, ended: _AtWork, code: int, freed: Limits) -> None:
        cell, folder = ended.cell, folder_of(ended.cell, self._root)
        said = outcome(folder)
        how, why = said.get("how", ""), str(said.get("why", ""))
        key = ended.share.cut_by(why)
        if how == "budget" and not key:
            how = "finished"  # its own limit, which belongs to what is compared
            folder.write_json(folder.root / "outcome.json", {"how": how, "why": why})
            folder.drop_students()
        if how == "finished":
            self._finished += 1
            self._failures = 0
        elif how == "budget":
            self._waiting.appendleft(cell)  # first in line for what others leave
            self._too_little, self._ended.limit = {key: freed[key]}, key
        elif self._asked.times and how != "failed":
            self._waiting.append(cell)
        else:
            ending = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            self._ended.failed[cell.name] = why or f"ended {ending}; see {folder.root / 'cell.log'}"
            self._news.append(f"{cell.name} failed: {self._ended.failed[cell.name]}")
            self._failures += 1

    def _wait_for_orphans(self, show: Show) -> None:
        """Cells of a comparison that was killed end by themselves, after a whole step; nothing is started before."""
        told = False
        for cell in self._plan.cells:
            while not self._asked.times and is_at_work(folder_of(cell, self._root)):
                if not told:
                    self._news.append(f"Waiting for {cell.name}, which an earlier comparison started, to end its step.")
                    told = True
                self._show(show)
                self._asked.wait()

    def _show(self, show: Show) -> None:
        at_work = {name: _progress(folder_of(each.cell, self._root).root) for name, each in self._at_work.items()}
        show(Now(self._finished, len(self._plan.cells), at_work, tuple(self._news)))
        self._news.clear()


def _progress(root: Path) -> dict[str, Any]:
    path = root / "progress.json"
    return dict(RunFolder(root).read_json(path)) if path.exists() else {}
