"""A student: counts words, with what a config may set."""

from collections.abc import Sequence

from evokd.student.settings import StudentSettings
from evokd.testing import WordStudents


class Counters(WordStudents):
    """The factory, built as EvoKD builds its own."""

    def __init__(self, settings: StudentSettings, labels: Sequence[str], head: str) -> None:
        """Make students of `labels`."""
        super().__init__(labels)
