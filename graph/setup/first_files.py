"""The first files of a run: written where nothing is lost by it, after those of a start that came to nothing.

The marker notes the digest of each before it is written. What is not there with the digest that was noted has been put
there or edited by somebody, and is not ours to replace.
"""

import contextlib
import hashlib
import os
import shlex
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock

from ...memory.chroma import TABLES
from ...memory.leftovers import remove_leftovers
from ...memory.lock import owned
from ...memory.marker import ELSEWHERE, run_marker
from ...memory.run_folder import RunFolder
from ...tasks.errors import ConfigError
from ...tasks.files import write_text

DATA = tuple(f"data/{name}.jsonl" for name in ("seed", "dev", "test", "pool"))

FIRST = (*DATA, "guidelines.toml", "versions.json", "config.toml")
"""Files that a run begins with."""

BEGUN = ("students", "best", "metrics.jsonl")
"""One of these is there once a student was trained: there is something to lose."""

_kept: dict[Path, FileLock] = {}
"""Run folder -> the right to begin there, of runs that this process has made and will drive."""

CHECKPOINTS = tuple(f"checkpoints.sqlite{more}" for more in ("", "-wal", "-shm", "-journal"))


def check_free(folder: RunFolder) -> None:
    """Refuse a folder in which no run can start.

    Raises:
        ConfigError: it holds a run, or anything that EvoKD did not make.
    """
    run_marker(folder.root).check_free()
    if is_trained(folder):
        raise ConfigError(
            f"{folder.root} already holds a run. `{_resume(folder)}` goes on with it; another --name starts anew."
        )


def is_trained(folder: RunFolder) -> bool:
    """Whether the run has a student, or had one."""
    return any(os.path.lexists(folder.root / name) for name in BEGUN)


def start(folder: RunFolder, files: Mapping[str, str], began: object = None, *, keep: bool = False) -> None:
    """Mark the folder and write the first files; what a start without a student left there is replaced.

    Args:
        folder: of the run.
        files: path in the folder -> text, some of `FIRST`; the last is written last.
        began: what the marker keeps of the config, as `graph.config.edits` has it.
        keep: let no other process begin or go on here until `alone` takes over.

    Raises:
        ConfigError: as `check_free` does; or a file there is not as EvoKD wrote it, or another process is at work.
    """
    marker = run_marker(folder.root)
    with contextlib.ExitStack() as held:
        lock = marker.lock()
        held.callback(lock.release)
        marker.claim()
        _refuse_links(folder)
        with _memory(folder) as memory:
            check_free(folder)
            _refuse_changed(folder)
            for name in (*FIRST, *CHECKPOINTS):
                (folder.root / name).unlink(missing_ok=True)
            remove_leftovers(memory, TABLES)
            _set_aside(memory)
            marker.note(id=uuid.uuid4().hex, wrote={}, began=began)
            write_first(folder, files)
        if keep:
            held.pop_all()
            _kept[folder.root] = lock


@contextlib.contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """The only process at work in a run folder, for the length of a block; goes on with what `start` kept.

    Raises:
        ConfigError: another process is at work there, or it is no run folder.
    """
    lock = _kept.pop(folder.root, None) or run_marker(folder.root).lock()
    try:
        yield
    finally:
        lock.release()


def write_first(folder: RunFolder, files: Mapping[str, str]) -> None:
    """Write some of the first files, noted as EvoKD's own before they are there."""
    marker = run_marker(folder.root)
    marker.note(wrote=_wrote(folder) | {name: _digest(text.encode()) for name, text in files.items()})
    for name, text in files.items():
        write_text(folder.root / name, text)


def _wrote(folder: RunFolder) -> dict[str, str]:
    noted = run_marker(folder.root).read().get("wrote")
    return dict(noted) if isinstance(noted, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _memory(folder: RunFolder) -> Iterator[Path]:
    """The memory's folder, while no other process starts or runs here."""
    memory = folder.root / "memory"
    memory.mkdir(exist_ok=True)
    lock = owned(memory)
    try:
        yield memory
    finally:
        lock.release()


def _refuse_links(folder: RunFolder) -> None:
    for name in ("data", "memory"):
        if (folder.root / name).is_symlink():
            raise ConfigError(
                f"{folder.root / name} is a link, and a new start would change what it leads to. Remove the link. "
                f"{ELSEWHERE}"
            )


def _refuse_changed(folder: RunFolder) -> None:
    wrote = _wrote(folder)
    for path in (folder.root / name for name in FIRST):
        noted = wrote.get(folder.relative(path))
        if os.path.lexists(path) and (path.is_symlink() or _digest(path.read_bytes()) != noted):
            raise ConfigError(
                f"{path} is not as EvoKD wrote it, and a new start would replace it. `{_resume(folder)}` goes on with "
                "the run there; to start anew, move the file away or give another --name."
            )


def _set_aside(memory: Path) -> None:
    """Clear the memory of what ours did not write without deleting: only another kind of memory knows what that is."""
    found = [path for path in memory.iterdir() if path.name != "in-use"]  # the lock, which is held
    if found:
        aside = memory.with_name(f"memory-{uuid.uuid4().hex[:8]}")
        aside.mkdir()
        for path in found:
            path.rename(aside / path.name)


def _resume(folder: RunFolder) -> str:
    return f"evokd resume {shlex.quote(str(folder.root))}"
