"""A run that asks forty prompts; started as a process of its own so that a test can kill it."""

import sys
from pathlib import Path

from pydantic import BaseModel

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings


class Echo(BaseModel):
    said: str


if __name__ == "__main__":
    settings = TeacherSettings(kind="openai", model="m", base_url=sys.argv[1], api_key_env="none", concurrency=4)
    teacher = open_teacher(settings, Budget(BudgetSettings(), settings), Path(sys.argv[2]), run="r", seed=0)
    prompts = [Prompt((Message(role="user", content=f"text {number}"),)) for number in range(40)]
    answers = teacher.ask(prompts, Echo, role="annotator", cycle=0)
    assert [answer.value.said for answer in answers if answer.value] == [f"text {number}" for number in range(40)]
    assert teacher.spent()["input"] == 400
    teacher.close()
