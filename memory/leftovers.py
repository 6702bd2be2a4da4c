"""Deleting what a memory of ours left in a folder, and nothing else that lies there."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

BASE = "chroma.sqlite3"
"""The database of a memory on disk; deleted last, as it names the other files."""

BESIDE = re.compile(r"chroma\.sqlite3-(wal|shm|journal)|\.?test-ids(\.\d+)?")

INDEX = re.compile(r"(data_level0|header|length|link_lists)\.bin|index_metadata\.pickle")
"""Files in the folder of an index of Chroma's."""


def remove_leftovers(folder: Path, tables: tuple[str, ...]) -> None:
    """Delete the files of a memory that no process has open; what it did not write stays.

    Args:
        folder: of the memory.
        tables: the collections that a memory of ours has. A database with any other is somebody else's.
    """
    indices = _indices(folder / BASE, tables)
    if indices is None:
        return
    for index in (folder / name for name in indices):
        if index.is_dir() and not index.is_symlink() and all(INDEX.fullmatch(path.name) for path in index.iterdir()):
            for path in index.iterdir():
                path.unlink()
            index.rmdir()
    for path in list(folder.iterdir()):
        if path.is_file() and BESIDE.fullmatch(path.name):
            path.unlink()
    (folder / BASE).unlink()


def _indices(base: Path, tables: tuple[str, ...]) -> list[str] | None:
    """The folders that a database of ours names; None where it is not ours, or cannot be read."""
    if base.is_symlink() or not base.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{base.as_uri()}?mode=ro", uri=True)) as connection:
            if {name for (name,) in connection.execute("select name from collections")} <= set(tables):
                return [str(name) for (name,) in connection.execute("select id from segments") if "/" not in str(name)]
    except sqlite3.Error:
        return None
    return None
