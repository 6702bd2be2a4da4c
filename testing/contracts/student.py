"""What every student must do, for each kind of label."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ...student.base import Student, Students
from ...tasks.base import Example, Label, Prediction, Span
from ...tasks.entities.tags import SpanPrediction
from .. import examples as known
from ..examples import LABELS


def _belief(prediction: Prediction) -> float:
    """The probability that the first word is about weather, or the text is."""
    if isinstance(prediction, SpanPrediction):
        return prediction.words[0].shares["B-weather"]
    return prediction.probabilities["weather"]


class AnyStudentContract:
    """What is asked of every student, whatever its labels are."""

    examples: Sequence[Example]
    """What it must be able to learn."""
    sun: Example
    """The text "sun", which is in none of them, with the label for weather."""

    def make(self, folder: Path) -> Students:
        """Your factory of students; `folder` is an empty one that it may use.

        Its labels are `evokd.testing.examples.LABELS`.
        """
        raise NotImplementedError("say in `make` how your students are made")

    @pytest.fixture(scope="class")
    @classmethod
    def students(cls, tmp_path_factory: pytest.TempPathFactory) -> Students:
        """The factory."""
        return cls().make(tmp_path_factory.mktemp("student"))

    @pytest.fixture(scope="class")
    @classmethod
    def student(cls, students: Students) -> Student:
        """One that has learnt; no test may teach it more."""
        made = students.new(seed=1)
        made.fit(cls.examples)
        return made

    @pytest.fixture
    def texts(self) -> list[str]:
        """The texts that it has learnt."""
        return [example.text for example in self.examples]

    def test_it_learns_what_it_is_shown(self, student: Student, texts: list[str]) -> None:
        assert [prediction.label for prediction in student.predict(texts)] == [
            example.label for example in self.examples
        ]

    def test_every_prediction_is_valid_and_has_a_row(self, student: Student, texts: list[str]) -> None:
        asked = [*texts, "", "never seen", "😀 中文"]
        for text, prediction in zip(asked, student.predict(asked), strict=True):
            assert type(prediction).model_validate(prediction.model_dump()) == prediction
            assert 0 <= prediction.probability <= 1 and 0 <= prediction.margin <= 1
            assert prediction.row(text)

    def test_a_prediction_does_not_depend_on_its_neighbours(self, student: Student, texts: list[str]) -> None:
        together = student.predict(texts)
        for text, prediction in zip(texts[:4], together, strict=False):
            (alone,) = student.predict([text])
            assert alone.label == prediction.label and alone.probability == pytest.approx(
                prediction.probability, abs=1e-5
            )
            assert alone.probabilities == pytest.approx(prediction.probabilities, abs=1e-5)
        assert student.predict([]) == []

    def test_the_same_seed_and_examples_give_the_same_student(self, students: Students, texts: list[str]) -> None:
        one, two = students.new(seed=4), students.new(seed=4)
        one.fit(self.examples)
        two.fit(self.examples)
        assert one.predict(texts) == two.predict(texts)

    def test_the_mean_of_several_fits_is_a_student_and_of_equal_ones_the_same(
        self, students: Students, texts: list[str], tmp_path: Path
    ) -> None:
        fits = [students.new(seed) for seed in (4, 4, 5)]
        for fit in fits:
            fit.fit(self.examples)
        one, same, other = fits
        before = one.predict(texts)
        one.average([same])
        assert [p.label for p in one.predict(texts)] == [p.label for p in before]
        assert [p.probability for p in one.predict(texts)] == pytest.approx([p.probability for p in before], abs=1e-6)
        one.average([same, other])
        assert [p.label for p in one.predict(texts)] == [example.label for example in self.examples]
        (tmp_path / "students").mkdir()
        one.save(tmp_path / "students" / "mean")
        assert students.load(tmp_path / "students" / "mean").predict(texts) == one.predict(texts)

    def test_imitated_texts_are_learnt_like_examples(self, students: Students, texts: list[str]) -> None:
        without, apart, together = (students.new(seed=0) for _ in range(3))
        without.fit(self.examples)
        apart.fit(self.examples, imitated=[self.sun] * 4)
        together.fit([*self.examples, *[self.sun] * 4])
        assert apart.predict([*texts, "sun"]) == together.predict([*texts, "sun"])
        assert _belief(apart.predict(["sun"])[0]) > _belief(without.predict(["sun"])[0])

    def test_balance_changes_nothing_where_classes_have_as_many_texts_or_a_text_has_no_single_one(
        self, students: Students, texts: list[str]
    ) -> None:
        examples = self.examples if isinstance(self.sun.label, str) else [*self.examples, *[self.sun] * 4]
        plain, balanced = students.new(seed=0), students.new(seed=0)
        plain.fit(examples)
        balanced.fit(examples, balance=True)
        assert plain.predict(texts) == balanced.predict(texts)

    def test_one_example_is_enough_to_run(self, students: Students) -> None:
        made = students.new(seed=0)
        made.fit(self.examples[:1])
        assert len(made.predict(["rain"])) == 1

    def test_held_out_examples_may_set_thresholds_and_teach_nothing(self, students: Students) -> None:
        made = students.new(seed=0)
        made.fit(self.examples[:12])
        before = made.predict(["rain"])[0]
        made.calibrate(self.examples)
        assert made.predict(["rain"])[0].probabilities == before.probabilities

    def test_it_comes_back_from_disk_as_it_was(
        self, students: Students, student: Student, texts: list[str], tmp_path: Path
    ) -> None:
        for _ in range(2):
            student.save(tmp_path / "saved")
            assert students.load(tmp_path / "saved").predict(texts) == student.predict(texts)

    def test_a_loaded_student_goes_on_learning(
        self, students: Students, student: Student, texts: list[str], tmp_path: Path
    ) -> None:
        student.save(tmp_path / "saved")
        new = [self.sun] * 4
        results: list[list[Prediction]] = []
        for _ in range(2):
            again = students.load(tmp_path / "saved", seed=2)
            before = _belief(again.predict(["sun"])[0])
            again.fit([*self.examples, *new])
            results.append(again.predict([*texts, "sun"]))
            assert _belief(results[-1][-1]) > before
        assert results[0] == results[1]

    def test_a_save_that_fails_leaves_nothing_that_looks_whole(
        self, student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moves = {(module, name): getattr(module, name) for module in (os, Path) for name in ("rename", "replace")}

        def killed(move: Callable[..., Any]) -> Callable[..., Any]:
            def moved(source: Any, target: Any, **more: Any) -> Any:
                if Path(target) == tmp_path / "saved":
                    raise KeyboardInterrupt
                return move(source, target, **more)

            return moved

        for (module, name), move in moves.items():
            monkeypatch.setattr(module, name, killed(move))
        with pytest.raises(KeyboardInterrupt):
            student.save(tmp_path / "saved")
        assert not (tmp_path / "saved").exists()

    def test_progress_ends_with_all_done(self, students: Students) -> None:
        seen: list[tuple[int, int]] = []
        students.new(seed=0).fit(self.examples, lambda done, total: seen.append((done, total)))
        assert seen and seen[-1][0] == seen[-1][1]
        assert seen == sorted(seen) and len({total for _, total in seen}) == 1


class ProbableStudentContract(AnyStudentContract):
    """What is asked of a student with one probability for each label, which soft labels can teach."""

    def test_soft_labels_count_by_their_shares(self, students: Students) -> None:
        weather = self.sun.label
        music: Label = "music" if isinstance(weather, str) else ("music",)
        half = [Example(text="rain", label=weather, soft={"music": 0.5, "weather": 0.5})] * 4
        sure = [Example(text="rain", label=weather, soft={"music": 0.0, "weather": 1.0})] * 4
        song = [Example(text="play the song", label=music, soft={"music": 1.0, "weather": 0.0})] * 4
        unsure, certain = students.new(seed=0), students.new(seed=0)
        unsure.fit(half + song)
        certain.fit(sure + song)
        assert (
            unsure.predict(["rain"])[0].probabilities["weather"] < certain.predict(["rain"])[0].probabilities["weather"]
        )


class StudentContract(ProbableStudentContract):
    """What every student must do that learns one label a text. Subclass it, say in `make` how yours are made.

    Examples:
        >>> class TestMine(StudentContract):
        ...     def make(self, folder):
        ...         return MyStudents(StudentSettings(), LABELS, "sequence")
    """

    examples = known.examples()
    sun = Example(text="sun", label="weather")

    def test_probabilities_are_over_all_labels_and_sum_to_one(self, student: Student, texts: list[str]) -> None:
        for prediction in student.predict([*texts, "", "never seen", "😀 中文"]):
            assert tuple(prediction.probabilities) == LABELS
            assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
            assert isinstance(prediction.label, str)
            assert prediction.probability == prediction.probabilities[prediction.label]
            assert prediction.probability == max(prediction.probabilities.values())

    def test_a_class_of_few_texts_counts_as_much_as_the_others_where_that_is_asked(self, students: Students) -> None:
        few = [next(example for example in self.examples if example.label == "weather")]
        many = [example for example in self.examples if example.label == "music"]
        beliefs = []
        for balance in (False, True):
            made = students.new(seed=0)
            made.fit([*many, *few], balance=balance)
            beliefs.append(_belief(made.predict([few[0].text])[0]))
        assert beliefs[0] < beliefs[1]

    def test_a_label_without_examples_is_still_predicted_with_a_probability(self, students: Students) -> None:
        made = students.new(seed=0)
        made.fit([example for example in self.examples if example.label == "music"])
        (prediction,) = made.predict(["play the song"])
        assert prediction.label == "music" and 0 < prediction.probabilities["weather"] < 0.5


class MultilabelStudentContract(ProbableStudentContract):
    """What every student must do that learns any number of labels a text."""

    examples = known.label_sets()
    sun = Example(text="sun", label=("weather",))


class TokenStudentContract(AnyStudentContract):
    """What every student must do that learns entities."""

    examples = known.span_examples()
    sun = Example(text="sun", label=(Span(start=0, end=3, type="weather"),))
