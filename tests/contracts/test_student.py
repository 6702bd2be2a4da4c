"""What every `Student` must do; add your own factory to `STUDENTS` and it runs against that."""

from collections.abc import Callable
from pathlib import Path

import pytest

from student.base import Student, Students
from student.settings import StudentSettings
from student.transformer import TransformerStudents
from tasks.base import Example
from tests.fake_student import WordStudents
from tests.student import tiny

LABELS = ("music", "weather")


def transformers(folder: Path) -> Students:
    encoder = str(tiny.encoder(folder / "encoder"))
    return TransformerStudents(StudentSettings(model=encoder, epochs=1, min_steps=8, batch_size=24), LABELS)


STUDENTS: dict[str, Callable[[Path], Students]] = {
    "transformer": transformers,
    "words": lambda folder: WordStudents(LABELS),
}
"""Factories of students that learn `LABELS`, given an empty folder."""

EXAMPLES = tiny.examples()
TEXTS = [example.text for example in EXAMPLES]


@pytest.fixture(params=STUDENTS, scope="module")
def students(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Students:
    return STUDENTS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def student(students: Students) -> Student:
    """One that has learnt; no test may teach it more."""
    made = students.new(seed=1)
    made.fit(EXAMPLES)
    return made


def test_it_learns_what_it_is_shown(student: Student) -> None:
    assert [prediction.label for prediction in student.predict(TEXTS)] == [example.label for example in EXAMPLES]


def test_probabilities_are_over_all_labels_and_sum_to_one(student: Student) -> None:
    for prediction in student.predict([*TEXTS, "", "never seen", "😀 中文"]):
        assert tuple(prediction.probabilities) == LABELS
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert prediction.probability == prediction.probabilities[prediction.label]
        assert prediction.probability == max(prediction.probabilities.values())


def test_a_prediction_does_not_depend_on_its_neighbours(student: Student) -> None:
    together = student.predict(TEXTS)
    for text, prediction in zip(TEXTS[:3], together, strict=False):
        assert student.predict([text])[0].probabilities == pytest.approx(prediction.probabilities, abs=1e-5)
    assert student.predict([]) == []


def test_the_same_seed_and_examples_give_the_same_student(students: Students) -> None:
    one, two = students.new(seed=4), students.new(seed=4)
    one.fit(EXAMPLES)
    two.fit(EXAMPLES)
    assert one.predict(TEXTS) == two.predict(TEXTS)


def test_soft_labels_count_by_their_shares(students: Students) -> None:
    half = [Example(text="rain", label="weather", soft={"music": 0.5, "weather": 0.5})] * 4
    sure = [Example(text="rain", label="weather", soft={"music": 0.0, "weather": 1.0})] * 4
    song = [Example(text="play the song", label="music", soft={"music": 1.0, "weather": 0.0})] * 4
    unsure, certain = students.new(seed=0), students.new(seed=0)
    unsure.fit(half + song)
    certain.fit(sure + song)
    assert unsure.predict(["rain"])[0].probabilities["weather"] < certain.predict(["rain"])[0].probabilities["weather"]


def test_a_label_without_examples_is_still_predicted_with_a_probability(students: Students) -> None:
    made = students.new(seed=0)
    made.fit([example for example in EXAMPLES if example.label == "music"])
    (prediction,) = made.predict(["play the song"])
    assert prediction.label == "music" and 0 < prediction.probabilities["weather"] < 0.5


def test_one_example_is_enough_to_run(students: Students) -> None:
    made = students.new(seed=0)
    made.fit(EXAMPLES[:1])
    assert len(made.predict(["rain"])) == 1


def test_it_comes_back_from_disk_as_it_was(students: Students, student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "saved")
    assert students.load(tmp_path / "saved").predict(TEXTS) == student.predict(TEXTS)
    student.save(tmp_path / "saved")
    assert students.load(tmp_path / "saved").predict(TEXTS) == student.predict(TEXTS)


def test_a_loaded_student_goes_on_learning(students: Students, student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "saved")
    new = [Example(text=text, label="weather") for text in ("sun today", "the sun", "sun sun", "will sun")]
    results = []
    for _ in range(2):
        again = students.load(tmp_path / "saved", seed=2)
        before = again.predict(["sun"])[0].probabilities["weather"]
        again.fit([*EXAMPLES, *new])
        results.append(again.predict([*TEXTS, "sun"]))
        assert results[-1][-1].probabilities["weather"] > before
    assert results[0] == results[1]


def test_a_save_that_fails_leaves_nothing_that_looks_whole(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        student.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_progress_ends_with_all_done(students: Students) -> None:
    seen: list[tuple[int, int]] = []
    students.new(seed=0).fit(EXAMPLES, lambda done, total: seen.append((done, total)))
    assert seen and seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen) and len({total for _, total in seen}) == 1
