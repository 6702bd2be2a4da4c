"""Which checkpoint of a run is its newest: the one that is the most steps on, whatever the clock says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

from ..memory.marker import run_marker
from ..tasks.errors import ConfigError

FILE = "checkpoints.sqlite"
"""In the run's folder, unless the checkpoints are on a server."""


class InStepOrder(BaseCheckpointSaver[str]):
    """To be put before any saver of LangGraph: `class Mine(InStepOrder, PostgresSaver)`.

    A saver takes the greatest id for the newest, and ids begin with the wall time at which they were made. Where the
    clock has been set back between two sittings that is an old one, whose steps would be done and paid for again.
    """

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        """The checkpoint that is asked for by its id; without one, the newest of the thread."""
        found = super().get_tuple(config)
        if found is None or "checkpoint_id" in config["configurable"]:
            return found
        # Steps have no gaps, so that one look suffices where the clock was never set back.
        while later := next(self.list(config, filter={"step": found.metadata["step"] + 1}, limit=1), None):
            found = later
        return found


class SqliteCheckpoints(InStepOrder, SqliteSaver):
    """Checkpoints in a file."""


@contextmanager
def open_checkpoints(folder: Path, server: str | None = None) -> Iterator[BaseCheckpointSaver[str]]:
    """The checkpoints of a run for the length of a block.

    Args:
        folder: of the run.
        server: address of a Postgres server in place of a file in the folder.

    Raises:
        ConfigError: the extra `postgres` is not installed, or another process goes on with this run.
        StepError: the server cannot be reached, or fails.
    """
    if server is None:
        with closing(sqlite3.connect(folder / FILE, check_same_thread=False)) as connection:
            yield SqliteCheckpoints(connection)
        return
    try:
        from .postgres import open_postgres
    except ImportError as error:
        raise ConfigError(
            f"checkpoints = {server!r} needs a package: `pip install 'evokd[postgres]'` ({error})."
        ) from None
    with open_postgres(server, run_id(folder)) as saver:
        yield saver


def run_id(folder: Path) -> str:
    """What tells a run from all others; a copy of its folder has the same."""
    return str(run_marker(folder).read()["id"])


def thread_of(saver: BaseCheckpointSaver[str], name: str, folder: Path) -> str:
    """The thread of a run's checkpoints: in a file of its own the one that is there, on a server the run's id.

    Args:
        saver: of `open_checkpoints`.
        name: of the run, for a file without any: a copy of a run may have another name than it began with.
        folder: of the run.
    """
    if not isinstance(saver, SqliteCheckpoints):
        return run_id(folder)
    known = next(saver.list(None, limit=1), None)
    return str(known.config["configurable"]["thread_id"]) if known else name
