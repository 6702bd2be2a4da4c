"""What the best student's confidence is worth is found on texts that were not learnt, once, and survives a kill."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.base import Services
from evokd.agents.trainer import calibration, out_of_fold
from evokd.agents.trainer.agent import Trainer
from evokd.agents.trainer.calibration import Calibration, calibrate
from evokd.agents.trainer.out_of_fold import FOLDS
from evokd.student.serving.confidence import NAME, TEMPERATURE, Confidence, read_confidence
from evokd.tasks.base import Example
from evokd.testing import WordSpansStudent, WordStudents, settled, world
from tests.agents.acting import WatchedStudents, finished


def trained(folder: Path, students: Any = None, texts: int = 40, dev: int = 0) -> Services:
    """A run that is over, with texts of the teacher and rows of the user."""
    rng = world.random.Random(3)
    made = {world.make_text(label, rng): label for _ in range(texts // 4) for label in world.VOCABULARY}
    services = finished(folder, {}, made)
    rows = [(world.make_text(label, rng), label) for _ in range(dev // 4) for label in world.VOCABULARY]
    services.memory.remember(Example(text=text, label=label, split="dev") for text, label in rows)
    return dataclasses.replace(services, students=students or services.students)


def best(folder: Path) -> Confidence:
    return read_confidence((folder / "best").resolve())


def test_training_texts_are_answered_by_students_that_have_not_learnt_them(tmp_path: Path) -> None:
    students = WatchedStudents(list(world.VOCABULARY))
    services = trained(tmp_path, students)
    calibrate(services, tmp_path / "students" / "cycle-001", Trainer())
    fits = [student for student in students.made if student.learnt]
    asked = [student for student in students.made if len(student.asked) > 1]
    texts = {example.text for split in ("seed", "train") for example in services.memory.samples(split)}  # type: ignore[arg-type]
    assert len(fits) == FOLDS and all(fit.balance for fit in fits)
    assert sorted(text for student in asked for text in student.asked) == sorted(texts)
    for fit, answering in zip(fits, asked, strict=True):
        assert not set(fit.learnt) & set(answering.asked) and set(fit.learnt) | set(answering.asked) == texts
        assert {world.true_label(text) for text in answering.asked} == set(world.VOCABULARY)
    found = best(tmp_path)
    assert found.source == "out of fold" and len(found.right) == 44 and found.of_label == ()
    assert list(found.confidences) == sorted(found.confidences, reverse=True)
    assert [path.name for path in (tmp_path / "students").iterdir() if path.name.startswith(".")] == []


def test_enough_rows_of_the_users_own_are_asked_instead_and_nothing_is_fitted(tmp_path: Path) -> None:
    students = WatchedStudents(list(world.VOCABULARY))
    services = trained(tmp_path, students, dev=200)
    calibrate(services, tmp_path / "students" / "cycle-001", Trainer())
    assert not any(student.learnt for student in students.made)
    found = best(tmp_path)
    rows = services.memory.samples("dev")
    assert found.source == "dev" and len(found.right) == len(found.of_label) == len(rows) >= calibration.ENOUGH
    raw = services.students.load(tmp_path / "best").predict([row.text for row in rows])
    assert found.of_label == tuple(p.probabilities[str(r.label)] for p, r in zip(raw, rows, strict=True))
    assert sum(found.right) == sum(p.label == r.label for p, r in zip(raw, rows, strict=True))


def test_the_step_may_run_twice_and_does_nothing_without_a_student(tmp_path: Path) -> None:
    services = trained(tmp_path)
    assert settled(Calibration(Trainer()), world.state(champion="students/cycle-001"), services) == {}
    assert best(tmp_path).temperature != 1.0
    empty = world.services(tmp_path / "empty")
    settled(Calibration(Trainer()), world.state(), empty)


def test_the_last_student_says_its_temperature_in_config_json_too(tmp_path: Path) -> None:
    services = trained(tmp_path)
    for name in ("cycle-001", "final-001"):
        folder = tmp_path / "students" / name
        if name == "final-001":
            services.students.load(tmp_path / "students" / "cycle-001").save(folder)
        (folder / "config.json").write_text('{"model_type": "bert"}')
        calibrate(services, folder, Trainer())
        said = json.loads((folder / "config.json").read_text())
        assert said.get(TEMPERATURE) == (read_confidence(folder).temperature if name == "final-001" else None)


def test_a_kill_between_two_fits_costs_only_the_fit_it_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(tmp_path / "whole")
    calibrate(whole, tmp_path / "whole" / "students" / "cycle-001", Trainer())
    services = trained(tmp_path / "killed")
    folder, new = tmp_path / "killed" / "students" / "cycle-001", WordStudents.new

    def killed(self: WordStudents, seed: int) -> Any:
        if self.fitted == 4:  # two of the run's, two of ours
            raise KeyboardInterrupt
        return new(self, seed)

    monkeypatch.setattr(WordStudents, "new", killed)
    with pytest.raises(KeyboardInterrupt):
        calibrate(services, folder, Trainer())
    assert not (folder / NAME).exists()
    monkeypatch.setattr(WordStudents, "new", new)
    calibrate(services, folder, Trainer())
    assert services.students.fitted == 2 + FOLDS  # type: ignore[attr-defined]
    assert best(tmp_path / "killed") == best(tmp_path / "whole")
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


def test_a_kill_before_the_fits_are_removed_leaves_them_to_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, folder = trained(tmp_path), tmp_path / "students" / "cycle-001"

    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "drop_fits", killed)
    with pytest.raises(KeyboardInterrupt):
        calibrate(services, folder, Trainer())
    before = (folder / NAME).read_bytes()
    monkeypatch.setattr(calibration, "drop_fits", out_of_fold.drop_fits)
    calibrate(services, folder, Trainer())
    assert (folder / NAME).read_bytes() == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(("texts", "trainer"), [(8, Trainer()), (40, Trainer(last_members=0))])
def test_few_texts_or_a_recipe_without_a_last_training_leave_probabilities_as_they_are(
    texts: int, trainer: Trainer, tmp_path: Path
) -> None:
    services = trained(tmp_path, texts=texts)
    calibrate(services, tmp_path / "students" / "cycle-001", trainer)
    assert best(tmp_path) == Confidence() and services.students.fitted == 2  # type: ignore[attr-defined]


def test_a_trainer_of_ones_own_that_leaves_texts_out_leaves_them_out_here(tmp_path: Path) -> None:
    class Short(Trainer):
        def select_texts(self, services: Services, examples: Sequence[Example]) -> list[Example]:
            return list(examples)[:30]

    calibrate(trained(tmp_path), tmp_path / "students" / "cycle-001", Short())
    assert len(best(tmp_path).right) == 30


def test_entities_are_left_as_they_are(tmp_path: Path) -> None:
    students = WordStudents(list(world.VOCABULARY), WordSpansStudent)
    calibrate(trained(tmp_path, students), tmp_path / "students" / "cycle-001", Trainer())
    assert best(tmp_path) == Confidence() and students.fitted == 0
