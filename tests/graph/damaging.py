"""Run folders to be damaged: of a run that has finished, of one between two steps, of one in the midst of a step."""

import hashlib
import json
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evokd.graph.run import drive
from evokd.graph.setup.create import read_config
from evokd.memory.run_folder import RunFolder
from evokd.tasks.errors import ConfigError, StepError
from evokd.testing.loopback import Body, Loopback, Said, error
from tests import parts
from tests.graph.test_run import Trial

PASSING = ("in-use", ".lock", "-wal", "-shm")
"""How names of files end that hold nothing, or what the file beside them holds too once it is closed."""


class World:
    """The same small run, left at several moments, another run, and how the undisturbed one ended."""

    def __init__(self, base: Path, server: Loopback) -> None:
        self.server, self.left, self.given = server, {}, {}
        self._leave(base, "finished", parts.answer)
        self.end = outcome(self.left["finished"])
        last = sum(parts.role_of(body) == "annotator" for body in server.requests)
        self._leave(base, "between", At(last, stops=True))
        self._leave(base, "failed", At(last, stops=False))
        server.script = parts.answer
        other = Trial(base / "other", server, seed=5)
        assert other.drive().how == "finished"
        self.other = other.folder.root

    def _leave(self, base: Path, moment: str, script: Callable[[Body], Said]) -> None:
        before, self.server.script = len(self.server.requests), script
        trial = Trial(base / moment, self.server)
        try:
            trial.drive()
        except StepError as told:
            assert moment == "failed", told
        self.left[moment], answered = trial.folder.root, self.server.requests[before:]
        self.given[moment] = _told(answered[:-1] if moment == "failed" else answered)

    def resumed(self, moment: str, folder: Path, damage: Callable[[Path], None]) -> str:
        """How a damaged copy goes on: `same`, or why it is refused. Anything else is an AssertionError."""
        shutil.copytree(self.left[moment], folder, symlinks=True)
        damage(folder)
        before, start = tree(folder), len(self.server.requests)
        try:
            how = drive(read_config(RunFolder(folder)), RunFolder(folder), lambda event: None)
        except ConfigError as why:
            changed = before ^ tree(folder)
            assert not changed and start == len(self.server.requests), f"changed {changed}, though refused: {why}"
            return str(why)
        paid = [*self.given[moment], *_told(self.server.requests[start:])]
        assert len(paid) == len(set(paid)), f"{len(paid) - len(set(paid))} calls are paid for twice"
        assert how.how == "finished" and outcome(folder) == self.end, "it ended otherwise"
        return "same"


class At:
    """At the n-th call of the annotator the run is asked to stop after the step, or the step fails."""

    def __init__(self, number: int, *, stops: bool) -> None:
        self._left, self._stops = number, stops

    def __call__(self, body: Body) -> Said:
        self._left -= parts.role_of(body) == "annotator"
        if self._left == 0 and not self._stops:
            return error(401, "wrong key")
        if self._left == 0:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        return parts.answer(body)


def outcome(folder: Path) -> tuple[Any, Any, Any]:
    """All that must be the same: the texts, the cycles without their times, and what the test set said."""
    rows = parts.rows(folder / "metrics.jsonl")
    told = [{name: each for name, each in row.items() if name not in ("seconds", "teacher")} for row in rows]
    assert (folder / "best" / "model.json").exists() and parts.rows(folder / "scored.jsonl")
    return parts.rows(folder / "samples.jsonl"), told, json.loads((folder / "result.json").read_text())


def tree(folder: Path) -> set[tuple[str, str]]:
    """Every file with its hash, every folder and link with what it is.

    Of the memory only that it is there: Chroma writes in its files when it is opened, whatever is asked of it.
    """
    inside, paths = folder / "memory", [path for path in folder.rglob("*") if not path.name.endswith(PASSING)]
    return {
        (path.relative_to(folder).as_posix(), "" if path.parent == inside else _content(path))
        for path in paths
        if inside not in path.parent.parents and not (path.parent == inside and path.is_dir())
    }


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"


def _told(requests: list[Body]) -> list[str]:
    return [json.dumps(request, sort_keys=True) for request in requests]


def delete(path: Path) -> None:
    """The part is gone."""
    path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)


def empty(path: Path) -> None:
    """The part is there, with nothing in it."""
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
    else:
        path.write_bytes(b"")


def halve(path: Path) -> None:
    """Of every file of the part half is left."""
    for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def exchange(path: Path, other: Path) -> None:
    """The part is that of another run."""
    delete(path)
    if other.is_symlink():
        path.symlink_to(other.resolve())
    elif other.is_dir():
        shutil.copytree(other, path, symlinks=True)
    elif other.exists():
        shutil.copy2(other, path)


def spoil(path: Path) -> None:
    """Bytes that are no text of any kind, as many as there were."""
    path.write_bytes(bytes((7 * number + 129) % 256 for number in range(max(64, path.stat().st_size))))


def retype(path: Path) -> None:
    """JSON, but of another type than anything EvoKD writes."""
    path.write_text('[1, "two", null]\n')


def obstruct(path: Path) -> None:
    """A folder in its place."""
    delete(path)
    path.mkdir()


def shorten(path: Path) -> None:
    """The last line is gone; each of the others is whole."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty": empty,
    "cut in half": halve,
    "a line less": shorten,
    "garbage": spoil,
    "another type": retype,
    "missing": delete,
    "a folder": obstruct,
}
"""What may become of a file."""


def damage(path: Path, how: str) -> None:
    """Do one of `DAMAGES` to a file; of a link to the link, not to what it leads to."""
    if path.is_symlink() and how != "missing":
        path.unlink()
        path.write_text("students/cycle-000\n")
    DAMAGES[how](path)
