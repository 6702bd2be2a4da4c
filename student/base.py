"""What the loop may ask of a student. The rest of the program never sees a tensor."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, Self

from ..tasks.base import Example, Prediction

Progress = Callable[[int, int], None]


class Answering(Protocol):
    """What labels texts: a student, or one that was exported."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, probabilities always."""


class Student(Protocol):
    """One small model.

    Examples:
        >>> from evokd.testing import WordStudent
        >>> student: evokd.Student = WordStudent(["food", "money"])
        >>> student.fit([evokd.Example(text="soup", label="food"), evokd.Example(text="loan", label="money")])
        >>> student.predict(["a loan"])[0].label
        'money'
    """

    def fit(
        self,
        examples: Sequence[Example],
        progress: Progress | None = None,
        *,
        balance: bool = False,
        imitated: Sequence[Example] = (),
    ) -> None:
        """Learn from the examples, also on a loaded student; soft labels as probabilities, where the head can.

        Args:
            examples: labelled texts.
            progress: called with the steps done and all there are.
            balance: let every class of the examples count the same, however many texts it has; for one label a text.
            imitated: further texts with what another student says of them. They count as they are, balance or not.
        """

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, probabilities always."""

    def average(self, others: Iterable[Self]) -> None:
        """Take the mean of its own weights and those of others that were fitted from the same start."""

    def calibrate(self, examples: Sequence[Example]) -> None:
        """Set decision thresholds on held-out examples; does nothing for heads without any. A fit forgets them."""

    def save(self, folder: Path) -> None:
        """Write the student so that a killed save leaves nothing that looks whole (written aside, then renamed)."""


class Students(Protocol):
    """The factory: a run holds this, never a model.

    Examples:
        >>> from evokd.testing import WordStudents
        >>> students: evokd.Students = WordStudents(["food", "money"])
        >>> students.new(seed=1).save(Path("saved"))
        >>> students.load(Path("saved")).predict(["soup"])[0].probabilities
        {'food': 0.5, 'money': 0.5}
    """

    def new(self, seed: int) -> Student:
        """A fresh student; the same seed and examples give the same student twice.

        New weights should be the same for all seeds: fits of several seeds are averaged.
        """

    def load(self, folder: Path, seed: int = 0) -> Student:
        """The student saved in `folder`; `seed` is for further training (warm start)."""
