"""Our students and their fakes do what every student must."""

from pathlib import Path

import pytest

from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents
from evokd.testing import (
    MultilabelStudentContract,
    StudentContract,
    TokenStudentContract,
    WordLabelsStudent,
    WordSpansStudent,
    WordStudents,
)
from evokd.testing.examples import LABELS
from tests.student import tiny


def transformers(folder: Path, head: str, **given: float) -> TransformerStudents:
    recipe = {"model": str(tiny.encoder(folder / "encoder")), "epochs": 1, "min_steps": 8, "batch_size": 24}
    return TransformerStudents(StudentSettings.model_validate(recipe | given), LABELS, head)


class TestTransformer(StudentContract):
    def make(self, folder: Path) -> TransformerStudents:
        return transformers(folder, "sequence")


@pytest.mark.slow  # the networks of the other heads differ from the first in their heads alone
class TestTransformerOfSeveralLabels(MultilabelStudentContract):
    def make(self, folder: Path) -> TransformerStudents:
        return transformers(folder, "multilabel")


@pytest.mark.slow
class TestTransformerOfEntities(TokenStudentContract):
    def make(self, folder: Path) -> TransformerStudents:
        return transformers(folder, "token", **tiny.SPAN_RECIPE)


class TestWords(StudentContract):
    def make(self, folder: Path) -> WordStudents:
        return WordStudents(LABELS)


class TestWordsOfSeveralLabels(MultilabelStudentContract):
    def make(self, folder: Path) -> WordStudents:
        return WordStudents(LABELS, WordLabelsStudent)


class TestWordsOfEntities(TokenStudentContract):
    def make(self, folder: Path) -> WordStudents:
        return WordStudents(LABELS, WordSpansStudent)
