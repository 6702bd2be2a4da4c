"""One cell of a comparison: what it leaves behind, and what it is allowed."""

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from evokd.comparison import worker as cell
from evokd.comparison.cells import prepare
from evokd.comparison.worker import Notes, drive_cell, is_at_work
from evokd.graph.config.run_config import RunConfig
from evokd.graph.run import Outcome
from evokd.memory.run_folder import RunFolder
from evokd.tasks.errors import BudgetExhausted, ConfigError, StepError
from evokd.teacher.settings import BudgetSettings
from tests.comparison.comparisons import read, spec
from tests.snapshots import snapshot

LIMITS = BudgetSettings(max_calls=7)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A cell that is made, in a process whose parent lives for ever."""
    monkeypatch.setattr(cell, "_end_with_the_parent", lambda: None)
    found = spec(tmp_path, random_seeds=[0], set={"budget.max_calls": 1000})
    prepare(found, tmp_path / "out")
    return RunFolder(tmp_path / "out" / "cells" / found.cells[0].name)


@pytest.mark.parametrize(
    ("end", "left", "code"),
    [
        (Outcome("finished", "all done"), ("finished", "all done"), 0),
        (Outcome("budget", "max_calls"), ("budget", "max_calls"), 0),
        (Outcome("interrupted", "as asked"), ("interrupted", "as asked"), 75),
        (StepError("the step"), ("failed", "the step"), 1),
        (ConfigError("the key"), ("failed", "the key"), 2),
        (OSError("full"), ("failed", "full"), 1),
        (BudgetExhausted("early"), ("failed", "early"), 1),
    ],
)
def test_it_leaves_how_it_ended(
    end: Any, left: tuple[str, str], code: int, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drive(*given: Any) -> Outcome:
        assert is_at_work(folder), "the lock is held while it runs"
        for student in ("cycle-000", "cycle-001"):
            (folder.root / "students" / student).mkdir(parents=True)
        folder.crown("students/cycle-001")
        if isinstance(end, Exception):
            raise end
        assert isinstance(end, Outcome)
        return end

    monkeypatch.setattr(cell, "drive", drive)
    assert drive_cell(folder, LIMITS, Path("a.sqlite")) == code
    assert read(folder.root / "outcome.json") == {"how": left[0], "why": left[1]}
    assert not is_at_work(folder)
    needed = {"cycle-001"} if left[0] == "finished" else {"cycle-000", "cycle-001"}
    assert {path.name for path in (folder.root / "students").iterdir()} == needed, "what goes on needs its students"


@pytest.mark.parametrize("own", [None, "/tmp/mine.sqlite"])
def test_it_runs_within_its_share_and_with_the_shared_answers(
    own: str | None, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[RunConfig] = []

    def drive(config: RunConfig, *rest: Any) -> Outcome:
        given.append(config)
        return Outcome("budget", "")

    monkeypatch.setattr(cell, "drive", drive)
    path, text = folder.root / "config.toml", (folder.root / "config.toml").read_text()
    if own:
        path.write_text(text.replace("[teacher]\n", f'[teacher]\ncache = "{own}"\n'))
    drive_cell(folder, LIMITS, Path("shared.sqlite"))
    [config] = given
    assert (config.budget, config.teacher.cache) == (LIMITS, own or "shared.sqlite")
    assert own or path.read_text() == text, "what the cell is stays written as it was"


def test_two_processes_do_not_run_one_cell(folder: RunFolder) -> None:
    with FileLock(folder.root / "at-work"), pytest.raises(ConfigError, match="another process is at work on"):
        drive_cell(folder, LIMITS, Path("a.sqlite"))
    assert not (folder.root / "outcome.json").exists()


def test_a_folder_that_is_not_ours_is_no_cell(tmp_path: Path) -> None:
    (tmp_path / "at-work").write_text("theirs")
    with pytest.raises(ConfigError, match="was not made by `evokd run`"):
        drive_cell(RunFolder(tmp_path), LIMITS, tmp_path / "a.sqlite")
    assert snapshot(tmp_path) == {"at-work": b"theirs"}


def test_a_cell_that_was_never_made_is_not_at_work(tmp_path: Path) -> None:
    assert not is_at_work(RunFolder(tmp_path / "nothing")) and not (tmp_path / "nothing").exists()


def test_notes_are_the_latest_step_but_not_every_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.5, 11.5])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    notes, path = Notes(RunFolder(tmp_path)), tmp_path / "progress.json"
    notes({"step": "trainer", "done": 1})
    notes({"step": "trainer", "done": 2})
    assert json.loads(path.read_text())["done"] == 1
    notes({"step": "trainer", "done": 3})
    assert json.loads(path.read_text())["done"] == 3
