"""One cell of a comparison in a process of its own: it tells by files how far it is and how it ended.

progress.json   what it is doing
outcome.json    how it ended: finished, budget, interrupted or failed, and why
cell.log        what it printed
at-work         lock of the process
"""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..graph.config.run_config import RunConfig
from ..graph.run import drive, flush_traces
from ..graph.setup.create import read_config
from ..memory.marker import run_marker
from ..memory.run_folder import RunFolder
from ..tasks.errors import ConfigError, EvoKDError
from ..teacher.settings import BudgetSettings

EVERY = 1.0
"""Seconds between two writes of `progress.json`."""


def drive_cell(folder: RunFolder, limits: BudgetSettings, cache: Path) -> int:
    """Run or resume a cell to its end.

    Args:
        folder: the run folder of the cell.
        limits: what it may spend of the comparison's budget, in place of its own `[budget]`.
        cache: answers shared with other cells, unless the config names a file of its own.

    Returns:
        The exit code, as the command line has it.

    Raises:
        ConfigError: another process is at work on it, or EvoKD did not make it.
    """
    run_marker(folder.root).read()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        with _lock(folder).acquire(timeout=0):
            how, why, code = _driven(folder, limits, cache)
            folder.write_json(folder.root / "outcome.json", {"how": how, "why": why})
            if how == "finished":
                folder.drop_students()  # a comparison of a hundred cells would take as many gigabytes
            return code
    except Timeout:
        raise ConfigError(f"another process is at work on {folder.root}. Wait for it or stop it.") from None


def _driven(folder: RunFolder, limits: BudgetSettings, cache: Path) -> tuple[str, str, int]:
    try:
        outcome = drive(_shared(read_config(folder), limits, cache), folder, Notes(folder))
    except (EvoKDError, OSError) as error:
        return "failed", str(error), 2 if isinstance(error, ConfigError) else 1
    finally:
        flush_traces()
    if outcome.how == "asks":
        return "failed", f"a role asks the person, whom a comparison does not have: {outcome.why}", 1
    return outcome.how, outcome.why, 75 if outcome.how == "interrupted" else 0


def is_at_work(folder: RunFolder) -> bool:
    """Whether a process is at work on a cell."""
    if not folder.root.exists():
        return False
    try:
        _lock(folder).acquire(timeout=0).lock.release()
    except Timeout:
        return True
    return False


def _lock(folder: RunFolder) -> FileLock:
    return FileLock(folder.root / "at-work")


def _shared(config: RunConfig, limits: BudgetSettings, cache: Path) -> RunConfig:
    teacher = config.teacher.model_copy(update={"cache": config.teacher.cache or str(cache)})
    return config.model_copy(update={"teacher": teacher, "budget": limits})


def _end_with_the_parent() -> None:
    """Drain as on SIGTERM when standard input is closed, which is what the death of the parent does, too."""
    while os.read(0, 1024):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class Notes:
    """Takes the events of the run and leaves the latest in `progress.json`."""

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.root / "progress.json"
        self._folder = folder
        self._written = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        """Note one event, unless one was noted a moment ago."""
        now = time.monotonic()
        if "step" in event and now - self._written >= EVERY:
            self._folder.write_json(self._path, event)
            self._written = now
