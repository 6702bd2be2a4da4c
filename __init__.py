"""EvoKD: from a task description, a few labelled examples and an LLM to a small, fast text model of your own.

All that a notebook or a part of your own needs is here, under one name. Nothing heavy is imported before it is used.

    outcome = evokd.run("configs/demo.toml")
    outcome.predictor().predict(["There is water coming through my ceiling."])
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agents.base import Agent, CycleReport, Draft, Services, State
    from .agents.batch_stats import BatchStats, add_stats
    from .api import compare, export, load, plan, resume, run
    from .graph.stop import Stop
    from .memory.base import Memory
    from .outcomes import ComparisonOutcome, RunOutcome
    from .planning.estimate import Estimate
    from .student.base import Student, Students
    from .student.serving.parity import Parity
    from .student.serving.predictor import Predictor
    from .tasks.base import (
        Abstained,
        Aggregate,
        ErrorCase,
        Example,
        InvalidAnswer,
        Label,
        Lesson,
        Origin,
        ParsedLabel,
        Prediction,
        Span,
    )
    from .tasks.errors import BudgetExhausted, ConfigError, EvoKDError, StepError
    from .tasks.task import Task
    from .teacher.base import Answer, Message, Prompt, Teacher, TeacherDown, Usage

__all__ = [
    "Abstained", "Agent", "Aggregate", "Answer", "BatchStats", "BudgetExhausted", "ComparisonOutcome",
    "ConfigError", "CycleReport", "Draft", "ErrorCase", "Estimate", "EvoKDError", "Example", "InvalidAnswer",
    "Label", "Lesson", "Memory", "Message", "Origin", "Parity", "ParsedLabel", "Prediction", "Predictor",
    "Prompt", "RunOutcome", "Services", "Span", "State", "StepError", "Stop", "Student", "Students", "Task", "Teacher",
    "TeacherDown", "Usage", "add_stats", "compare", "export", "load", "plan", "resume", "run",
]  # fmt: skip

_HOMES = {
    "agents.base": "Agent CycleReport Draft Services State",
    "agents.batch_stats": "BatchStats add_stats",
    "api": "compare export load plan resume run",
    "graph.stop": "Stop",
    "memory.base": "Memory",
    "outcomes": "ComparisonOutcome RunOutcome",
    "planning.estimate": "Estimate",
    "student.base": "Student Students",
    "student.serving.parity": "Parity",
    "student.serving.predictor": "Predictor",
    "tasks.base": "Abstained Aggregate ErrorCase Example InvalidAnswer Label Lesson Origin ParsedLabel Prediction Span",
    "tasks.errors": "BudgetExhausted ConfigError EvoKDError StepError",
    "tasks.task": "Task",
    "teacher.base": "Answer Message Prompt Teacher TeacherDown Usage",
}
"""Module -> the public names that it defines; the imports above say the same to type checkers."""

_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

_DEFAULTS = {
    "ANONYMIZED_TELEMETRY": "FALSE",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_USE_DAEMON": "true",  # a dead trace endpoint must not hold up the exit
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment of the libraries, where the user has not set it: no telemetry, and checkpoints that run no code.

The libraries read it when they are imported, and all of ours are imported after this module.
"""

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)


if not TYPE_CHECKING:  # type checkers would believe every name

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = found  # asked once
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
