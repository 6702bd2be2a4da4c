"""A student leaves whole or not at all, and no folder is touched that an export did not make."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evokd
from evokd.graph.exporting import export_student
from evokd.graph.prediction import Finished
from evokd.student.serving.parity import Parity, Trial
from evokd.tasks.base import Span
from evokd.tasks.errors import ConfigError, StepError
from evokd.testing import world

PARITY = Parity(difference=0.0, texts=0, megabytes=1.0, refused="there are no texts")
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "id2label": {"0": "food", "1": "money"},
    "evokd_max_length": 12,
}
Writing = Callable[..., Parity]


class Student:
    """Stands for one of ours."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Trial]:
    """What the writer of students was given; it writes one file."""
    trials: list[Trial] = []

    def write(student: Any, folder: Path, trial: Trial, show: Any) -> Parity:
        assert isinstance(student, Student)
        folder.mkdir()
        (folder / "model.safetensors").write_text(f"weights {len(trials)}")
        (folder / "config.json").write_text(json.dumps(CONFIG))
        trials.append(trial)
        show("writing")
        return PARITY

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evokd.student.transformer.TransformerStudent", Student)
    monkeypatch.setattr("evokd.student.serving.export.write_student", write)
    monkeypatch.setattr("evokd.graph.exporting.open_trained", lambda *given: Finished(Student()))  # type: ignore[arg-type]
    return trials


def leave(to: Path, model: str = "student") -> list[str]:
    steps: list[str] = []
    assert export_student(model, to, Path("runs"), steps.append) == PARITY
    return steps


def test_the_folder_has_figures_and_a_marker_and_is_replaced_by_the_next(seen: list[Trial], tmp_path: Path) -> None:
    to = tmp_path / "deep" / "out"
    assert leave(to) == ["writing"]
    written = ["README.md", "config.json", "model.safetensors", "parity.json"]  # no card of texts: it is of no run
    assert sorted(path.name for path in to.iterdir()) == sorted(["export.json", *written])
    assert json.loads((to / "export.json").read_text())["files"] == written
    assert "\n# out\n" in (to / "README.md").read_text()
    assert json.loads((to / "parity.json").read_text())["refused"] == "there are no texts"
    assert leave(to) and (to / "model.safetensors").read_text() == "weights 1"
    assert [path.name for path in to.parent.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(seen: list[Trial], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert leave(tmp_path / "out")


def test_what_an_export_did_not_make_is_not_touched(seen: list[Trial], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_text("mine")
    with pytest.raises(ConfigError, match=r"photos is not empty, and EvoKD did not make it .*another --to"):
        leave(tmp_path / "photos")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"file is not a folder\. .*another --to"):
        leave(tmp_path / "file")
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text('{"schema": 1, "id": "x"}')
    with pytest.raises(ConfigError, match="EvoKD did not make it"):
        leave(run)
    assert seen == [] and (tmp_path / "photos" / "one.jpg").read_text() == "mine"


def test_a_link_is_followed_not_replaced(seen: list[Trial], tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk", target_is_directory=True)
    leave(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "parity.json").exists()


@pytest.mark.parametrize("error", [StepError("torch cannot"), OSError("disk full"), KeyboardInterrupt()])
def test_an_export_that_fails_leaves_the_earlier_one(
    error: BaseException, seen: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path / "out")

    def fail(student: Any, folder: Path, trial: Trial, show: Any) -> Parity:
        folder.mkdir()
        (folder / "half").write_text("half")
        raise error

    monkeypatch.setattr("evokd.student.serving.export.write_student", fail)
    with pytest.raises(type(error)):
        leave(tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_text() == "weights 0"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_export_left_is_removed_by_the_next(seen: list[Trial], tmp_path: Path) -> None:
    (tmp_path / ".out.evokd-export").mkdir()
    (tmp_path / ".out.evokd-export" / "half").write_text("half")
    leave(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_that_was_killed_between_two_names_is_put_back(seen: list[Trial], tmp_path: Path) -> None:
    leave(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.evokd-replaced")

    with pytest.raises(ConfigError, match="no student"):
        export_student("student", tmp_path / "out", Path("runs"), lambda step: _refuse())
    assert (tmp_path / "out" / "model.safetensors").read_text() == "weights 0"


def _refuse() -> None:
    raise ConfigError("no student")


def test_the_texts_are_those_of_the_run_but_not_of_the_test(
    seen: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "mine"
    (run / "data").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    monkeypatch.setattr("evokd.graph.exporting.write_cards", lambda *given: None)
    rows = {
        "data/seed.jsonl": [{"text": "a seed", "label": "food"}],
        "data/dev.jsonl": [{"text": "a dev text", "label": "money"}],
        "data/test.jsonl": [{"text": "a test text", "label": "money"}],
        "data/pool.jsonl": [{"text": "a pool text"}, {"text": "kept"}],
        "samples.jsonl": [
            {"text": "a seed", "label": "money", "status": "kept", "reason": ""},
            {"text": "kept", "label": "food", "status": "kept", "reason": ""},
            {"text": "shelved", "label": "food", "status": "shelved", "reason": "gate"},
        ],
    }
    for name, own in rows.items():
        (run / name).write_text("".join(json.dumps(row) + "\n" for row in own))
    finished = Finished(Student(), world.task())  # type: ignore[arg-type]
    monkeypatch.setattr("evokd.graph.exporting.open_trained", lambda *given: finished)
    leave(tmp_path / "out", "mine")
    (trial,) = seen
    assert {*trial.choosing, *trial.judging} == {"a seed", "a dev text", "a pool text", "kept"}
    assert trial.gold == {"a seed": "food", "a dev text": "money", "kept": "food"}
    assert trial.points("food", "money") == (0.0, 1.0)


def test_spans_are_read_from_a_run() -> None:
    from evokd.graph.exporting import Sample

    row = {"text": "in Oslo", "label": [{"start": 3, "end": 7, "type": "LOC"}], "status": "kept", "reason": ""}
    assert Sample.model_validate(row).label == (Span(start=3, end=7, type="LOC"),)


def test_a_student_of_ones_own_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evokd.run(world.write("."), cycles=1)
    with pytest.raises(ConfigError, match="is one of your own") as caught:
        evokd.export("small", "out", allow=world.PARTS)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="is neither a run with a champion"):
        evokd.export("nowhere", "out")
