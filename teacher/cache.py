"""Every answer ever paid for, in SQLite: a call that was answered once is never made again."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from tasks.errors import ConfigError

SCHEMA = """
create table if not exists answers (
    key text primary key, reply text not null, run text not null, entry text not null
) without rowid;
create index if not exists by_run on answers (run);
"""


class AnswerCache:
    """Replies by request key. Safe to use from many threads, from several processes, and under kill -9 (WAL)."""

    def __init__(self, path: Path) -> None:
        """Open or create.

        Raises:
            ConfigError: the file is not a cache.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        try:
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=normal")  # survives a killed process; a power cut may cost the last
            self._base.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise ConfigError(
                f"{path} cannot be used as the answer cache ({error}). Is the disk full? "
                f"If not, delete it to start an empty one; answers in it would be paid for again."
            ) from error

    def get(self, key: str) -> str | None:
        """The dumped reply, or None."""
        with self._lock:
            row = self._base.execute("select reply from answers where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, reply: str, run: str, entry: dict[str, Any]) -> None:
        """Keep a reply together with its ledger entry; the first one for a key stays, but its entry never hides."""
        row = (key, reply, run, json.dumps(entry))
        with self._lock:
            done = self._base.execute("insert or ignore into answers values (?, ?, ?, ?)", row)
            if done.rowcount == 0:  # another process paid for the same call a moment ago: two calls, two entries
                self._base.execute(
                    "insert or ignore into answers values (?, ?, ?, ?)", (f"{key}/{entry['id']}", *row[1:])
                )

    def entries(self, run: str) -> list[dict[str, Any]]:
        """The ledger entries of all calls a run paid for."""
        with self._lock:
            rows = self._base.execute("select entry from answers where run = ?", (run,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def close(self) -> None:
        """Release the file; safe to call twice."""
        with self._lock:
            self._base.close()
