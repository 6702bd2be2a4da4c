"""Every answer ever paid for, in SQLite: a call that was answered once is never made again."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from ...tasks.errors import ConfigError, StepError

FORMAT = 1
"""Of the file, as SQLite's `user_version`; a cache outlives the version of EvoKD that made it."""

COLUMNS = ["key", "reply", "run", "entry"]
"""Of the table `answers`, by which a cache is told from a database of something else."""

SCHEMA = f"""
create table if not exists answers (
    key text primary key, reply text not null, run text not null, entry text not null
) without rowid;
create index if not exists by_run on answers (run);
pragma user_version = {FORMAT};
"""


OTHER = "Name another teacher.cache."


class AnswerCache:
    """Replies by request key. Safe to use from many threads, from several processes, and under kill -9 (WAL).

    SQLite's write-ahead log needs shared memory: all processes that share a cache must run on one machine.
    """

    def __init__(self, path: Path) -> None:
        """Open or create.

        Raises:
            ConfigError: the file cannot be opened, is not a cache, or was made by a newer EvoKD.
        """
        self.path = path
        self._lock = threading.Lock()
        lock = Path(f"{path}.lock")
        if lock.exists() and lock.stat().st_size:  # locks are empty: poetry.lock is none
            raise ConfigError(f"{lock} is a file of something else, and to use {path} would empty it. {OTHER}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(lock):  # SQLite does not queue for the switch to WAL, it refuses
                self._base = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
                self._set_up()
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigError(
                f"{path} cannot be used as the answer cache ({error}). Is the disk full or write-protected? If not, "
                f"and it was a cache, delete it: its answers would be paid for again. If it is a file of yours, name "
                f"another teacher.cache."
            ) from error

    def get(self, key: str) -> str | None:
        """The dumped reply, or None."""
        with self._using() as base:
            row = base.execute("select reply from answers where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, reply: str, run: str, entry: dict[str, Any]) -> None:
        """Keep a reply together with its ledger entry; the first one for a key stays, but its entry never hides."""
        row = (key, reply, run, json.dumps(entry))
        with self._using() as base:
            done = base.execute("insert or ignore into answers values (?, ?, ?, ?)", row)
            if done.rowcount == 0:  # another process paid for the same call a moment ago: two calls, two entries
                base.execute("insert or ignore into answers values (?, ?, ?, ?)", (f"{key}/{entry['id']}", *row[1:]))

    def adopt(self, key: str, reply: str) -> None:
        """Keep a reply that somebody else paid for: it has no entry."""
        with self._using() as base:
            base.execute("insert or ignore into answers values (?, ?, '', '{}')", (key, reply))

    def set_aside(self, key: str) -> None:
        """Keep a reply with its entry, but where nobody looks for it."""
        with self._using() as base:
            base.execute(
                "update answers set key = key || '/' || json_extract(entry, '$.id') where key = ? and run <> ''", (key,)
            )

    def entries(self, run: str) -> list[dict[str, Any]]:
        """The ledger entries of all calls a run paid for."""
        with self._using() as base:
            rows = base.execute("select entry from answers where run = ?", (run,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def close(self) -> None:
        """Release the file; safe to call twice."""
        with self._lock:
            self._base.close()

    def _set_up(self) -> None:
        """Create what is missing; closes the file where it is not ours, and leaves it as it is."""
        try:
            made_by = self._base.execute("pragma user_version").fetchone()[0]
            if self._is_foreign(made_by):
                raise ConfigError(f"{self.path} is a database of something else, not an answer cache. {OTHER}")
            if made_by > FORMAT:
                raise ConfigError(
                    f"the answer cache {self.path} was made by a newer EvoKD (format {made_by}, known is {FORMAT}). "
                    f"Update EvoKD, or name another teacher.cache."
                )
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=normal")  # survives a killed process; a power cut may cost the last
            if made_by < FORMAT:
                self._base.executescript(SCHEMA)
        except BaseException:
            self._base.close()
            raise

    def _is_foreign(self, made_by: int) -> bool:
        tables = {row[0] for row in self._base.execute("select name from sqlite_master")}
        columns = [row[0] for row in self._base.execute("select name from pragma_table_info('answers')")]
        is_newer = made_by > FORMAT and "answers" in tables
        return bool(tables) and columns != COLUMNS and not is_newer

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection, one thread at a time.

        Raises:
            StepError: the disk is full, or another process held the file for a minute.
        """
        with self._lock:
            try:
                yield self._base
            except sqlite3.Error as error:
                raise StepError(
                    f"the answer cache {self.path} cannot be read or written ({error}). Make room on the disk, or end "
                    f"the process that holds the file; then resume: answers that were kept are not paid for again."
                ) from error


@dataclass(frozen=True)
class CacheSize:
    """How much a cache holds."""

    path: Path
    answers: int
    bytes: int
    """On disk, the write-ahead log included."""


def measure(path: Path) -> CacheSize | None:
    """The size of a cache that may be in use; None where there is none that can be read. Waits for nobody."""
    if not path.is_file():
        return None
    files = (path, path.with_name(path.name + "-wal"))
    size = sum(file.stat().st_size for file in files if file.exists())
    rows = _read(path, "select count(*) from answers")
    return CacheSize(path, int(rows[0][0]), size) if rows else None


def paid_calls(path: Path, run: str) -> frozenset[str]:
    """Ids of the calls a run paid for whose answers a cache holds; it may be in use, and nothing is written.

    Raises:
        ConfigError: the file is no cache.
    """
    query = "select json_extract(entry, '$.id') from answers where run = ?"
    return frozenset(str(row[0]) for row in (_read(path, query, run) if path.is_file() else ()))


def _read(path: Path, query: str, *values: str) -> list[Any]:
    """The rows of a query; none where the file cannot be opened, or holds no table yet."""
    # Reading beside a writer takes a file for shared memory. Where none can be made, the file alone is read, which a
    # killed process may have left empty, with all in its log.
    for how in ("mode=ro", "immutable=1"):
        with suppress(sqlite3.OperationalError):
            return _rows(path, how, query, values)
    return []


def _rows(path: Path, how: str, query: str, values: tuple[str, ...]) -> list[Any]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", timeout=60, uri=True)) as base:
            return base.execute(query, values).fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path} is not an answer cache ({error}).") from error
