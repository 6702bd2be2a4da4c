"""The public data sets that the benchmarks know: what is asked of a teacher about each, and its task object."""

import tomllib
from pathlib import Path
from typing import Any

from evokd.graph.config.sections import TaskSettings
from evokd.graph.setup.services import make_task
from evokd.tasks.task import Task

TASKS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "tasks.toml").read_text(encoding="utf-8"))


def data_set_task(name: str) -> Task:
    """The task of a data set."""
    return make_task(TaskSettings.model_validate(TASKS[name]))
