"""Which checkpoint of a run is its newest: the one that is the most steps on, whatever the clock says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver


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
def open_checkpoints(folder: Path) -> Iterator[SqliteCheckpoints]:
    """The checkpoints of a run folder for the length of a block."""
    with closing(sqlite3.connect(folder / "checkpoints.sqlite", check_same_thread=False)) as connection:
        yield SqliteCheckpoints(connection)


def thread_of(saver: BaseCheckpointSaver[str], name: str) -> str:
    """The thread of a run's checkpoints: the name it began with, as a copy of a run may have another one."""
    known = next(saver.list(None, limit=1), None)
    return str(known.config["configurable"]["thread_id"]) if known else name
