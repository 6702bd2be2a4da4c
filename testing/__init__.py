"""For tests of parts of your own: fakes that behave, a small world to run them in, and what every part must do.

    class TestMine(evokd.testing.MemoryContract):
        def make(self, folder):
            return MyMemory(folder, HashEmbedder(), MemorySettings())

The contracts need pytest; nothing else here does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .acting import settled, step, traces
    from .contracts.agent import AgentContract
    from .contracts.memory import MemoryContract
    from .contracts.student import MultilabelStudentContract, StudentContract, TokenStudentContract
    from .contracts.task import TaskCase, TaskContract
    from .contracts.teacher import CompletionTeacherContract, TeacherContract
    from .fakes import HashEmbedder, ListMemory, ScriptedTeacher, words
    from .loopback import Body, Loopback, Said, chat, serving
    from .students import WordLabelsStudent, WordSpansStudent, WordStudent, WordStudents

__all__ = [
    "AgentContract", "Body", "CompletionTeacherContract", "HashEmbedder", "ListMemory", "Loopback", "MemoryContract",
    "MultilabelStudentContract", "Said", "ScriptedTeacher", "StudentContract", "TaskCase", "TaskContract",
    "TeacherContract", "TokenStudentContract", "WordLabelsStudent", "WordSpansStudent", "WordStudent", "WordStudents",
    "chat", "serving", "settled", "step", "traces", "words",
]  # fmt: skip

_HOMES = {
    "acting": "settled step traces",
    "contracts.agent": "AgentContract",
    "contracts.memory": "MemoryContract",
    "contracts.student": "MultilabelStudentContract StudentContract TokenStudentContract",
    "contracts.task": "TaskCase TaskContract",
    "contracts.teacher": "CompletionTeacherContract TeacherContract",
    "fakes": "HashEmbedder ListMemory ScriptedTeacher words",
    "loopback": "Body Loopback Said chat serving",
    "students": "WordLabelsStudent WordSpansStudent WordStudent WordStudents",
}
"""Module -> the public names that it defines; the imports above say the same to type checkers."""

_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # type checkers would believe every name

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = found  # asked once
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
