"""Teachers of the user's own, as a config names them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt
from evokd.teacher.custom import CustomTeacher
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


class World(CustomTeacher):
    """The world's teacher in the short form: it keeps to the schema, by whose name it knows who asks."""

    takes_schema = True

    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> str:
        role = {"Analysis": world.analyst, "Labels": world.annotator}
        name = (schema or {}).get("title", "")
        if name == "Word":
            return '{"word": "ready"}'
        return json.dumps(role.get(name, world.generator)(Prompt(tuple(messages))))
