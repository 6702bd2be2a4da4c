"""Files that a kill cannot tear: texts written whole or not at all, and JSON lines that many threads append to."""

import json
import os
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from .errors import StepError


def write_text(path: Path, text: str) -> None:
    """Write aside, force to disk, rename: readers see the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


FOLDER = re.compile(r"students/(cycle|final)-\d{3,}")
"""What a file says that stands for a link, relative to its own folder."""


def led_to(link: Path) -> Path | None:
    """The folder that a link to a student leads to, absolute, or that a file in its place names; None for neither."""
    try:
        said = link.read_text(encoding="utf-8").strip() if link.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return None
    folder = link.parent / said if FOLDER.fullmatch(said) else link
    return folder.resolve() if folder.is_dir() else None


class JsonLines:
    """An append-only file; one line is one write, so lines of two processes never mix.

    A line torn by a kill is cut off when the file is opened again.
    """

    def __init__(self, path: Path, columns: Collection[str] = ()) -> None:
        """Open for appending, mended.

        Args:
            path: made where it is missing.
            columns: what every line has.
        """
        self._columns = columns
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        _mend(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, row: dict[str, Any]) -> None:
        """Write one line; it is with the operating system when this returns, so only a power cut can lose it."""
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            while line:
                line = line[os.write(self._file, line) :]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every whole line.

        Raises:
            StepError: a line is damaged; nothing EvoKD does leaves one.
        """
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):  # another process is writing it
                    return
                yield self._read(number, line)

    def _read(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or (lacking := [name for name in self._columns if name not in row]):
                raise ValueError(f"no {lacking[0]!r}" if isinstance(row, dict) else "no JSON object")
        except (ValueError, RecursionError) as error:
            raise StepError(
                f"{self.path} line {number} is damaged ({error}). Remove that line, or the file; calls missing from a "
                "ledger are filled in from the answer cache."
            ) from error
        return row

    def close(self) -> None:
        """Release the file; safe to call twice."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1


def _mend(path: Path) -> None:
    """Cut a torn last line."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(whole)
