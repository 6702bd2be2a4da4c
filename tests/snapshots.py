"""All that lies in a folder, and all that happens to it: for tests that nothing of the user's is touched."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def snapshot(root: Path) -> dict[str, bytes | str]:
    """Path -> content, where a link leads, or `/` for a folder."""
    found: dict[str, bytes | str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else "/" if path.is_dir() else path.read_bytes()
    return found


class Touched:
    """Paths that Python made, and paths that were there and are lost: deleted, overwritten, emptied, moved."""

    def __init__(self) -> None:
        self.made: set[Path] = set()
        self.lost: set[Path] = set()

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if event in ("os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"):
            self._lose(given[0])
        elif event == "os.rename":
            self._lose(given[0])
            self._make(given[1])
        elif event in ("os.link", "os.symlink"):
            self._make(given[1])
        elif event == "os.mkdir":
            self._make(given[0])
        elif event == "open" and isinstance(given[0], str | bytes) and given[2] & (os.O_WRONLY | os.O_RDWR):
            self._make(given[0], keeps=not given[2] & os.O_TRUNC)

    def _make(self, path: Any, keeps: bool = False) -> None:
        where = Path(os.fsdecode(path)).absolute()
        if not os.path.lexists(where):
            self.made.add(where)
        elif not keeps and where not in self.made:
            self.lost.add(where)

    def _lose(self, path: Any) -> None:
        where = Path(os.fsdecode(path)).absolute()
        if os.path.lexists(where) and where not in self.made:
            self.lost.add(where)


_listening: list[Touched] = []


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if _listening:
        _listening[-1](event, given)


sys.addaudithook(_hook)  # for the life of the process: there is no way to take a hook back


@contextmanager
def touched() -> Iterator[Touched]:
    """What happens to files within a block."""
    _listening.append(Touched())
    try:
        yield _listening[-1]
    finally:
        _listening.pop()
