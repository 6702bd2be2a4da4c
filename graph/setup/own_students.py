"""Students of the user's own: the folder that one is saved in says what it is, so that it needs no run."""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...student.base import Progress, Student, Students
from ...tasks.base import Example, Prediction
from ...tasks.errors import ConfigError
from ...tasks.files import write_text
from ..config.sections import StudentSection

NAME = "student.json"
"""In a student's folder: what its factory was built with."""


@dataclass(frozen=True)
class DescribedStudents:
    """A factory of the user's own; what its students save is described."""

    own: Students
    settings: StudentSection
    labels: tuple[str, ...]
    head: str

    def new(self, seed: int) -> "DescribedStudent":
        """A fresh student."""
        return DescribedStudent(self.own.new(seed), self)

    def load(self, folder: Path, seed: int = 0) -> "DescribedStudent":
        """The student saved in `folder`."""
        return DescribedStudent(self.own.load(folder, seed), self)

    def describe(self) -> str:
        """What is written beside a student, as JSON."""
        said = {"student": self.settings.model_dump(mode="json"), "labels": self.labels, "head": self.head}
        return json.dumps(said, ensure_ascii=False, indent=1)


@dataclass(frozen=True)
class DescribedStudent:
    """A student of the user's own."""

    own: Student
    made_by: DescribedStudents

    def fit(
        self,
        examples: Sequence[Example],
        progress: Progress | None = None,
        *,
        balance: bool = False,
        imitated: Sequence[Example] = (),
    ) -> None:
        """Learn from the examples."""
        self.own.fit(examples, progress, balance=balance, imitated=imitated)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text."""
        return self.own.predict(texts)

    def average(self, others: Iterable["DescribedStudent"]) -> None:
        """Take the mean of its own weights and those of others."""
        self.own.average(other.own for other in others)

    def calibrate(self, examples: Sequence[Example]) -> None:
        """Set decision thresholds on held-out examples."""
        self.own.calibrate(examples)

    def save(self, folder: Path) -> None:
        """Write the student and its description, so that a killed save leaves nothing that looks whole."""
        aside, before = (folder.with_name(f".{folder.name}.{state}") for state in ("described", "undescribed"))
        for left in (aside, before):  # by a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        self.own.save(aside)
        write_text(aside / NAME, self.made_by.describe())
        if folder.exists():
            folder.rename(before)
        aside.rename(folder)
        shutil.rmtree(before, ignore_errors=True)


def read_description(folder: Path) -> tuple[StudentSection, tuple[str, ...], str]:
    """What a student's folder says of it: settings, labels and head. Nothing of the user's own is imported.

    Raises:
        ConfigError: the description cannot be read.
    """
    path = folder / NAME
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        settings = StudentSection.model_validate(said["student"])
        return settings, tuple(map(str, said["labels"])), str(said["head"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"{path} does not say what the student is ({type(error).__name__}: {first}).") from None
