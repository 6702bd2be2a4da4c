"""One tiny call to every model: whether it is there, takes the key, and how it gives structured answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ..graph.config.run_config import RunConfig
from ..graph.setup.teachers import open_chat_teacher
from ..teacher.accounting.budget import Budget
from ..teacher.base import Message, Prompt, TeacherDown

if TYPE_CHECKING:
    from ..teacher.teacher import ChatTeacher

MODE = {
    "json_schema": "the server answers by JSON schema",
    "json_object": "the server knows no schema, but JSON; it is told the form in words",
    "none": "the server knows neither schema nor JSON; it is told the form in words",
}


class Word(BaseModel):
    """The answer to the one call that is tried."""

    word: str


@dataclass(frozen=True)
class ConnectionTest:
    """What one tiny call to the server said."""

    ok: bool
    seconds: float
    said: str
    """How structured answers are had there, or why there is none."""


def teacher_of_plan(config: RunConfig, folder: Path) -> ChatTeacher:
    """The run's teacher for a few calls before it; `folder` is made for what a teacher writes down."""
    folder.mkdir()
    return open_chat_teacher(config, Budget(config.budget, config.teacher), folder, "plan")


def check_connection(config: RunConfig, folder: Path) -> ConnectionTest:
    """Make one call to every model; `folder` is made for what a teacher writes down. Told is the generator's."""
    teacher = teacher_of_plan(config, folder)
    roles = {config.teacher.role(role).model_dump_json(): role for role in (*config.teacher.roles, "generator")}
    began = time.monotonic()
    try:
        trials = [_called(teacher, role) for role in sorted(roles.values(), key=lambda role: role != "generator")]
    except TeacherDown as error:
        return ConnectionTest(False, time.monotonic() - began, str(error))
    finally:
        teacher.close()
    return next((connection for connection in trials if not connection.ok), trials[0])


def _called(teacher: ChatTeacher, role: str) -> ConnectionTest:
    began = time.monotonic()
    if teacher.prompting(role) == "completion":
        teacher.complete([Prompt("One, two,")], role=role, cycle=0)
        return ConnectionTest(True, time.monotonic() - began, "the model continues texts")
    ask = Message(role="user", content='Answer with the word "ready".')
    [answer] = teacher.ask([Prompt((ask,))], Word, role=role, cycle=0)
    seconds = time.monotonic() - began
    if answer.value is None:
        given = f" It said: {answer.text!r:.200}" if answer.text else ""
        problem = f"{teacher.model(role)} gives no structured answer: {answer.problem}.{given}"
        return ConnectionTest(False, seconds, problem)
    return ConnectionTest(True, seconds, MODE[teacher.mode(role)])
