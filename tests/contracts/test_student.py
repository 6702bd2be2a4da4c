"""What every `Student` must do; add your own factory to `STUDENTS` and it runs against that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from evokd.student.base import Student, Students
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents
from evokd.tasks.base import Example, Prediction, Span
from evokd.tasks.entities.tags import SpanPrediction
from tests.fake_student import WordLabelsStudent, WordSpansStudent, WordStudents
from tests.student import tiny

LABELS = ("music", "weather")


@dataclass(frozen=True)
class Kind:
    """A kind of label: examples that can be learnt, and a label that the text "sun" has in none of them."""

    examples: list[Example]
    sun: Example


SEQUENCE = Kind(tiny.examples(), Example(text="sun", label="weather"))
MULTILABEL = Kind(tiny.label_sets(), Example(text="sun", label=("weather",)))
TOKEN = Kind(tiny.span_examples(), Example(text="sun", label=(Span(start=0, end=3, type="weather"),)))


def transformers(head: str, **given: float) -> Callable[[Path], Students]:
    def made(folder: Path) -> Students:
        settings = {
            "model": str(tiny.encoder(folder / "encoder")),
            "epochs": 1,
            "min_steps": 8,
            "batch_size": 24,
        } | given
        return TransformerStudents(StudentSettings.model_validate(settings), LABELS, head)

    return made


STUDENTS: dict[str, tuple[Kind, Callable[[Path], Students]]] = {
    "transformer": (SEQUENCE, transformers("sequence")),
    "transformer, several labels": (MULTILABEL, transformers("multilabel")),
    "transformer, entities": (TOKEN, transformers("token", **tiny.SPAN_RECIPE)),
    "words": (SEQUENCE, lambda folder: WordStudents(LABELS)),
    "words, several labels": (MULTILABEL, lambda folder: WordStudents(LABELS, WordLabelsStudent)),
    "words, entities": (TOKEN, lambda folder: WordStudents(LABELS, WordSpansStudent)),
}
"""Factories of students that learn `LABELS`, given an empty folder, and what they learn."""

CLOSED = [name for name, (kind, _) in STUDENTS.items() if kind is SEQUENCE]
PROBABLE = [name for name, (kind, _) in STUDENTS.items() if kind is not TOKEN]


SLOW = ("transformer, entities", "transformer, several labels")
"""What runs with the slow tests: the networks of the other heads differ from the first in their heads alone."""


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in STUDENTS], scope="module"
)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def kind(name: str) -> Kind:
    return STUDENTS[name][0]


@pytest.fixture(scope="module")
def texts(kind: Kind) -> list[str]:
    return [example.text for example in kind.examples]


@pytest.fixture(scope="module")
def students(name: str, tmp_path_factory: pytest.TempPathFactory) -> Students:
    return STUDENTS[name][1](tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def student(students: Students, kind: Kind) -> Student:
    """One that has learnt; no test may teach it more."""
    made = students.new(seed=1)
    made.fit(kind.examples)
    return made


def test_it_learns_what_it_is_shown(student: Student, kind: Kind, texts: list[str]) -> None:
    assert [prediction.label for prediction in student.predict(texts)] == [example.label for example in kind.examples]


def test_every_prediction_is_valid_and_has_a_row(student: Student, texts: list[str]) -> None:
    asked = [*texts, "", "never seen", "😀 中文"]
    for text, prediction in zip(asked, student.predict(asked), strict=True):
        assert type(prediction).model_validate(prediction.model_dump()) == prediction
        assert 0 <= prediction.probability <= 1 and 0 <= prediction.margin <= 1
        assert prediction.row(text)


@pytest.mark.parametrize("name", CLOSED, indirect=True, scope="module")
def test_probabilities_are_over_all_labels_and_sum_to_one(student: Student, texts: list[str]) -> None:
    for prediction in student.predict([*texts, "", "never seen", "😀 中文"]):
        assert tuple(prediction.probabilities) == LABELS
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert isinstance(prediction.label, str)
        assert prediction.probability == prediction.probabilities[prediction.label]
        assert prediction.probability == max(prediction.probabilities.values())


def test_a_prediction_does_not_depend_on_its_neighbours(student: Student, texts: list[str]) -> None:
    together = student.predict(texts)
    for text, prediction in zip(texts[:4], together, strict=False):
        (alone,) = student.predict([text])
        assert alone.label == prediction.label and alone.probability == pytest.approx(prediction.probability, abs=1e-5)
        assert alone.probabilities == pytest.approx(prediction.probabilities, abs=1e-5)
    assert student.predict([]) == []


def test_the_same_seed_and_examples_give_the_same_student(students: Students, kind: Kind, texts: list[str]) -> None:
    one, two = students.new(seed=4), students.new(seed=4)
    one.fit(kind.examples)
    two.fit(kind.examples)
    assert one.predict(texts) == two.predict(texts)


def test_the_mean_of_several_fits_is_a_student_and_of_equal_ones_the_same(
    students: Students, kind: Kind, texts: list[str], tmp_path: Path
) -> None:
    fits = [students.new(seed) for seed in (4, 4, 5)]
    for fit in fits:
        fit.fit(kind.examples)
    one, same, other = fits
    before = one.predict(texts)
    one.average([same])
    assert [p.label for p in one.predict(texts)] == [p.label for p in before]
    assert [p.probability for p in one.predict(texts)] == pytest.approx([p.probability for p in before], abs=1e-6)
    one.average([same, other])
    assert [p.label for p in one.predict(texts)] == [example.label for example in kind.examples]
    (tmp_path / "students").mkdir()
    one.save(tmp_path / "students" / "mean")
    assert students.load(tmp_path / "students" / "mean").predict(texts) == one.predict(texts)


@pytest.mark.parametrize("name", PROBABLE, indirect=True, scope="module")
def test_soft_labels_count_by_their_shares(students: Students, kind: Kind) -> None:
    weather, music = ("weather", "music") if kind is SEQUENCE else (("weather",), ("music",))
    half = [Example(text="rain", label=weather, soft={"music": 0.5, "weather": 0.5})] * 4
    sure = [Example(text="rain", label=weather, soft={"music": 0.0, "weather": 1.0})] * 4
    song = [Example(text="play the song", label=music, soft={"music": 1.0, "weather": 0.0})] * 4
    unsure, certain = students.new(seed=0), students.new(seed=0)
    unsure.fit(half + song)
    certain.fit(sure + song)
    assert unsure.predict(["rain"])[0].probabilities["weather"] < certain.predict(["rain"])[0].probabilities["weather"]


def test_imitated_texts_are_learnt_like_examples(students: Students, kind: Kind, texts: list[str]) -> None:
    without, apart, together = (students.new(seed=0) for _ in range(3))
    without.fit(kind.examples)
    apart.fit(kind.examples, imitated=[kind.sun] * 4)
    together.fit([*kind.examples, *[kind.sun] * 4])
    assert apart.predict([*texts, "sun"]) == together.predict([*texts, "sun"])
    assert _belief(apart.predict(["sun"])[0]) > _belief(without.predict(["sun"])[0])


@pytest.mark.parametrize("name", CLOSED, indirect=True, scope="module")
def test_a_class_of_few_texts_counts_as_much_as_the_others_where_that_is_asked(students: Students, kind: Kind) -> None:
    few = [next(example for example in kind.examples if example.label == "weather")]
    many = [example for example in kind.examples if example.label == "music"]
    beliefs = []
    for balance in (False, True):
        made = students.new(seed=0)
        made.fit([*many, *few], balance=balance)
        beliefs.append(_belief(made.predict([few[0].text])[0]))
    assert beliefs[0] < beliefs[1]


def test_balance_changes_nothing_where_classes_have_as_many_texts_or_a_text_has_no_single_one(
    students: Students, kind: Kind, texts: list[str]
) -> None:
    examples = kind.examples if kind is SEQUENCE else [*kind.examples, *[kind.sun] * 4]
    plain, balanced = students.new(seed=0), students.new(seed=0)
    plain.fit(examples)
    balanced.fit(examples, balance=True)
    assert plain.predict(texts) == balanced.predict(texts)


@pytest.mark.parametrize("name", CLOSED, indirect=True, scope="module")
def test_a_label_without_examples_is_still_predicted_with_a_probability(students: Students, kind: Kind) -> None:
    made = students.new(seed=0)
    made.fit([example for example in kind.examples if example.label == "music"])
    (prediction,) = made.predict(["play the song"])
    assert prediction.label == "music" and 0 < prediction.probabilities["weather"] < 0.5


def test_one_example_is_enough_to_run(students: Students, kind: Kind) -> None:
    made = students.new(seed=0)
    made.fit(kind.examples[:1])
    assert len(made.predict(["rain"])) == 1


def test_held_out_examples_may_set_thresholds_and_teach_nothing(students: Students, kind: Kind) -> None:
    made = students.new(seed=0)
    made.fit(kind.examples[:12])
    before = made.predict(["rain"])[0]
    made.calibrate(kind.examples)
    assert made.predict(["rain"])[0].probabilities == before.probabilities


def test_it_comes_back_from_disk_as_it_was(
    students: Students, student: Student, texts: list[str], tmp_path: Path
) -> None:
    for _ in range(2):
        student.save(tmp_path / "saved")
        assert students.load(tmp_path / "saved").predict(texts) == student.predict(texts)


def test_a_loaded_student_goes_on_learning(
    students: Students, student: Student, kind: Kind, texts: list[str], tmp_path: Path
) -> None:
    student.save(tmp_path / "saved")
    new = [kind.sun] * 4
    results: list[list[Prediction]] = []
    for _ in range(2):
        again = students.load(tmp_path / "saved", seed=2)
        before = _belief(again.predict(["sun"])[0])
        again.fit([*kind.examples, *new])
        results.append(again.predict([*texts, "sun"]))
        assert _belief(results[-1][-1]) > before
    assert results[0] == results[1]


def _belief(prediction: Prediction) -> float:
    """The probability that the first word is about weather, or the text is."""
    if isinstance(prediction, SpanPrediction):
        return prediction.words[0].shares["B-weather"]
    return prediction.probabilities["weather"]


def test_a_save_that_fails_leaves_nothing_that_looks_whole(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        student.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_progress_ends_with_all_done(students: Students, kind: Kind) -> None:
    seen: list[tuple[int, int]] = []
    students.new(seed=0).fit(kind.examples, lambda done, total: seen.append((done, total)))
    assert seen and seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen) and len({total for _, total in seen}) == 1
