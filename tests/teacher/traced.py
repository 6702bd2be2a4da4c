"""Asks a teacher with tracing on and puts a secret wherever a trace could show it; a process of its own."""

import json
import os
import sys
from pathlib import Path
from typing import Literal

from langsmith.run_trees import get_cached_client
from pydantic import BaseModel, create_model

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings

if __name__ == "__main__":
    secret = os.environ["SECRET"]
    settings = TeacherSettings(
        kind="openai",
        model="m",
        base_url=sys.argv[1],
        api_key_env="LOOPBACK_KEY",
        redact=tuple(json.loads(sys.argv[3])),
    )
    teacher = open_teacher(settings, Budget(BudgetSettings(), settings), Path(sys.argv[2]), run=secret, seed=0)
    schema: type[BaseModel] = create_model("Told", said=(str, ...), kind=(Literal["a", secret] | None, None))
    chats = [
        Prompt((Message(role="user", content=f"weather {secret}"),), lesson=f"lesson {secret}"),
        Prompt((Message(role="user", content="fail"),)),
    ]
    teacher.ask(chats, schema, role="annotator", cycle=0)
    teacher.complete([Prompt(f"weather {secret}")], role=secret, cycle=0, stop=[secret])
    teacher.close()
    get_cached_client().flush(timeout=20)
