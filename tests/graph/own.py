"""A teacher of the user's own, as a config names it."""

from pathlib import Path
from typing import Any

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.settings import TeacherSettings
from tests import world
from tests.fakes import ScriptedTeacher


class Oracle(ScriptedTeacher):
    """Built as `open_teacher` is called; keeps what it was given."""

    def __init__(self, settings: TeacherSettings, budget: Budget, folder: Path, *, run: str, seed: int) -> None:
        roles: dict[str, Any] = {
            "generator": world.generator,
            "analyst": world.analyst,
            "annotator": world.annotator,
        }
        super().__init__(roles)
        self.given = (run, seed, folder)
