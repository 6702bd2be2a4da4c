"""Checkpoints on a Postgres server, by the saver of LangGraph; needs the extra `postgres`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row

from ..tasks.errors import ConfigError, StepError
from .checkpoints import InStepOrder


class PostgresCheckpoints(InStepOrder, PostgresSaver):  # type: ignore[misc]  # the package is optional
    """Checkpoints in the tables that LangGraph makes; many runs share them, each is a thread of its own."""


@contextmanager
def open_postgres(server: str, run: str) -> Iterator[PostgresCheckpoints]:
    """The checkpoints of a server for the length of a block; the password comes from PGPASSWORD or `~/.pgpass`.

    Args:
        server: `postgresql://user@host/database`.
        run: id of the run, which this process alone goes on with until the block ends, however it ends.

    Raises:
        ConfigError: another process goes on with this run.
        StepError: the server cannot be reached, or fails.
    """
    try:
        # As PostgresSaver.from_conn_string does, which makes no class of ours.
        with psycopg.connect(server, autocommit=True, prepare_threshold=0, row_factory=dict_row) as connection:
            _own(connection, server, run)
            saver = PostgresCheckpoints(connection)  # type: ignore[call-arg]
            saver.setup()
            yield saver
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise StepError(f"the checkpoints on {server} cannot be read or written: {said}") from error


def _own(connection: "psycopg.Connection[dict[str, object]]", server: str, run: str) -> None:
    """Take the server's lock for a run: a copy of a run's folder has the same id, and would mix its steps with these.

    The server gives it back when the connection ends, as it does when a process is killed.
    """
    row = connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got", (f"evokd {run}",)
    ).fetchone()
    if row is None or not row["got"]:
        raise ConfigError(
            f"Another process goes on with this run or with a copy of it (checkpoints on {server}). Wait for it or "
            "stop it first."
        )
